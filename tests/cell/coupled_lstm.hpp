// A cell that the library does not have: an LSTM whose input gate is one minus its forget gate, with peepholes
// (Gers and Schmidhuber 2000) as numbers of each unit. All that it takes to use one's own cell.
#pragma once

#include <string_view>

#include "sequent/core/number.hpp"

namespace sequent_tests {

template <int Input, int Hidden>
struct coupled_lstm {
    static constexpr int input_size = Input, hidden_size = Hidden;
    static constexpr int gate_count = 3;   // f g o
    static constexpr int state_count = 2;  // h c
    static constexpr int saved_count = 4;  // f g o tanh(c)
    static constexpr int unit_count = 2;   // from c to f, from c to o
    static constexpr bool shared_gates = true;

    static constexpr std::string_view state_name(int s) { return s == 0 ? "h" : "c"; }
    static constexpr std::string_view unit_name(int u) { return u == 0 ? "weight_cf" : "weight_co"; }

    template <int NewInput>
    using with_input = coupled_lstm<NewInput, Hidden>;

    template <class Math, class Number>
    SEQUENT_HD static void step(sequent::numbers<Number, 3> const& x, sequent::numbers<Number, 3> const& h,
                                sequent::numbers<Number, 2> const& before, sequent::numbers<Number, 2> const& unit,
                                sequent::numbers<Number, 2>& after, sequent::numbers<Number, 4>& saved) {
        Number const f = Math::sigmoid(Number(x[0] + h[0] + unit[0] * before[1]));
        Number const g = Math::tanh(Number(x[1] + h[1]));
        Number const c = f * before[1] + (Number(1) - f) * g;
        Number const o = Math::sigmoid(Number(x[2] + h[2] + unit[1] * c));
        Number const tanh_c = Math::tanh(c);
        after = {{Number(o * tanh_c), c}};
        saved = {{f, g, o, tanh_c}};
    }

    template <class Math, class Number>
    SEQUENT_HD static void
    step_backward(sequent::numbers<Number, 4> const& saved, sequent::numbers<Number, 2> const& before,
                  sequent::numbers<Number, 2> const& after, sequent::numbers<Number, 2> const& unit,
                  sequent::numbers<Number, 2>& gradient, sequent::numbers<Number, 3>& x_gradient,
                  sequent::numbers<Number, 3>& h_gradient, sequent::numbers<Number, 2>& unit_gradient) {
        Number const &f = saved[0], &g = saved[1], &o = saved[2], &tanh_c = saved[3];
        Number const one(1);
        Number const d_o = gradient[0] * tanh_c * o * (one - o);
        Number const d_c = gradient[1] + gradient[0] * o * (one - tanh_c * tanh_c) + d_o * unit[1];
        Number const d_f = d_c * (before[1] - g) * f * (one - f);
        x_gradient = {{d_f, Number(d_c * (one - f) * (one - g * g)), d_o}};
        h_gradient = x_gradient;
        gradient = {{Number(0), Number(d_c * f + d_f * unit[0])}};
        unit_gradient[0] = unit_gradient[0] + d_f * before[1];
        unit_gradient[1] = unit_gradient[1] + d_o * after[1];
    }
};

}  // namespace sequent_tests
