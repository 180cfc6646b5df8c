// The activations of the CPU's kernels on SIMD numbers, as policies with the four functions of cell/activation.hpp:
// `accurate`, the default; `precise`, the standard library's; `fast`.
#pragma once

#include "../../cell/activation.hpp"
#include "simd.hpp"

namespace sequent {

namespace detail {
// The quotient of two polynomials in x^2, times x, on [-limit, limit]; never beyond 1 in magnitude. Coefficients:
// tools/fit_tanh.py.
template <class Number, int N, int M>
SEQUENT_HD Number rational_tanh(Number const& x, float end, float const (&p)[N], float const (&q)[M]) {
    Number const limit(end), one(1.0f);
    Number const c = min(limit, max(-limit, x));
    Number const square = c * c;
    Number above(p[N - 1]), below(q[M - 1]);
    for (int k = N - 2; k >= 0; --k) above = fma(square, above, Number(p[k]));
    for (int k = M - 2; k >= 0; --k) below = fma(square, below, Number(q[k]));
    Number const y = c * above / below;
    // min and max would lose a NaN
    return select(x == x, min(one, max(-one, y)), x);
}

// Gates are 1/2 + 1/2 tanh(x/2), so that gates and candidates share one kernel: in a gate the absolute error counts.
template <class Activations>
struct gates_by_tanh : precise {
    template <class Number>
    SEQUENT_HD static Number sigmoid(Number const& x) {
        Number const half(typename Number::value_type(0.5));
        return fma(half, Activations::tanh(Number(half * x)), half);
    }
};
}  // namespace detail

// tanh within 5.4 units in the last place in float, the SIMD library's own in double.
struct accurate : detail::gates_by_tanh<accurate> {
    template <class Number>
    SEQUENT_HD static Number tanh(Number const& x) {
        if constexpr (std::is_same_v<typename Number::value_type, float>) {
            constexpr float p[] = {1.0f, 0x1.120b12p-3f, 0x1.ca2c2ap-9f, 0x1.59c2b0p-16f, 0x1.cadb12p-27f};
            constexpr float q[] = {1.0f, 0x1.de5ad2p-2f, 0x1.a7f7c8p-6f, 0x1.5885aep-12f, 0x1.a17f0cp-21f};
            return detail::rational_tanh(x, 9.0f, p, q);
        } else {
            // The SIMD library converts its argument to an integer, NaN and infinity too; from 20 on, tanh rounds to 1.
            Number const limit(20.0), number = select(x == x, x, Number(0.0));
            return select(x == x, Number(xsimd::tanh(min(limit, max(-limit, number)).value)), x);
        }
    }
};

// In float, tanh to 6e-5 and gates to 3e-5 of 1, with fewer products; in double as accurate.
struct fast : detail::gates_by_tanh<fast> {
    template <class Number>
    SEQUENT_HD static Number tanh(Number const& x) {
        if constexpr (std::is_same_v<typename Number::value_type, float>) {
            constexpr float p[] = {0x1.fff932p-1f, 0x1.a380e6p-4f, 0x1.5f923cp-11f};
            constexpr float q[] = {1.0f, 0x1.bde212p-2f, 0x1.a4155ap-7f};
            return detail::rational_tanh(x, 5.0f, p, q);
        } else {
            return accurate::tanh(x);
        }
    }
};

}  // namespace sequent
