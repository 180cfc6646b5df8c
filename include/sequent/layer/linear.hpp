// y = x W^T + b: PyTorch's nn.Linear, on one row per sequence or on every step. Weights and bias start at
// U(-1/sqrt(In), 1/sqrt(In)).
#pragma once

#include <cmath>

#include "layer.hpp"

namespace sequent {

namespace detail {
template <class Shape, int In, int Out>
struct linear_output {
    static_assert(!std::is_same_v<Shape, Shape>,
                  "sequent::linear: the layer before gives another width than In; make the two sizes equal");
};
template <int In, int Out>
struct linear_output<rows_of<In>, In, Out> {
    using type = rows_of<Out>;
};
template <int In, int Out>
struct linear_output<sequence_of<In>, In, Out> {
    using type = sequence_of<Out>;
};
}  // namespace detail

// rows_of<In> -> rows_of<Out>, sequence_of<In> -> sequence_of<Out>.
template <int In, int Out>
struct linear {
    static_assert(In > 0 && Out > 0, "sequent::linear: both sizes must be at least 1");

    struct options {};
    static constexpr int input_size = In;
    static constexpr std::ptrdiff_t bias_at = (std::ptrdiff_t{In} * Out + 15) / 16 * 16;
    static constexpr std::ptrdiff_t parameter_size = bias_at + (Out + 15) / 16 * 16;

    template <class Shape>
    using output = typename detail::linear_output<Shape, In, Out>::type;

    linear() = default;
    explicit linear(options const&) {}

    template <class Backend, class T>
    struct memory {
        template <class U>
        using buffer = typename Backend::template buffer<U>;
        buffer<T> output;          // [n, Out]
        buffer<T> input_gradient;  // [n, In]
    };

    template <class Backend, class T, class Visitor>
    void describe(scope const& where, memory<Backend, T>&, Visitor& visitor) const {
        initial_values const uniform{initial_values::kind::uniform, 1 / std::sqrt(static_cast<double>(In))};
        visitor.tensor(tensor_name{where, "weight"}, {Out, In}, where.offset, uniform);
        visitor.tensor(tensor_name{where, "bias"}, {Out}, where.offset + bias_at, uniform);
    }

    template <class Backend, class T>
    rows_flow<Backend, T> forward(pass<Backend> const& now, T const* parameters, memory<Backend, T>& mine,
                                  rows_flow<Backend, T> const& input) const {
        apply(now, parameters, mine, input.values);
        return output_view<Backend, T>(mine, input);
    }
    template <class Backend, class T>
    sequence_flow<Backend, T> forward(pass<Backend> const& now, T const* parameters, memory<Backend, T>& mine,
                                      sequence_flow<Backend, T> const& input) const {
        apply(now, parameters, mine, input.values.rows);
        return output_view<Backend, T>(mine, input);
    }
    template <class Backend, class T>
    rows_flow<Backend, T> output_view(memory<Backend, T>& mine, rows_flow<Backend, T> const& input) const {
        return {input.shape, {mine.output.data(), input.values.rows, Out}};
    }
    template <class Backend, class T>
    sequence_flow<Backend, T> output_view(memory<Backend, T>& mine, sequence_flow<Backend, T> const& input) const {
        return {input.shape, {{mine.output.data(), input.values.rows.rows, Out}, input.values.index}, {}};
    }

    template <class Backend, class T>
    rows_gradient<T> backward(pass<Backend> const& now, T const* parameters, T* gradients, memory<Backend, T>& mine,
                              rows_flow<Backend, T> const& input, rows_gradient<T> const& gradient,
                              input_gradient wanted) const {
        return {differentiate(now, parameters, gradients, mine, input.values, gradient.values, wanted)};
    }
    template <class Backend, class T>
    sequence_gradient<T> backward(pass<Backend> const& now, T const* parameters, T* gradients, memory<Backend, T>& mine,
                                  sequence_flow<Backend, T> const& input, sequence_gradient<T> const& gradient,
                                  input_gradient wanted) const {
        if (gradient.values.empty()) return {};
        return {differentiate(now, parameters, gradients, mine, input.values.rows, gradient.values, wanted), {}};
    }
    [[nodiscard]] input_gradient wants(auto const&, input_gradient) const { return input_gradient::wanted; }

  private:
    template <class Backend, class T>
    static void apply(pass<Backend> const& now, T const* parameters, memory<Backend, T>& mine, matrix_view<T const> x) {
        matrix_view<T> const y(mine.output.reserve(static_cast<std::size_t>(x.rows) * Out), x.rows, Out);
        affine(now.device, x, matrix_view<T const>(parameters, Out, In), parameters + bias_at, y);
    }
    template <class Backend, class T>
    static matrix_view<T const> differentiate(pass<Backend> const& now, T const* parameters, T* gradients,
                                              memory<Backend, T>& mine, matrix_view<T const> x, matrix_view<T const> dy,
                                              input_gradient wanted) {
        affine_backward_weight(now.device, dy, x, matrix_view<T>(gradients, Out, In), gradients + bias_at);
        if (wanted == input_gradient::not_wanted) return {};
        matrix_view<T> const dx(mine.input_gradient.reserve(static_cast<std::size_t>(x.rows) * In), x.rows, In);
        affine_backward_input(now.device, dy, matrix_view<T const>(parameters, Out, In), dx);
        return dx;
    }
};

}  // namespace sequent
