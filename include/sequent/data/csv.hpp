// Streams the rows of a CSV file: the default dialect of Python's csv.reader, strict about damage.
#pragma once

#include <algorithm>
#include <istream>
#include <span>
#include <vector>

#include "../text/line_reader.hpp"

namespace sequent {

struct csv_limits {
    std::size_t max_field = std::size_t{1} << 20;  // bytes
    std::size_t max_columns = 4096;
    std::int64_t max_rows = std::int64_t{1} << 31;
    std::size_t max_line = std::size_t{1} << 24;      // bytes
    std::uint64_t max_file = std::uint64_t{1} << 36;  // bytes
};

// Fields are separated by commas and may be quoted; in quotes a doubled `"` stands for one, and commas and newlines are
// text. There is no escape character; a `"` inside an unquoted field is text; an empty line is a row without fields.
// Rows end in LF or CR LF, the last one may end with the file. A UTF-8 byte order mark is skipped; the encoding is not
// checked. file_error, with the line: a quote never closed (the line where it opened), text after a closing quote, a CR
// without LF, a NUL byte, a limit.
class csv_reader {
  public:
    explicit csv_reader(std::filesystem::path const& path, csv_limits limits = {}) : from_(path), limits_(limits) {}
    csv_reader(std::istream& in, std::string name, csv_limits limits = {})
        : from_(in, std::move(name)), limits_(limits) {}

    // Goes to the next row; false at the end of the file.
    [[nodiscard]] bool next() {
        text_.clear();
        ends_.clear();
        fields_.clear();
        if (!lines_.next(rest_)) return false;
        line_ = lines_.number();
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        if (line_ == 1 && rest_.starts_with(mark)) rest_.remove_prefix(mark.size());
        if (++rows_ > limits_.max_rows) lines_.reject("more than ", limits_.max_rows, " rows");
        if (at_end_of_row()) return lines_.ended();  // an empty line; else the mark was all
        do {
            if (ends_.size() == limits_.max_columns) lines_.reject("more than ", limits_.max_columns, " columns");
            if (rest_.starts_with('"'))
                take_quoted();
            else
                take(std::min(rest_.find_first_of(",\r"), rest_.size()));
            ends_.push_back(text_.size());
        } while (goes_on());
        for (std::size_t begin = 0; std::size_t const end : ends_) {
            fields_.push_back(std::string_view(text_).substr(begin, end - begin));
            begin = end;
        }
        return true;
    }

    // The fields of the row; the views stay valid until next().
    [[nodiscard]] std::span<std::string_view const> fields() const { return fields_; }

    // Throws a file_error with the line, from 1, on which the row begins.
    [[noreturn]] void reject(auto const&... what) const {
        throw file_error(from_.name, message("line ", line_), what...);
    }

  private:
    text_source from_;
    csv_limits limits_;
    line_reader lines_{from_, {limits_.max_line, limits_.max_file, true}};
    std::string_view rest_;          // of the line
    std::string text_;               // the row's fields without their quotes, one after the other
    std::vector<std::size_t> ends_;  // of each field in text_
    std::vector<std::string_view> fields_;
    std::uint64_t line_ = 1;
    std::int64_t rows_ = 0;

    bool at_end_of_row() const { return rest_.empty() || (rest_ == "\r" && lines_.ended()); }

    // Steps over the comma behind a field; false at the end of the row.
    bool goes_on() {
        if (at_end_of_row()) return false;
        if (rest_.front() == '\r') lines_.reject("a carriage return without a newline");
        if (rest_.front() != ',') lines_.reject("text after a closing quote");
        rest_.remove_prefix(1);
        return true;
    }

    // Moves the next bytes of the line to the field.
    void take(std::size_t count) {
        std::string_view const bytes = rest_.substr(0, count);
        if (bytes.find('\0') != bytes.npos) lines_.reject("a NUL byte");
        text_ += bytes;
        if (text_.size() - (ends_.empty() ? 0 : ends_.back()) > limits_.max_field)
            lines_.reject("a field of more than ", limits_.max_field, " bytes");
        rest_.remove_prefix(count);
    }

    void take_quoted() {
        std::uint64_t const opened = lines_.number();
        rest_.remove_prefix(1);
        for (;;) {
            take(std::min(rest_.find('"'), rest_.size()));
            if (rest_.empty()) {
                text_ += '\n';
                if (!lines_.next(rest_))
                    throw file_error(from_.name, message("line ", opened), "the quote that opens here is never closed");
            } else {
                rest_.remove_prefix(1);
                if (!rest_.starts_with('"')) return;
                take(1);
            }
        }
    }
};

}  // namespace sequent
