// The activations of the CPU's kernels on SIMD numbers, as policies with the four functions of cell/activation.hpp:
// `accurate`, the default; `precise`, the standard library's; `fast`.
#pragma once

#include "../../cell/activation.hpp"
#include "simd.hpp"

namespace sequent {

namespace detail {
// scale * tanh(scale * x), never beyond scale in magnitude; scale: 1 or 1/2, so that both round alike. x times the
// quotient of two polynomials in x^2, of degrees N - 1 and N, the second's leading coefficient 1, on [0,
// (end/scale)^2]: tools/fit_tanh.py. Beyond, it grows with x. min and max keep a NaN in their second argument.
template <class Number, int N>
SEQUENT_HD Number rational_tanh(Number const& x, float scale, float end, float const (&p)[N], float const (&q)[N]) {
    float const by = 1 / (scale * scale);
    Number const bound(scale), square = min(Number(end * end * by), Number(x * x));
    Number above(p[N - 1]), below = square + Number(q[N - 1] * by);
    float power = by;
    for (int k = N - 2; k >= 0; --k, power *= by) {
        above = fma(square, above, Number(p[k] * power));
        below = fma(square, below, Number(q[k] * power * by));
    }
    return min(bound, max(-bound, Number(x * above / below)));
}

// Gates are 1/2 + 1/2 tanh(x/2), so that gates and candidates share one kernel: in a gate the absolute error counts.
template <class Activations>
struct gates_by_tanh : precise {
    template <class Number>
    SEQUENT_HD static Number tanh(Number const& x) {
        return Activations::scaled_tanh(x, 1.0f);
    }
    template <class Number>
    SEQUENT_HD static Number sigmoid(Number const& x) {
        return Number(typename Number::value_type(0.5)) + Activations::scaled_tanh(x, 0.5f);
    }
};
}  // namespace detail

// tanh within 6.4 units in the last place in float, the SIMD library's own in double.
struct accurate : detail::gates_by_tanh<accurate> {
    template <class Number>
    SEQUENT_HD static Number scaled_tanh(Number const& x, float scale) {
        if constexpr (std::is_same_v<typename Number::value_type, float>) {
            constexpr float p[] = {0x1.e96448p+21f, 0x1.fa63f8p+18f, 0x1.72e42ep+13f, 0x1.71f5bap+5f};
            constexpr float q[] = {0x1.e9644ap+21f, 0x1.c4db8ep+20f, 0x1.758e2cp+16f, 0x1.e1244ap+9f};
            return detail::rational_tanh(x, scale, 7.86f, p, q);
        } else {
            // The SIMD library converts its argument to an integer, NaN and infinity too; from 20 on, tanh rounds to 1.
            Number const by(scale), limit(20.0), number = select(x == x, Number(by * x), Number(0.0));
            return select(x == x, Number(by * xsimd::tanh(min(limit, max(-limit, number)).value)), x);
        }
    }
};

// In float, tanh to 9e-6 and gates to 5e-6 of 1, with fewer products; in double as accurate.
struct fast : detail::gates_by_tanh<fast> {
    template <class Number>
    SEQUENT_HD static Number scaled_tanh(Number const& x, float scale) {
        if constexpr (std::is_same_v<typename Number::value_type, float>) {
            constexpr float p[] = {0x1.1f28bep+14f, 0x1.06b2e2p+11f, 0x1.b4931ep+4f};
            constexpr float q[] = {0x1.1f2962p+14f, 0x1.0113c6p+13f, 0x1.40603cp+8f};
            return detail::rational_tanh(x, scale, 6.2f, p, q);
        } else {
            return accurate::scaled_tanh(x, scale);
        }
    }
};

}  // namespace sequent
