// What a drawing is made of: escaped text, elements of SVG, round numbers for an axis.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../common/number_text.hpp"
#include "sequent/core/error.hpp"

namespace news {

namespace detail {
// The bytes that the character at the start of `text` takes, 0 where XML 1.0 has no such character or it is not UTF-8.
constexpr std::size_t xml_character(std::string_view text) {
    auto const byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    unsigned const lead = byte(0);
    if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
    std::size_t const length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 ? 4 : 0;
    std::uint32_t code = lead & (0xFFu >> (length + 1));
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte(at) & 0x3F);
    }
    bool const shortest = length == 2 || (length == 3 && code >= 0x800) || (length == 4 && code >= 0x10000);
    bool const surrogate = code >= 0xD800 && code < 0xE000, nothing = code == 0xFFFE || code == 0xFFFF;
    return shortest && !surrogate && !nothing && code <= 0x10FFFF ? length : 0;
}
}  // namespace detail

// Text for SVG and HTML, in an element or in a quoted attribute. What is no character becomes U+FFFD.
[[nodiscard]] inline std::string escaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::size_t const length = detail::xml_character(text);
        switch (text.front()) {
        case '&':
            result += "&amp;";
            break;
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '"':
            result += "&quot;";
            break;
        case '\'':
            result += "&#39;";
            break;
        default:
            if (length == 0) result += "\xEF\xBF\xBD";
            result += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

// 1234567 is "1,234,567".
[[nodiscard]] inline std::string grouped(std::int64_t value) {
    std::string text = std::to_string(value);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (value < 0 ? 1 : 0); at -= 3)
        text.insert(static_cast<std::size_t>(at), 1, ',');
    return text;
}

// 0.125 is "12.5%"; "-" where there is no such number.
[[nodiscard]] inline std::string percent(double share, int digits) {
    return std::isfinite(share) ? fixed(100 * share, digits) + "%" : "-";
}

// Round numbers, equally far apart, from one that is not above `low` to one that is not below `high`.
struct ticks {
    double first = 0, step = 1;
    int count = 2;

    [[nodiscard]] double operator[](int tick) const { return first + tick * step; }
    [[nodiscard]] double last() const { return (*this)[count - 1]; }
    [[nodiscard]] int digits() const { return std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))); }
};

// About `wanted` ticks, at least two, apart by 1, 2 or 5 times a power of ten and no less than `finest`.
[[nodiscard]] inline ticks round_ticks(double low, double high, int wanted, double finest = 1e-9) {
    if (!(low <= high) || !(high - low < 1e300)) return {};
    double const step_wanted =
        std::max({(high - low) / wanted, finest, std::max(std::abs(low), std::abs(high)) * 1e-9});
    double const power = std::pow(10, std::floor(std::log10(step_wanted) + 1e-9));
    double const ratio = step_wanted / power;
    double const step = power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
    double const first = std::floor(low / step + 1e-9), last = std::max(std::ceil(high / step - 1e-9), first + 1);
    return {first * step, step, static_cast<int>(last - first) + 1};
}

// Elements, one a line. Numbers are pixels; `look` is a class of the style sheet.
class svg_writer {
  public:
    [[nodiscard]] std::string const& text() const { return out_; }

    void raw(std::string_view markup) { out_.append(markup) += '\n'; }
    void label(double x, double y, std::string_view look, std::string_view text) {
        raw(sequent::message("<text x=\"", at(x), "\" y=\"", at(y), "\" class=\"", look, "\">", escaped(text),
                             "</text>"));
    }
    void line(double x1, double y1, double x2, double y2, std::string_view look) {
        raw(sequent::message("<line x1=\"", at(x1), "\" y1=\"", at(y1), "\" x2=\"", at(x2), "\" y2=\"", at(y2),
                             "\" class=\"", look, "\"/>"));
    }
    void box(double x, double y, double width, double height, std::string_view look, double opacity = 1) {
        raw(sequent::message("<rect x=\"", at(x), "\" y=\"", at(y), "\" width=\"", at(width), "\" height=\"",
                             at(height), "\" class=\"", look,
                             opacity < 1 ? "\" fill-opacity=\"" + fixed(opacity, 3) : "", "\"/>"));
    }
    void dot(double x, double y, double radius, std::string_view look) {
        raw(sequent::message("<circle cx=\"", at(x), "\" cy=\"", at(y), "\" r=\"", at(radius), "\" class=\"", look,
                             "\"/>"));
    }

    struct place {
        double x, y;
    };
    void path(std::vector<place> const& places, std::string_view look) {
        std::string points;
        for (place const& one : places) points += (points.empty() ? "" : " ") + at(one.x) + "," + at(one.y);
        raw(sequent::message("<polyline points=\"", points, "\" class=\"", look, "\"/>"));
    }

  private:
    // A tenth of a pixel is enough.
    static std::string at(double value) {
        std::string text = fixed(value, 1);
        return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
    }

    std::string out_;
};

}  // namespace news
