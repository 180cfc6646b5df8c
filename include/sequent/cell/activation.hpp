// The activations a cell's equations name. A backend passes its own policy with the same four functions; `precise` is
// the reference, made of the standard library's tanh and exp.
#pragma once

#include "../core/number.hpp"

namespace sequent {

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

}  // namespace sequent
