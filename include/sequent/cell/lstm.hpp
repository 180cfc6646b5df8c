// Long short-term memory: Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000,
// in the form of PyTorch's nn.LSTM. Equation numbers: docs/mathematics/lstm.md.
#pragma once

#include <string_view>

#include "../core/number.hpp"

namespace sequent {

template <int Input, int Hidden>
struct lstm {
    static_assert(Input > 0, "sequent::lstm: the input size must be at least 1");
    static_assert(Hidden > 0, "sequent::lstm: the hidden size must be at least 1");

    static constexpr int input_size = Input, hidden_size = Hidden;
    static constexpr int gate_count = 4;   // i f g o, PyTorch's order
    static constexpr int state_count = 2;  // h c
    static constexpr int saved_count = 5;  // i f g o tanh(c)
    static constexpr int unit_count = 0;
    static constexpr bool shared_gates = true;

    static constexpr std::string_view state_name(int s) { return s == 0 ? "h" : "c"; }
    static constexpr std::string_view unit_name(int) { return {}; }

    template <int NewInput>
    using with_input = lstm<NewInput, Hidden>;

    template <class Math, class Number>
    SEQUENT_HD static void step(numbers<Number, 4> const& x, numbers<Number, 4> const& h,
                                numbers<Number, 2> const& before, numbers<Number, 0> const&, numbers<Number, 2>& after,
                                numbers<Number, 5>& saved) {
        Number const i = Math::sigmoid(x[0] + h[0]);        // (1)
        Number const f = Math::sigmoid(x[1] + h[1]);        // (2)
        Number const g = Math::tanh(x[2] + h[2]);           // (3)
        Number const o = Math::sigmoid(x[3] + h[3]);        // (4)
        Number const c = fma(f, before[1], Number(i * g));  // (5)
        Number const tanh_c = Math::tanh(c);
        after[0] = o * tanh_c;  // (6)
        after[1] = c;
        saved = {{i, f, g, o, tanh_c}};
    }

    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 5> const& saved, numbers<Number, 2> const& before,
                                         numbers<Number, 2> const&, numbers<Number, 0> const&,
                                         numbers<Number, 2>& gradient, numbers<Number, 4>& x_gradient,
                                         numbers<Number, 4>& h_gradient, numbers<Number, 0>&) {
        Number const &i = saved[0], &f = saved[1], &g = saved[2], &o = saved[3], &tanh_c = saved[4];
        Number const one(1);
        Number const d_h = gradient[0];
        Number const d_c = fma(d_h * o, fma(-tanh_c, tanh_c, one), gradient[1]);  // (7)
        x_gradient[0] = d_c * g * i * (one - i);                                  // (8)
        x_gradient[1] = d_c * before[1] * f * (one - f);                          // (9)
        x_gradient[2] = d_c * i * fma(-g, g, one);                                // (10)
        x_gradient[3] = d_h * tanh_c * o * (one - o);                             // (11)
        h_gradient = x_gradient;
        gradient[0] = Number(0);
        gradient[1] = d_c * f;  // (12)
    }
};

}  // namespace sequent
