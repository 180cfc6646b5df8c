// What the binary formats share: checked sizes, numbers as files hold them, and untrusted text made fit for a message.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

// Numbers that are copied between memory and file as they are: files are little-endian, so the machine must be too.
template <class T>
concept stored_number = std::endian::native == std::endian::little &&
                        ((std::integral<T> && !std::same_as<T, bool>) || std::same_as<T, float> ||
                         std::same_as<T, double>);

// The number of elements times element_bytes, or nothing if a partial product does not fit. An empty shape is a scalar.
[[nodiscard]] constexpr std::optional<std::size_t> dense_bytes(std::span<std::size_t const> shape,
                                                               std::size_t element_bytes) {
    std::size_t elements = 1, bytes = 0;
    for (std::size_t const dimension : shape)
        if (__builtin_mul_overflow(elements, dimension, &elements)) return {};
    if (__builtin_mul_overflow(elements, element_bytes, &bytes)) return {};
    return bytes;
}

// The T whose bytes start at index; the caller has checked that they are there.
template <class T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] T load_number(std::span<std::byte const> bytes, std::size_t index) {
    T value;
    std::memcpy(&value, bytes.data() + index, sizeof value);
    return value;
}

// IEEE 754 binary16: 1 sign, 5 exponent and 10 mantissa bits.
struct float16_bits {
    std::uint16_t bits;

    explicit constexpr operator float() const {
        std::uint32_t const sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31u, mantissa = bits & 1023u;
        std::uint32_t magnitude = (exponent + 112) << 23 | mantissa << 13;  // bias 15 to 127
        if (exponent == 0)
            magnitude = std::bit_cast<std::uint32_t>(static_cast<float>(mantissa) * 0x1p-24f);  // subnormal
        if (exponent == 31) magnitude = 0x7F800000u | mantissa << 13;                           // infinity, NaN
        return std::bit_cast<float>(sign | magnitude);
    }
};

// The upper half of a float.
struct bfloat16_bits {
    std::uint16_t bits;

    explicit constexpr operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

// The numbers that a file holds as numbers of type Stored. Nothing is lost but the rounding of double to float; a
// finite double beyond the range of float is a file_error.
template <class Number, class Stored>
requires std::same_as<Stored, Number> || std::floating_point<Number>
[[nodiscard]] std::vector<Number> load_numbers(std::span<std::byte const> bytes, std::string_view file,
                                               std::string_view place) {
    using value = std::conditional_t<sizeof(Stored) == 2 && std::floating_point<Number>, float, Stored>;
    std::vector<Number> numbers(bytes.size() / sizeof(Stored));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        auto const stored = static_cast<value>(load_number<Stored>(bytes, i * sizeof(Stored)));
        if constexpr (std::floating_point<value> && sizeof(value) > sizeof(Number))
            if (std::isfinite(stored) && std::abs(stored) > std::numeric_limits<Number>::max())
                throw file_error(file, place, "element ", i, " is beyond the range of float");
        numbers[i] = static_cast<Number>(stored);
    }
    return numbers;
}

// Text of a hostile file in a message: printable ASCII in single quotes, other bytes as \xNN, cut after 64 bytes.
[[nodiscard]] inline std::string in_quotes(std::string_view text) {
    constexpr std::size_t limit = 64;
    constexpr char digits[] = "0123456789abcdef";
    std::string result = "'";
    for (char const character : text.substr(0, limit)) {
        auto const code = static_cast<unsigned char>(character);
        if (code >= 0x20 && code < 0x7F)
            result += character;
        else
            result += {'\\', 'x', digits[code / 16], digits[code % 16]};
    }
    return result + (text.size() > limit ? "...'" : "'");
}

}  // namespace sequent
