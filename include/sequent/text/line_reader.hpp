// Reads text from a file or a stream, line by line, within limits.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <utility>

#include "../core/error.hpp"
#include "../core/text.hpp"

namespace sequent {

// What the readers of text take: the path of a file, or a stream and the name that messages give it.
class text_source {
    std::ifstream file_;

  public:
    std::istream& in;
    std::string const name;

    // Throws file_error where the file cannot be opened.
    text_source(std::convertible_to<std::filesystem::path> auto const& path)
        : file_(path, std::ios::binary), in(file_), name(std::filesystem::path(path).string()) {
        if (!in) throw file_error(name, "", "cannot be opened");
    }
    text_source(std::istream& stream, std::string called) : in(stream), name(std::move(called)) {}
    text_source(text_source const&) = delete;
};

struct line_limits {
    std::size_t max_line = std::size_t{1} << 20;      // bytes
    std::uint64_t max_file = std::uint64_t{1} << 36;  // bytes
    bool may_end_open = false;                        // the last line may lack its LF
};

// Lines end in LF, the last one too: a file whose last line does not end was cut off and is refused, unless allowed.
class line_reader {
  public:
    explicit line_reader(text_source const& from, line_limits limits = {})
        : from_(from), limits_(limits), line_(limits.max_line + 1, '\0') {}

    // The next line without its LF, valid until the next call; false at the end of the file.
    [[nodiscard]] bool next(std::string_view& line) {
        from_.in.getline(line_.data(), static_cast<std::streamsize>(line_.size()));
        auto const taken = static_cast<std::size_t>(from_.in.gcount());
        if (from_.in.bad()) throw file_error(from_.name, "", "cannot be read");
        ended_ = !from_.in.eof();
        if (!ended_ && taken == 0) return false;
        ++number_;
        if ((bytes_ += taken) > limits_.max_file) reject("the file has more than ", limits_.max_file, " bytes");
        if (!ended_ && !limits_.may_end_open) reject("the last line does not end: the file is cut off");
        if (from_.in.fail()) reject("the line has more than ", limits_.max_line, " bytes");
        line = std::string_view(line_).substr(0, ended_ ? taken - 1 : taken);
        return true;
    }

    // Of the line that next() gave last: its number, from 1, and whether it ends in LF.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] bool ended() const { return ended_; }

    // Throws a file_error with that line.
    [[noreturn]] void reject(auto const&... what) const {
        throw file_error(from_.name, message("line ", number_), what...);
    }

  private:
    text_source const& from_;
    line_limits limits_;
    std::string line_;
    std::uint64_t number_ = 0, bytes_ = 0;
    bool ended_ = false;
};

}  // namespace sequent
