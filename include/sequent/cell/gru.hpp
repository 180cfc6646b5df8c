// Gated recurrent unit: Cho et al. 2014, in the form of PyTorch's nn.GRU and cuDNN: the reset gate acts on the
// recurrent product with its bias ("reset after"). Equation numbers: docs/mathematics/gru.md.
#pragma once

#include <string_view>

#include "../core/number.hpp"

namespace sequent {

template <int Input, int Hidden>
struct gru {
    static_assert(Input > 0, "sequent::gru: the input size must be at least 1");
    static_assert(Hidden > 0, "sequent::gru: the hidden size must be at least 1");

    static constexpr int input_size = Input, hidden_size = Hidden;
    static constexpr int gate_count = 3;   // r z n, PyTorch's order
    static constexpr int state_count = 1;  // h
    static constexpr int saved_count = 4;  // r z n and U_n h + b_hn
    static constexpr int unit_count = 0;
    static constexpr bool shared_gates = false;

    static constexpr std::string_view state_name(int) { return "h"; }
    static constexpr std::string_view unit_name(int) { return {}; }

    template <int NewInput>
    using with_input = gru<NewInput, Hidden>;

    template <class Math, class Number>
    SEQUENT_HD static void step(numbers<Number, 3> const& x, numbers<Number, 3> const& h,
                                numbers<Number, 1> const& before, numbers<Number, 0> const&, numbers<Number, 1>& after,
                                numbers<Number, 4>& saved) {
        Number const r = Math::sigmoid(x[0] + h[0]);      // (1)
        Number const z = Math::sigmoid(x[1] + h[1]);      // (2)
        Number const n = Math::tanh(fma(r, h[2], x[2]));  // (3)
        after[0] = fma(z, before[0] - n, n);              // (4): (1 - z) n + z h
        saved = {{r, z, n, h[2]}};
    }

    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 4> const& saved, numbers<Number, 1> const& before,
                                         numbers<Number, 1> const&, numbers<Number, 0> const&,
                                         numbers<Number, 1>& gradient, numbers<Number, 3>& x_gradient,
                                         numbers<Number, 3>& h_gradient, numbers<Number, 0>&) {
        Number const &r = saved[0], &z = saved[1], &n = saved[2], &recurrent_n = saved[3];
        Number const one(1);
        Number const d_h = gradient[0];
        Number const d_n = d_h * (one - z) * fma(-n, n, one);   // (5)
        x_gradient[0] = d_n * recurrent_n * r * (one - r);      // (6)
        x_gradient[1] = d_h * (before[0] - n) * z * (one - z);  // (7)
        x_gradient[2] = d_n;
        h_gradient = {{x_gradient[0], x_gradient[1], Number(d_n * r)}};  // (8)
        gradient[0] = d_h * z;                                           // (9)
    }
};

}  // namespace sequent
