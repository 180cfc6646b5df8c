// Streams the rows of a CSV file: the default dialect of Python's csv.reader, strict about damage.
#pragma once

#include <algorithm>
#include <cstdint>
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
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        buffer_.resize(std::max(limits_.block, mark.size()));
        fill(mark.size());
        if (std::string_view(buffer_.data(), size_) == mark) at_ = size_;
    }

    // Goes to the next row; false at the end of the file.
    [[nodiscard]] bool next() {
        text_.clear();
        ends_.clear();
        fields_.clear();
        line_ = next_line_;
        if (!more()) return false;
        if (++rows_ > limits_.max_rows) fail(line_, message("more than ", limits_.max_rows, " rows"));
        bool quoted = false;
        do {
            if (ends_.size() == limits_.max_columns)
                fail(line_, message("more than ", limits_.max_columns, " columns"));
            quoted = more() && buffer_[at_] == '"';
            quoted ? quoted_field() : plain_field();
            ends_.push_back(text_.size());
        } while (more() && !ends_row());
        if (ends_.size() == 1 && text_.empty() && !quoted) ends_.clear();  // an empty line
        for (std::size_t begin = 0; std::size_t const end : ends_) {
            fields_.push_back(std::string_view(text_).substr(begin, end - begin));
            begin = end;
        }
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
    std::unique_ptr<std::istream> in_;
    std::string name_;
    csv_limits limits_;
    std::vector<char> buffer_;
    std::size_t at_ = 0, size_ = 0;  // in buffer_: the next byte to look at, and the end of those at hand
    std::string text_;               // the row's fields without their quotes, one after the other
    std::vector<std::size_t> ends_;  // of each field in text_
    std::vector<std::string_view> fields_;
    std::uint64_t line_ = 1, next_line_ = 1, total_ = 0;
    std::int64_t rows_ = 0;

    [[noreturn]] void fail(std::uint64_t line, std::string_view what) const {
        throw file_error(name_, message("line ", line), what);
    }

    // Whether there is another byte at at_.
    bool more() { return at_ < size_ || fill(buffer_.size()); }

    bool fill(std::size_t bytes) {
        in_->read(buffer_.data(), static_cast<std::streamsize>(bytes));
        if (in_->bad()) throw file_error(name_, "", "cannot be read");
        at_ = 0;
        size_ = static_cast<std::size_t>(in_->gcount());
        if ((total_ += size_) > limits_.max_file)
            throw file_error(name_, "", message("has more than ", limits_.max_file, " bytes"));
        return size_ > 0;
    }

    bool ends_field() const { return buffer_[at_] == ',' || buffer_[at_] == '\n' || buffer_[at_] == '\r'; }

    // Steps over what ended a field; false for a comma.
    bool ends_row() {
        char const byte = buffer_[at_++];
        if (byte == ',') return false;
        if (byte == '\r' && !(more() && buffer_[at_++] == '\n'))
            fail(next_line_, "a carriage return without a newline");
        ++next_line_;
        return true;
    }

    void append(char byte) {
        if (byte == '\0') fail(next_line_, "a NUL byte");
        text_.push_back(byte);
        if (text_.size() - (ends_.empty() ? 0 : ends_.back()) > limits_.max_field)
            fail(next_line_, message("a field of more than ", limits_.max_field, " bytes"));
    }

    void plain_field() {
        for (; more() && !ends_field(); ++at_) append(buffer_[at_]);
    }

    void quoted_field() {
        std::uint64_t const opened = next_line_;
        for (++at_;; ++at_) {
            if (!more()) fail(opened, "the quote that opens here is never closed");
            if (buffer_[at_] == '"') {
                ++at_;
                if (!more() || buffer_[at_] != '"') break;
            }
            if (buffer_[at_] == '\n') ++next_line_;
            append(buffer_[at_]);
        }
        if (more() && !ends_field()) fail(next_line_, "text after a closing quote");
    }
};

}  // namespace sequent
