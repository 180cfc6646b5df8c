// The number formats that the recurrent product may be multiplied in, and how they round. Sums, cell states and all of
// the cell's equations are float in every one of them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "../../config.hpp"

namespace sequent {

// f32x3: both factors as the sum of two bf16 numbers, about 17 bits, on the tensor cores; the default for float.
// f32: fused multiply-adds in float, for parity with other backends; slow.
// tf32: 11 bits. bf16: 8 bits. f16: 11 bits of a narrow range; its backward product is made in bf16, whose range
// gradients need.
enum class precision { f32x3, f32, tf32, bf16, f16 };

[[nodiscard]] constexpr std::string_view name(precision format) {
    switch (format) {
    case precision::f32x3:
        return "f32x3";
    case precision::f32:
        return "f32";
    case precision::tf32:
        return "tf32";
    case precision::bf16:
        return "bf16";
    case precision::f16:
        return "f16";
    }
    return "unknown";
}

// The format of the backward product, whose operands are gradients.
[[nodiscard]] constexpr precision backward_format(precision format) {
    return format == precision::f16 ? precision::bf16 : format;
}

// The bits of a number in each format, rounded as the device's conversions do: to nearest, ties to even (tf32: away).
[[nodiscard]] SEQUENT_HD constexpr std::uint16_t bf16_bits(float value) {
    std::uint32_t const bits = __builtin_bit_cast(std::uint32_t, value);  // std::bit_cast is not for devices
    if (value != value) return 0x7FFF;
    return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}
[[nodiscard]] SEQUENT_HD constexpr float from_bf16(std::uint16_t bits) {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits) << 16);
}
// One in memory: what a product reads whose factors are bf16.
struct bf16_number {
    std::uint16_t bits;
    SEQUENT_HD explicit constexpr operator float() const { return from_bf16(bits); }
};

[[nodiscard]] constexpr std::uint32_t tf32_bits(float value) {
    std::uint32_t const bits = std::bit_cast<std::uint32_t>(value);
    return value != value ? 0x7FFFFFFF : (bits + 0x1000) & ~std::uint32_t{0x1FFF};
}

[[nodiscard]] inline float from_f16(std::uint16_t bits) {
    int const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    float const magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                            : exponent == 31 ? (fraction == 0 ? HUGE_VALF : NAN)
                                             : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}
[[nodiscard]] inline std::uint16_t f16_bits(float value) {
    std::uint32_t const sign = (std::bit_cast<std::uint32_t>(value) >> 16) & 0x8000;
    float const magnitude = std::fabs(value);
    std::uint32_t bits;
    if (value != value)
        bits = 0x7FFF;
    else if (magnitude >= 65520.0f)  // half a step beyond the largest number
        bits = 0x7C00;
    else if (magnitude < 0x1p-14f)  // subnormal: a multiple of 2^-24
        bits = static_cast<std::uint32_t>(std::nearbyint(magnitude * 0x1p24f));
    else {
        std::uint32_t const exact = std::bit_cast<std::uint32_t>(magnitude) - (112u << 23);  // the other bias
        bits = (exact + 0xFFF + ((exact >> 13) & 1)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | bits);
}

// What is left of a number that the product of this format reads: the tests' references round at the same place.
[[nodiscard]] inline float rounded(precision format, float value) {
    switch (format) {
    case precision::f32:
        return value;
    case precision::tf32:
        return std::bit_cast<float>(tf32_bits(value));
    case precision::bf16:
        return from_bf16(bf16_bits(value));
    case precision::f16:
        return from_f16(f16_bits(value));
    case precision::f32x3: {
        float const high = from_bf16(bf16_bits(value));
        return high + from_bf16(bf16_bits(value - high));
    }
    }
    return value;
}

}  // namespace sequent
