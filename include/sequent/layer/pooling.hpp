// One vector per sequence, in the user's order, from the steps of a packed batch: its last state, or the mean or
// maximum of its steps. An empty sequence gives its initial state, or zero.
#pragma once

#include "layer.hpp"

namespace sequent {

enum class pooled { last, mean, max };

// sequence_of<F> -> rows_of<F>.
template <pooled Kind>
struct pooling {
    struct options {};
    static constexpr int input_size = -1;
    static constexpr std::ptrdiff_t parameter_size = 0;

    pooling() = default;
    explicit pooling(options const&) {}

    template <class Shape>
    struct output_shape {
        static_assert(!std::is_same_v<Shape, Shape>,
                      "sequent::pooling: takes a sequence; put it behind an embedding or a recurrent layer");
    };
    template <int Features>
    struct output_shape<sequence_of<Features>> {
        using type = rows_of<Features>;
    };
    template <class Shape>
    using output = typename output_shape<Shape>::type;

    template <class Backend, class T>
    struct memory {
        buffer_of<Backend, T> output;               // [batch, features]
        buffer_of<Backend, T> rows, gradient, sum;  // rows written out, and their gradients
        buffer_of<Backend, int> where;              // [batch, features]: the row of each maximum
    };
    void describe(scope const&, auto&, auto&) const {}
    [[nodiscard]] input_gradient wants(auto const&, input_gradient below) const { return below; }

    template <class Backend, class T>
    rows_flow<Backend, T> forward(pass<Backend> const& now, T const*, memory<Backend, T>& mine,
                                  sequence_flow<Backend, T> const& input) const {
        matrix_view<T> const out = reserve_rows(mine.output, input.shape->batch(), input.values.rows.columns);
        if constexpr (Kind == pooled::last) {
            require(!input.last.empty(),
                    "sequent::last_state: the layer before has no final state; put it behind a recurrent layer");
            gather_rows(now.device, input.last, input.shape->unsorted_indices(), out);
        } else {
            matrix_view<T const> const rows = materialise(now.device, input, mine.rows);
            if constexpr (Kind == pooled::mean)
                mean_rows(now.device, *input.shape, rows, out);
            else
                max_rows(now.device, *input.shape, rows, out, mine.where.reserve(out.size()));
        }
        return {input.shape, out};
    }
    template <class Backend, class T>
    rows_flow<Backend, T> output_view(memory<Backend, T>& mine, sequence_flow<Backend, T> const& input) const {
        return {input.shape, {mine.output.data(), input.shape->batch(), input.values.rows.columns}};
    }
    template <class Backend, class T>
    sequence_gradient<T> backward(pass<Backend> const& now, T const*, T*, memory<Backend, T>& mine,
                                  sequence_flow<Backend, T> const& input, rows_gradient<T> const& gradient,
                                  input_gradient) const {
        int const rows = Kind == pooled::last ? input.shape->batch() : input.shape->rows();
        matrix_view<T> const below = reserve_rows(mine.gradient, rows, gradient.values.columns);
        if constexpr (Kind == pooled::last) {
            gather_rows(now.device, gradient.values, input.shape->sorted_indices(), below);
            return {{}, below};
        } else {
            if constexpr (Kind == pooled::mean)
                mean_rows_backward(now.device, *input.shape, gradient.values, below);
            else
                max_rows_backward(now.device, gradient.values, mine.where.data(), below);
            return {dematerialise(now.device, input, matrix_view<T const>(below), mine.sum)};
        }
    }
};

// The final h of the layer before, of a bidirectional one [h forward | h reverse]: PyTorch's h_n of the last layer.
using last_state = pooling<pooled::last>;

// The mean over each sequence's own steps. PyTorch's x.mean(dim=1) counts the padding of a batch too: for the same
// numbers pack the padding as tokens, all sequences as long as the longest.
using mean_state = pooling<pooled::mean>;

// The maximum over each sequence's own steps, feature by feature.
using max_state = pooling<pooled::max>;

}  // namespace sequent
