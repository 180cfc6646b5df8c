#include "sequent/backend/cuda/precision.hpp"

#include <limits>

#include "catch.hpp"

using namespace sequent;

namespace {
constexpr precision formats[] = {precision::f32x3, precision::f32, precision::tf32, precision::bf16, precision::f16};
}

TEST_CASE("precision: 16-bit numbers survive the way to float and back") {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        auto const half = static_cast<std::uint16_t>(bits);
        if (float const value = from_bf16(half); value == value) {
            REQUIRE(bf16_bits(value) == half);
        }
        if (float const value = from_f16(half); value == value) {
            REQUIRE(f16_bits(value) == half);
        }
    }
}

TEST_CASE("precision: rounds to nearest, ties to even") {
    CHECK(from_bf16(bf16_bits(1 + 0x1p-8f)) == 1.0f);         // a tie: to the even fraction
    CHECK(from_bf16(bf16_bits(1 + 0x3p-8f)) == 1 + 0x1p-6f);  // a tie: up
    CHECK(from_bf16(bf16_bits(1 + 0x1.8p-8f)) == 1 + 0x1p-7f);
    CHECK(from_f16(f16_bits(1 + 0x1p-11f)) == 1.0f);
    CHECK(from_f16(f16_bits(1 + 0x3p-11f)) == 1 + 0x1p-9f);
    CHECK(from_f16(f16_bits(0x1p-25f)) == 0.0f);  // half the smallest subnormal
    CHECK(from_f16(f16_bits(0x1.8p-25f)) == 0x1p-24f);
    CHECK(std::isinf(from_f16(f16_bits(65520.0f))));
    CHECK(from_f16(f16_bits(65519.0f)) == 65504.0f);
    CHECK(rounded(precision::tf32, 1 + 0x1p-11f) == 1 + 0x1p-10f);  // a tie: away from zero
    CHECK(rounded(precision::tf32, 1 + 0x1.8p-12f) == 1.0f);
}

TEST_CASE("precision: bf16 in memory; what is not finite stays so") {
    float const infinity = std::numeric_limits<float>::infinity();
    CHECK(static_cast<float>(bf16_number{bf16_bits(-1.5f)}) == -1.5f);
    CHECK(static_cast<float>(bf16_number{bf16_bits(-infinity)}) == -infinity);
    CHECK(std::isinf(from_bf16(bf16_bits(std::numeric_limits<float>::max()))));
    CHECK(std::isnan(from_bf16(bf16_bits(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("precision: what a product reads is within the format's own error") {
    auto const error_of = [](precision format) {
        switch (format) {
        case precision::f32:
            return 0.0f;
        case precision::f32x3:
            return 0x1p-16f;
        case precision::bf16:
            return 0x1p-8f;
        default:
            return 0x1p-11f;
        }
    };
    for (precision const format : formats) {
        INFO(name(format));
        float worst = 0;
        for (float value = 0.01f; value < 100; value *= 1.0137f) {
            worst = std::max(worst, std::abs(rounded(format, value) - value) / value);
            REQUIRE(rounded(format, -value) == -rounded(format, value));
        }
        CHECK(worst <= error_of(format));
        if (format != precision::f32) CHECK(worst > error_of(format) / 4);
        CHECK(std::isnan(rounded(format, std::numeric_limits<float>::quiet_NaN())));
    }
}

TEST_CASE("precision: gradients are never multiplied in f16") {
    for (precision const format : formats) CHECK(backward_format(format) != precision::f16);
    CHECK(backward_format(precision::f16) == precision::bf16);
    CHECK(backward_format(precision::f32x3) == precision::f32x3);
}
