// The activations of the CPU's kernels on SIMD numbers, as policies with the four functions of cell/cell.hpp:
// `accurate`, the default; `precise`, the standard library's; `fast`.
#pragma once

#include "../../cell/cell.hpp"
#include "simd.hpp"

namespace sequent {

namespace detail {
// Gates are 1/2 + 1/2 tanh(x/2), so that gates and candidates share one kernel: in a gate the absolute error counts.
// Fit has what tools/fit_tanh.py finds: p and q, the coefficients of two polynomials in x^2 for x in [0, end], and q's
// highest is 1.
template <class Fit>
struct rational_activations : precise {
    template <class Number>
    SEQUENT_HD static Number tanh(Number const& x) {
        return scaled_tanh(x, 1.0f);
    }
    template <class Number>
    SEQUENT_HD static Number sigmoid(Number const& x) {
        return Number(typename Number::value_type(0.5)) + scaled_tanh(x, 0.5f);
    }

  private:
    // scale * tanh(scale * x), never beyond scale in magnitude. Scales are powers of 2: all of them round alike.
    template <class Number>
    SEQUENT_HD static Number scaled_tanh(Number const& x, float scale) {
        if constexpr (std::is_same_v<typename Number::value_type, float>) {
            float const by = 1 / (scale * scale);
            Number const bound(scale), square = min(Number(Fit::end * Fit::end * by), Number(x * x));
            constexpr int top = std::size(Fit::p) - 1;
            Number above(Fit::p[top]), below = square + Number(Fit::q[top] * by);
            float power = by;
            for (int k = top - 1; k >= 0; --k, power *= by) {
                above = fma(square, above, Number(Fit::p[k] * power));
                below = fma(square, below, Number(Fit::q[k] * power * by));
            }
            // beyond `end` it grows with x; of two numbers min and max give the second where one is NaN
            return min(bound, max(-bound, Number(x * above / below)));
        } else {
            // The SIMD library converts its argument to an integer, NaN and infinity too; from 20 on, tanh rounds to 1.
            Number const by(scale), limit(20.0), number = select(x == x, Number(by * x), Number(0.0));
            return select(x == x, Number(by * xsimd::tanh(min(limit, max(-limit, number)).value)), x);
        }
    }
};
}  // namespace detail

// tanh within 6.4 units in the last place in float, the SIMD library's own in double.
struct accurate : detail::rational_activations<accurate> {
    static constexpr float end = 7.86f, p[] = {0x1.e96448p+21f, 0x1.fa63f8p+18f, 0x1.72e42ep+13f, 0x1.71f5bap+5f},
                           q[] = {0x1.e9644ap+21f, 0x1.c4db8ep+20f, 0x1.758e2cp+16f, 0x1.e1244ap+9f};
};

// In float, tanh to 9e-6 and gates to 5e-6 of 1, with fewer products; in double as accurate.
struct fast : detail::rational_activations<fast> {
    static constexpr float end = 6.2f, p[] = {0x1.1f28bep+14f, 0x1.06b2e2p+11f, 0x1.b4931ep+4f},
                           q[] = {0x1.1f2962p+14f, 0x1.0113c6p+13f, 0x1.40603cp+8f};
};

}  // namespace sequent
