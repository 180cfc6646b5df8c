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
    static constexpr int input_size = -1;  // whatever comes
    static constexpr std::ptrdiff_t parameter_size = 0;
    template <class Shape>
    using output = Shape;

    dropout() = default;
    explicit dropout(options const& given) : options_(given) {
        if (!(given.probability >= 0 && given.probability <= 1))
            throw argument_error(
                message("sequent::dropout: the probability has to be between 0 and 1, but got ", given.probability));
    }

    template <class Backend, class T>
    struct memory {
        template <class U>
        using buffer = typename Backend::template buffer<U>;
        buffer<T> rows, output, gradient, sum;
        std::uint64_t key = 0;
        int columns = 0;
    };
    template <class Backend, class T, class Visitor>
    void describe(scope const& where, memory<Backend, T>& mine, Visitor&) const {
        mine.key = where.dropout_key;
    }
    [[nodiscard]] input_gradient wants(auto const&, input_gradient below) const { return below; }

    // Behind it, a sequence has no final state of its own: put dropout behind last_state, not before.
    template <class Backend, class T>
    sequence_flow<Backend, T> forward(pass<Backend> const& now, T const*, memory<Backend, T>& mine,
                                      sequence_flow<Backend, T> const& input) const {
        if (acts(now)) apply(now, mine, materialise(now.device, input, mine.rows), mine.output);
        mine.columns = acts(now) ? input.values.rows.columns : 0;
        return output_view<Backend, T>(mine, input);
    }
    template <class Backend, class T>
    rows_flow<Backend, T> forward(pass<Backend> const& now, T const*, memory<Backend, T>& mine,
                                  rows_flow<Backend, T> const& input) const {
        if (acts(now)) apply(now, mine, input.values, mine.output);
        mine.columns = acts(now) ? input.values.columns : 0;
        return output_view<Backend, T>(mine, input);
    }
    template <class Backend, class T>
    sequence_flow<Backend, T> output_view(memory<Backend, T>& mine, sequence_flow<Backend, T> const& input) const {
        if (mine.columns == 0) return {input.shape, input.values, {}};
        return {input.shape, {{mine.output.data(), input.shape->rows(), mine.columns}, {}}, {}};
    }
    template <class Backend, class T>
    rows_flow<Backend, T> output_view(memory<Backend, T>& mine, rows_flow<Backend, T> const& input) const {
        if (mine.columns == 0) return input;
        return {input.shape, {mine.output.data(), input.values.rows, mine.columns}};
    }

    template <class Backend, class T>
    sequence_gradient<T> backward(pass<Backend> const& now, T const*, T*, memory<Backend, T>& mine,
                                  sequence_flow<Backend, T> const& input, sequence_gradient<T> const& gradient,
                                  input_gradient) const {
        if (!acts(now) || gradient.values.empty()) return {gradient.values, {}};
        apply(now, mine, gradient.values, mine.gradient);
        matrix_view<T const> const rows(mine.gradient.data(), gradient.values.rows, gradient.values.columns);
        return {dematerialise<Backend, T>(now.device, input, rows, mine.sum), {}};
    }
    template <class Backend, class T>
    rows_gradient<T> backward(pass<Backend> const& now, T const*, T*, memory<Backend, T>& mine,
                              rows_flow<Backend, T> const&, rows_gradient<T> const& gradient, input_gradient) const {
        if (!acts(now)) return gradient;
        apply(now, mine, gradient.values, mine.gradient);
        return {{mine.gradient.data(), gradient.values.rows, gradient.values.columns}};
    }

  private:
    template <class Backend>
    [[nodiscard]] bool acts(pass<Backend> const& now) const {
        return now.how == mode::training && options_.probability > 0;
    }
    template <class Backend, class T, class Buffer>
    void apply(pass<Backend> const& now, memory<Backend, T> const& mine, matrix_view<T const> x, Buffer& out) const {
        matrix_view<T> const y(out.reserve(static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.columns)),
                               x.rows, x.columns);
        random_stream const random{now.seed, stream_of_dropout(mine.key, now.step)};
        drop(now.device, random, options_.probability, x, y);
    }
    // The upper half of the streams; the lower half starts parameters.
    static std::uint64_t stream_of_dropout(std::uint64_t key, std::uint64_t step) {
        return std::uint64_t{1} << 63 | (key & 0x7FFF) << 48 | (step & 0xFFFF'FFFF'FFFF);
    }

    options options_;
};

}  // namespace sequent
