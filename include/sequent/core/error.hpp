// The exceptions of the library. Every message names what is wrong: file and place, size, tensor or option.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sequent {

// Concatenates its arguments as an output stream would write them: message("expected ", 4, " columns, got ", n).
[[nodiscard]] std::string message(auto const&... parts) {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    (out << ... << parts);
    return out.str();
}

// Base of all that the library throws on purpose. what: as for message().
struct error : std::runtime_error {
    explicit error(auto const&... what) : std::runtime_error(message(what...)) {}
};

// An argument does not fit: a size, a value or an option. Where PyTorch raises RuntimeError, ValueError or IndexError.
struct argument_error : error {
    using error::error;
};

// Throws argument_error(message(parts...)) unless the condition holds.
void require(bool condition, auto const&... parts) {
    if (!condition) throw argument_error(message(parts...));
}

// A file is missing, unreadable, damaged or not what it claims to be.
struct file_error : error {
    // place: "line 12", "byte 8", "tensor 'fc.weight'", or empty when the whole file is meant.
    file_error(std::string_view file, std::string_view place, auto const&... what)
        : error(file, ": ", place, place.empty() ? "" : ": ", what...) {}
};

// A computation left the finite numbers: names the step and the tensor.
struct numeric_error : error {
    using error::error;
};

}  // namespace sequent
