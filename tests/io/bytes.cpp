#include "sequent/io/bytes.hpp"

#include <array>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;

TEST_CASE("dense_bytes multiplies or says that the product does not fit") {
    constexpr std::size_t huge = std::size_t{1} << 63;
    struct {
        std::vector<std::size_t> shape;
        std::size_t element_bytes;
        std::optional<std::size_t> expected;
    } const cases[] = {
        {{}, 4, 4},
        {{1, 2, 3}, 4, 24},
        {{5, 0}, 8, 0},
        {{0, huge, huge}, 8, 0},
        {{huge, huge, 0}, 8, std::nullopt},  // a partial product overflows, as in the reference implementation
        {{huge}, 1, huge},
        {{huge}, 2, std::nullopt},
        {{huge, 2}, 1, std::nullopt},
        {{SIZE_MAX}, 1, SIZE_MAX},
        {{SIZE_MAX, SIZE_MAX}, 1, std::nullopt},
    };
    for (auto const& [shape, element_bytes, expected] : cases) {
        CAPTURE(shape, element_bytes);
        CHECK(dense_bytes(shape, element_bytes) == expected);
    }
}

TEST_CASE("float16_bits and bfloat16_bits have the values their formats define, for all bit patterns") {
    // mantissa_bits after the implicit one; the exponent's largest value means infinity or NaN.
    auto const value = [](unsigned bits, int exponent_bits, int mantissa_bits) {
        int const exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
        int const mantissa = static_cast<int>(bits) & ((1 << mantissa_bits) - 1);
        int const bias = (1 << (exponent_bits - 1)) - 1;
        double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissa_bits)
                                         : std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
        if (exponent == (1 << exponent_bits) - 1) magnitude = mantissa == 0 ? INFINITY : NAN;
        return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
    };
    auto const same = [](double expected, float actual) {
        return std::isnan(expected) ? std::isnan(actual)
                                    : expected == actual && std::signbit(expected) == std::signbit(actual);
    };
    int wrong = 0;
    for (unsigned bits = 0; bits < 65536; ++bits) {
        auto const word = static_cast<std::uint16_t>(bits);
        wrong += !same(value(bits, 5, 10), static_cast<float>(float16_bits{word}));
        wrong += !same(value(bits, 8, 7), static_cast<float>(bfloat16_bits{word}));
    }
    CHECK(wrong == 0);
    CHECK(static_cast<float>(float16_bits{0x3C00}) == 1.f);
    CHECK(static_cast<float>(float16_bits{0x7BFF}) == 65504.f);
    CHECK(static_cast<float>(bfloat16_bits{0x3F80}) == 1.f);
}

TEST_CASE("load_numbers converts, keeps what is not finite, and refuses what float cannot hold") {
    std::array const doubles{1.5, double{INFINITY}, double{NAN}, 0.1, 1e39};
    auto const floats = [&](std::size_t count) {
        return load_numbers<float, double>(std::as_bytes(std::span(doubles).first(count)), "file", "place");
    };
    auto const numbers = floats(4);
    CHECK(numbers[0] == 1.5f);
    CHECK(numbers[1] == INFINITY);
    CHECK(std::isnan(numbers[2]));
    CHECK(numbers[3] == 0.1f);
    CHECK(sequent_tests::thrown<file_error>([&] { (void)floats(5); }) ==
          "file: place: element 4 is beyond the range of float");

    CHECK(load_numbers<double, float16_bits>(sequent_tests::bytes_of({"\x00\x3C\x00\xC0", 4}), "file", "") ==
          std::vector{1.0, -2.0});
    CHECK(load_numbers<float, float>({}, "file", "").empty());
}

TEST_CASE("in_quotes makes any bytes fit for a terminal") {
    CHECK(in_quotes("fc.weight") == "'fc.weight'");
    CHECK(in_quotes("a\x1b[2J\n\x7f\xc3\xa9") == R"('a\x1b[2J\x0a\x7f\xc3\xa9')");
    CHECK(in_quotes(std::string(64, 'x')) == "'" + std::string(64, 'x') + "'");
    CHECK(in_quotes(std::string(65, 'x')) == "'" + std::string(64, 'x') + "...'");
}
