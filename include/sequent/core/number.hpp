// What the equations of a cell are written in: a fixed list of numbers, and what a number can do besides arithmetic.
// A number is float or double (reference, gradient checks, CUDA) or a SIMD batch of them (the CPU's kernels).
#pragma once

#include <cmath>

#include "../config.hpp"

namespace sequent {

// Count numbers: gates, states or saved values of one unit. Unlike an array, it may hold none.
template <class Number, int Count>
struct numbers {
    static_assert(Count >= 0, "sequent::numbers: the count is negative; give 0 or more");
    Number value[Count > 0 ? Count : 1];
    SEQUENT_HD constexpr Number& operator[](int i) { return value[i]; }
    SEQUENT_HD constexpr Number const& operator[](int i) const { return value[i]; }
};

// a * b + c with one rounding. SIMD batches bring their own, found by argument-dependent look-up.
SEQUENT_HD float fma(float a, float b, float c) { return ::fmaf(a, b, c); }
SEQUENT_HD double fma(double a, double b, double c) { return ::fma(a, b, c); }
// a where the condition holds, else b.
SEQUENT_HD float select(bool condition, float a, float b) { return condition ? a : b; }
SEQUENT_HD double select(bool condition, double a, double b) { return condition ? a : b; }

}  // namespace sequent
