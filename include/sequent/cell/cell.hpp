// What a cell is: sizes, counts and the equations of one unit, written once over a number type. Elementwise in the
// units, one recurrent product a step. A cell that multiplies a gated state by a matrix (the minimal gated unit, GRU's
// reset-before form) is not one.
#pragma once

#include <concepts>
#include <string_view>

#include "../core/number.hpp"

namespace sequent {

// The activations a cell's equations name. A backend passes its own policy with the same four functions; this one is
// the reference, made of the standard library's tanh and exp.
struct precise {
    template <class Number>
    SEQUENT_HD static Number tanh(Number const& x) {
        using std::tanh;
        return tanh(x);
    }
    template <class Number>
    SEQUENT_HD static Number sigmoid(Number const& x) {
        using std::exp;
        return Number(1) / (Number(1) + exp(-x));
    }
    // NaN stays NaN, as in PyTorch.
    template <class Number>
    SEQUENT_HD static Number relu(Number const& x) {
        return select(x < Number(0), Number(0), x);
    }
    // 1 where x > 0, else 0: the derivative of relu.
    template <class Number>
    SEQUENT_HD static Number positive(Number const& x) {
        return select(x > Number(0), Number(1), Number(0));
    }
};

// The values one unit reads at a step, and the gradients its backward step makes. For a cell with G gates, S states
// (state 0 is h, the output), K saved values and P per-unit parameters:
//
//   step<Math>(x[G], h[G], before[S], unit[P], after[S], saved[K])
//       x = W x_t + b_ih and h = U h_(t-1) + b_hh, apart because GRU's reset gate acts on the second alone
//   step_backward<Math>(saved[K], before[S], after[S], unit[P], gradient[S], x_gradient[G], h_gradient[G],
//   unit_gradient[P])
//       gradient: of the loss to the states after the step; on return to the states before it, without the part that
//       flows through the recurrent product. unit_gradient is added to.
//
// `shared_gates` says that the gates enter only as the sums x + h: then x_gradient = h_gradient, stored once, and the
// kernels may add the two biases first. `state_names` and `unit_names` name the tensors: "h", "c"; "weight_ch".
template <class Cell>
concept cell = requires {
    { Cell::input_size } -> std::convertible_to<int>;
    { Cell::hidden_size } -> std::convertible_to<int>;
    { Cell::gate_count } -> std::convertible_to<int>;
    { Cell::state_count } -> std::convertible_to<int>;
    { Cell::saved_count } -> std::convertible_to<int>;
    { Cell::unit_count } -> std::convertible_to<int>;
    { Cell::shared_gates } -> std::convertible_to<bool>;
    { Cell::state_name(0) } -> std::convertible_to<std::string_view>;
    { Cell::unit_name(0) } -> std::convertible_to<std::string_view>;
    typename Cell::template with_input<1>;
}
&&requires(numbers<float, Cell::gate_count> const& gates, numbers<float, Cell::gate_count>& gate_gradients,
           numbers<float, Cell::state_count> const& before, numbers<float, Cell::state_count>& after,
           numbers<float, Cell::unit_count> const& unit, numbers<float, Cell::unit_count>& unit_gradients,
           numbers<float, Cell::saved_count>& saved) {
    Cell::template step<precise>(gates, gates, before, unit, after, saved);
    Cell::template step_backward<precise>(saved, before, before, unit, after, gate_gradients, gate_gradients,
                                          unit_gradients);
};

}  // namespace sequent
