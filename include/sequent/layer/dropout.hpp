// Dropout (Srivastava et al. 2014) as PyTorch's nn.Dropout: in training mode each number becomes 0 with the given
// probability and is scaled by 1 / (1 - probability) otherwise. The mask is a function of (seed, layer, pass, number):
// the backward pass makes it again instead of keeping it, and every backend makes the same.
#pragma once

#include "../core/random.hpp"
#include "layer.hpp"

namespace sequent {

// Any sequence_of<F> or rows_of<F> -> the same.
struct dropout {
    struct options {
        double probability = 0.5;
    };
    static constexpr int input_size = -1;
    static constexpr std::ptrdiff_t parameter_size = 0;
    template <class Shape>
    using output = Shape;

    dropout() = default;
    explicit dropout(options const& given) : options_(given) {
        require(given.probability >= 0 && given.probability <= 1,
                "sequent::dropout: the probability has to be between 0 and 1, but got ", given.probability);
    }

    template <class Backend, class T>
    struct memory {
        buffer_of<Backend, T> rows, output, gradient, sum;
        std::uint64_t key = 0;
        int count = 0, columns = 0;  // of the output; 0: the input goes on as it came
    };
    void describe(scope const& where, auto& mine, auto&) const { mine.key = where.dropout_key; }
    [[nodiscard]] input_gradient wants(auto const&, input_gradient below) const { return below; }

    // Behind it, a sequence has no final state of its own: put dropout behind last_state, not before.
    template <class Backend, class T, class Flow>
    Flow forward(pass<Backend> const& now, T const*, memory<Backend, T>& mine, Flow const& input) const {
        matrix_view<T const> dropped;
        if (acts(now)) dropped = drop_from(now, mine.key, materialise(now.device, input, mine.rows), mine.output);
        mine.count = dropped.rows, mine.columns = dropped.columns;
        return output_view(mine, input);
    }
    auto output_view(auto& mine, auto const& input) const {
        if (mine.columns == 0) return input.with_distinct(input.distinct());
        return input.with_rows({mine.output.data(), mine.count, mine.columns});
    }

    template <class Backend, class T, class Flow, class Gradient>
    Gradient backward(pass<Backend> const& now, T const*, T*, memory<Backend, T>& mine, Flow const& input,
                      Gradient const& gradient, input_gradient) const {
        if (!acts(now) || gradient.values.empty()) return {gradient.values};
        matrix_view<T const> const rows = drop_from(now, mine.key, gradient.values, mine.gradient);
        return {dematerialise(now.device, input, rows, mine.sum)};
    }

  private:
    [[nodiscard]] bool acts(auto const& now) const { return now.how == mode::training && options_.probability > 0; }
    template <class T>
    matrix_view<T const> drop_from(auto const& now, std::uint64_t key, matrix_view<T const> x, auto& room) const {
        matrix_view<T> const y = reserve_rows(room, x.rows, x.columns);
        // The upper half of the streams; the lower half starts parameters.
        std::uint64_t const stream = std::uint64_t{1} << 63 | (key & 0x7FFF) << 48 | (now.step & 0xFFFF'FFFF'FFFF);
        drop(now.device, random_stream{now.seed, stream}, options_.probability, x, y);
        return y;
    }

    options options_;
};

}  // namespace sequent
