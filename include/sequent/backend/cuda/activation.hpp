// The activations of the device's kernels (the four functions of cell/cell.hpp). On the host the same formulas
// run on the standard library, so that the emulator sees the device's errors in kind.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "../../cell/cell.hpp"
#include "../../core/number.hpp"
#include "precision.hpp"

namespace sequent {

namespace detail {
SEQUENT_HD float device_exp2(float x) {
#if defined(__CUDA_ARCH__)
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return std::exp2(x);
#endif
}
SEQUENT_HD float device_reciprocal(float x) {
#if defined(__CUDA_ARCH__)
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return 1.0f / x;
#endif
}
// Relative error up to 2^-11. The host's has all of it, up and down by turns.
SEQUENT_HD float device_tanh(float x) {
#if defined(__CUDA_ARCH__)
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    float const y = std::tanh(x) * ((std::bit_cast<std::uint32_t>(x) & 1) != 0 ? 1 + 0x1p-11f : 1 - 0x1p-11f);
    return y > 1 ? 1.0f : y < -1 ? -1.0f : y;
#endif
}
}  // namespace detail

// Within about 2e-7 of 1; two special-function operations each.
struct device_fast : precise {
    SEQUENT_HD static float sigmoid(float x) {
        return detail::device_reciprocal(1.0f + detail::device_exp2(-1.442695041f * x));
    }
    // Near 0 a series keeps the relative error as small as the absolute one.
    SEQUENT_HD static float tanh(float x) {
        float const square = x * x;
        float series = fma(square, -1382.0f / 155925.0f, 62.0f / 2835.0f);
        series = fma(square, series, -17.0f / 315.0f);
        series = fma(square, series, 2.0f / 15.0f);
        series = fma(square, series, -1.0f / 3.0f);
        float const small = fma(x * square, series, x);
        float const large = fma(2.0f, sigmoid(2.0f * x), -1.0f);
        return square < 0.16f ? small : large;
    }
};

// One special-function operation each; as exact as bf16's and f16's products deserve.
struct device_approximate : precise {
    SEQUENT_HD static float tanh(float x) { return detail::device_tanh(x); }
    SEQUENT_HD static float sigmoid(float x) { return fma(0.5f, detail::device_tanh(0.5f * x), 0.5f); }
};

namespace detail {
template <precision Format>
struct activations_of {
    using type = device_fast;
};
template <>
struct activations_of<precision::f32> {
    using type = precise;
};
template <>
struct activations_of<precision::bf16> {
    using type = device_approximate;
};
template <>
struct activations_of<precision::f16> {
    using type = device_approximate;
};
}  // namespace detail

template <precision Format>
using activations = typename detail::activations_of<Format>::type;

}  // namespace sequent
