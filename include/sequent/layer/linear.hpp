// y = x W^T + b: PyTorch's nn.Linear, on one row per sequence or on every step. Weights and bias start at
// U(-1/sqrt(In), 1/sqrt(In)).
#pragma once

#include "layer.hpp"

namespace sequent {

// rows_of<In> -> rows_of<Out>, sequence_of<In> -> sequence_of<Out>.
template <int In, int Out>
struct linear {
    static_assert(In > 0 && Out > 0, "sequent::linear: both sizes must be at least 1");

    struct options {};
    static constexpr int input_size = In;
    static constexpr std::ptrdiff_t bias_at = (std::ptrdiff_t{In} * Out + 15) / 16 * 16;
    static constexpr std::ptrdiff_t parameter_size = bias_at + (Out + 15) / 16 * 16;

    template <class Shape>
    struct output_shape {
        static constexpr bool is_sequence = std::is_same_v<Shape, sequence_of<In>>;
        static_assert(is_sequence || std::is_same_v<Shape, rows_of<In>>,
                      "sequent::linear: the layer before gives another width than In; make the two sizes equal");
        using type = std::conditional_t<is_sequence, sequence_of<Out>, rows_of<Out>>;
    };
    template <class Shape>
    using output = typename output_shape<Shape>::type;

    linear() = default;
    explicit linear(options const&) {}

    template <class Backend, class T>
    struct memory {
        buffer_of<Backend, T> output;          // [n, Out]
        buffer_of<Backend, T> input_gradient;  // [n, In]
    };

    void describe(scope const& where, auto&, auto& visitor) const {
        initial_values const uniform{initial_values::kind::uniform, 1 / std::sqrt(static_cast<double>(In))};
        visitor.tensor(tensor_name{where, "weight"}, {Out, In}, where.offset, uniform);
        visitor.tensor(tensor_name{where, "bias"}, {Out}, where.offset + bias_at, uniform);
    }

    template <class Backend, class T, class Flow>
    Flow forward(pass<Backend> const& now, T const* parameters, memory<Backend, T>& mine, Flow const& input) const {
        matrix_view<T const> const x = input.distinct();
        affine(now.device, x, matrix_view<T const>(parameters, Out, In), parameters + bias_at,
               reserve_rows(mine.output, x.rows, Out));
        return output_view(mine, input);
    }
    auto output_view(auto& mine, auto const& input) const {
        return input.with_distinct({mine.output.data(), input.distinct().rows, Out});
    }
    template <class Backend, class T, class Flow, class Gradient>
    Gradient backward(pass<Backend> const& now, T const* parameters, T* gradients, memory<Backend, T>& mine,
                      Flow const& input, Gradient const& gradient, input_gradient wanted) const {
        matrix_view<T const> const x = input.distinct(), dy = gradient.values;
        if (dy.empty()) return {};
        affine_backward_weight(now.device, dy, x, matrix_view<T>(gradients, Out, In), gradients + bias_at);
        if (wanted == input_gradient::not_wanted) return {};
        matrix_view<T> const dx = reserve_rows(mine.input_gradient, x.rows, In);
        affine_backward_input(now.device, dy, matrix_view<T const>(parameters, Out, In), dx);
        return {dx};
    }
    [[nodiscard]] input_gradient wants(auto const&, input_gradient) const { return input_gradient::wanted; }
};

}  // namespace sequent
