// Streams the rows of a CSV file: the default dialect of Python's csv.reader, strict about damage.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

struct csv_limits {
    std::size_t max_field = std::size_t{1} << 20;  // bytes
    std::size_t max_columns = 4096;
    std::int64_t max_rows = std::int64_t{1} << 31;
    std::uint64_t max_file = std::uint64_t{1} << 36;  // bytes
    std::size_t block = std::size_t{1} << 18;         // bytes read at once
};

// Fields are separated by commas and may be quoted; in quotes a doubled `"` stands for one, and commas and newlines are
// text. There is no escape character; a `"` inside an unquoted field is text; an empty line is a row without fields.
// Rows end in LF or CR LF, the last one may end with the file. A UTF-8 byte order mark is skipped; the encoding is not
// checked.
//
// file_error, with the line: a quote never closed (the line where it opened), text after a closing quote, a CR without
// LF, a NUL byte, a limit.
class csv_reader {
  public:
    explicit csv_reader(std::filesystem::path const& path, csv_limits limits = {})
        : csv_reader(std::make_unique<std::ifstream>(path, std::ios::binary), path.string(), limits) {}

    csv_reader(std::unique_ptr<std::istream> in, std::string name, csv_limits limits = {})
        : in_(std::move(in)), name_(std::move(name)), limits_(limits) {
        if (!*in_) throw file_error(name_, "", "cannot be opened");
        if (limits_.block == 0) throw argument_error("csv_reader: blocks of 0 bytes");
        while (size_ < 3 && fill()) {}
        if (std::string_view(buffer_.data(), size_).starts_with("\xEF\xBB\xBF")) at_ = 3;
    }

    // Goes to the next row; false at the end of the file.
    [[nodiscard]] bool next() {
        row_ += at_;
        size_ -= at_;
        at_ = 0;
        extents_.clear();
        fields_.clear();
        line_ = next_line_;
        if (!more()) return false;
        if (++rows_ > limits_.max_rows) fail(line_, message("more than ", limits_.max_rows, " rows"));
        do {
            if (extents_.size() == limits_.max_columns)
                fail(line_, message("more than ", limits_.max_columns, " columns"));
            extents_.push_back(more() && row()[at_] == '"' ? quoted_field() : plain_field());
        } while (more() && !ends_row());
        if (extents_.size() == 1 && extents_[0].end == 0) extents_.clear();  // an empty line
        for (extent const& field : extents_) fields_.emplace_back(row() + field.begin, field.end - field.begin);
        return true;
    }

    // The fields of the row; the views stay valid until next().
    [[nodiscard]] std::span<std::string_view const> fields() const { return fields_; }

    // The line, from 1, on which the row begins.
    [[nodiscard]] std::uint64_t line() const { return line_; }

    // Throws a file_error that names the file, the line of the row, and the column, from 1, if it is not 0.
    [[noreturn]] void reject(std::size_t column, std::string_view what) const {
        fail(line_, column == 0 ? std::string(what) : message("column ", column, ": ", what));
    }

  private:
    struct extent {
        std::size_t begin, end;
    };

    std::unique_ptr<std::istream> in_;
    std::string name_;
    csv_limits limits_;
    std::vector<char> buffer_;
    std::size_t row_ = 0;   // where the row begins in buffer_; the next positions count from there
    std::size_t size_ = 0;  // bytes at hand
    std::size_t at_ = 0;    // the next byte to look at
    std::vector<extent> extents_;
    std::vector<std::string_view> fields_;
    std::uint64_t line_ = 1, next_line_ = 1, total_ = 0;
    std::int64_t rows_ = 0;

    char* row() { return buffer_.data() + row_; }
    bool more() { return at_ < size_ || fill(); }

    [[noreturn]] void fail(std::uint64_t line, std::string_view what) const {
        throw file_error(name_, message("line ", line), what);
    }

    // Reads another block behind the bytes at hand; the begun row moves to the front, fields in it stay where they are.
    bool fill() {
        if (in_->eof()) return false;
        if (row_ != 0) std::memmove(buffer_.data(), row(), size_);
        row_ = 0;
        if (buffer_.size() < size_ + limits_.block) buffer_.resize(size_ + std::max(size_, limits_.block));
        in_->read(buffer_.data() + size_, static_cast<std::streamsize>(limits_.block));
        if (in_->bad()) throw file_error(name_, "", "cannot be read");
        auto const taken = static_cast<std::size_t>(in_->gcount());
        if ((total_ += taken) > limits_.max_file)
            throw file_error(name_, "", message("has more than ", limits_.max_file, " bytes"));
        size_ += taken;
        return taken != 0;
    }

    // Steps over what ended a field; false for a comma.
    bool ends_row() {
        char const byte = row()[at_++];
        if (byte == ',') return false;
        if (byte == '\r') {
            if (!more() || row()[at_] != '\n') fail(next_line_, "a carriage return without a newline");
            ++at_;
        }
        ++next_line_;
        return true;
    }

    extent plain_field() {
        std::size_t const begin = at_;
        for (; more(); ++at_) {
            char const byte = row()[at_];
            if (byte == ',' || byte == '\n' || byte == '\r') break;
            if (byte == '\0') fail(next_line_, "a NUL byte");
            check_length(begin, at_ + 1);
        }
        return {begin, at_};
    }

    // Moves the text over the second quote of each pair, so that it ends up in one piece.
    extent quoted_field() {
        std::uint64_t const opened = next_line_;
        std::size_t const begin = ++at_;
        std::size_t end = begin;
        for (;;) {
            if (!more()) fail(opened, "the quote that opens here is never closed");
            char const* const from = row() + at_;
            auto const* const quote = static_cast<char const*>(std::memchr(from, '"', size_ - at_));
            std::size_t const length = quote != nullptr ? static_cast<std::size_t>(quote - from) : size_ - at_;
            auto const* const nul = static_cast<char const*>(std::memchr(from, '\0', length));
            next_line_ += static_cast<std::uint64_t>(std::count(from, nul != nullptr ? nul : from + length, '\n'));
            if (nul != nullptr) fail(next_line_, "a NUL byte");
            if (end != at_) std::memmove(row() + end, from, length);
            end += length;
            at_ += length;
            check_length(begin, end);
            if (quote == nullptr) continue;
            ++at_;
            if (!more() || row()[at_] != '"') break;
            row()[end++] = '"';
            ++at_;
        }
        if (more() && row()[at_] != ',' && row()[at_] != '\n' && row()[at_] != '\r')
            fail(next_line_, "text after a closing quote");
        return {begin, end};
    }

    void check_length(std::size_t begin, std::size_t end) const {
        if (end - begin > limits_.max_field)
            fail(next_line_, message("a field of more than ", limits_.max_field, " bytes"));
    }
};

}  // namespace sequent
