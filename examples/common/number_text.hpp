// Numbers as the programs print them.
#pragma once

#include <charconv>
#include <cmath>
#include <string>

namespace news {

// With this many digits behind the point; "nan", "inf", "-inf".
[[nodiscard]] inline std::string fixed(double value, int digits) {
    if (std::isnan(value)) return "nan";
    char text[400];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

}  // namespace news
