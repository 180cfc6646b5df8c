// Reads a text file line by line, within limits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "../core/error.hpp"

namespace sequent {

// Opens a file for reading its bytes; file_error where that fails.
[[nodiscard]] inline std::ifstream open_for_reading(std::filesystem::path const& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw file_error(path.string(), "", "cannot be opened");
    return in;
}

struct line_limits {
    std::size_t max_line = std::size_t{1} << 20;      // bytes
    std::uint64_t max_file = std::uint64_t{1} << 36;  // bytes
};

// Lines end in LF, the last one too: a file whose last line does not end was cut off and is refused.
class line_reader {
  public:
    line_reader(std::istream& in, std::string name, line_limits limits = {})
        : in_(in), name_(std::move(name)), limits_(limits), line_(limits.max_line + 1, '\0') {}

    // The next line without its LF, valid until the next call; false at the end of the file.
    [[nodiscard]] bool next(std::string_view& line) {
        in_.getline(line_.data(), static_cast<std::streamsize>(line_.size()));
        auto const taken = static_cast<std::size_t>(in_.gcount());
        if (in_.bad()) throw file_error(name_, "", "cannot be read");
        if (in_.eof() && taken == 0) return false;
        ++number_;
        if ((bytes_ += taken) > limits_.max_file)
            reject(message("the file has more than ", limits_.max_file, " bytes"));
        if (in_.eof()) reject("the last line does not end: the file is cut off");
        if (in_.fail()) reject(message("the line has more than ", limits_.max_line, " bytes"));
        line = std::string_view(line_).substr(0, taken - 1);
        return true;
    }

    // From 1; the number of the line that next() gave last.
    [[nodiscard]] std::uint64_t number() const { return number_; }

    [[noreturn]] void reject(std::string_view what) const { throw file_error(name_, message("line ", number_), what); }

  private:
    std::istream& in_;
    std::string name_;
    line_limits limits_;
    std::string line_;
    std::uint64_t number_ = 0, bytes_ = 0;
};

}  // namespace sequent
