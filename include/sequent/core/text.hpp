// Numbers as text and back.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace sequent {

// The digits that read back as the same number.
template <class Number>
[[nodiscard]] std::string number_text(Number value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

// The number that takes up the whole text; nothing where that is none, or does not fit.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    char const* const last = text.data() + text.size();
    auto const [end, failure] = std::from_chars(text.data(), last, value);
    return failure == std::errc{} && end == last ? std::optional(value) : std::nullopt;
}

}  // namespace sequent
