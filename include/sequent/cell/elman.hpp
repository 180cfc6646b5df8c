// The simple recurrent network of Elman 1990, in the form of PyTorch's nn.RNN: tanh or relu of W x + b_ih + U h + b_hh.
// Equation numbers: docs/mathematics/elman.md.
#pragma once

#include <string_view>

#include "../core/number.hpp"

namespace sequent {

enum class nonlinearity { tanh, relu };

template <int Input, int Hidden, nonlinearity Function = nonlinearity::tanh>
struct elman {
    static_assert(Input > 0, "sequent::elman: the input size must be at least 1");
    static_assert(Hidden > 0, "sequent::elman: the hidden size must be at least 1");

    static constexpr int input_size = Input, hidden_size = Hidden;
    static constexpr int gate_count = 1;
    static constexpr int state_count = 1;  // h
    static constexpr int saved_count = 1;  // h
    static constexpr int unit_count = 0;
    static constexpr bool shared_gates = true;

    static constexpr std::string_view state_name(int) { return "h"; }
    static constexpr std::string_view unit_name(int) { return {}; }

    template <int NewInput>
    using with_input = elman<NewInput, Hidden, Function>;

    template <class Math, class Number>
    SEQUENT_HD static void step(numbers<Number, 1> const& x, numbers<Number, 1> const& h, numbers<Number, 1> const&,
                                numbers<Number, 0> const&, numbers<Number, 1>& after, numbers<Number, 1>& saved) {
        Number const sum = x[0] + h[0];
        if constexpr (Function == nonlinearity::tanh)
            after[0] = Math::tanh(sum);  // (1)
        else
            after[0] = Math::relu(sum);  // (2)
        saved[0] = after[0];
    }

    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 1> const& saved, numbers<Number, 1> const&,
                                         numbers<Number, 1> const&, numbers<Number, 0> const&,
                                         numbers<Number, 1>& gradient, numbers<Number, 1>& x_gradient,
                                         numbers<Number, 1>& h_gradient, numbers<Number, 0>&) {
        Number const& h = saved[0];
        if constexpr (Function == nonlinearity::tanh)
            x_gradient[0] = gradient[0] * fma(-h, h, Number(1));  // (3)
        else
            x_gradient[0] = gradient[0] * Math::positive(h);  // (4)
        h_gradient[0] = x_gradient[0];
        gradient[0] = Number(0);
    }
};

}  // namespace sequent
