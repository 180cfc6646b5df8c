// Texts with class labels: reading AG News' CSV files, and the same texts as numbers.
#pragma once

#include <limits>

#include "csv.hpp"

namespace sequent {

struct labelled_text {
    int label = 0;  // from 0
    std::string text;
};

struct labelled_text_options {
    int classes = 4;
    int limit = std::numeric_limits<int>::max();  // rows; the rest of the file is not read
    csv_limits csv = {};
};

// Rows of three columns: class from 1 (it becomes label 0), title, description; the text is title + ' ' + description.
// The files of AG News (Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text Classification", 2015).
// file_error names file, line and column.
[[nodiscard]] inline std::vector<labelled_text> read_labelled_text(std::filesystem::path const& path,
                                                                   labelled_text_options const& options = {}) {
    std::vector<labelled_text> result;
    csv_reader rows(path, options.csv);
    while (static_cast<std::int64_t>(result.size()) < options.limit && rows.next()) {
        auto const fields = rows.fields();
        if (fields.size() != 3) rows.reject("expected 3 columns, got ", fields.size());
        int const number = parse_number<int>(fields[0]).value_or(0);
        if (number < 1 || number > options.classes)
            rows.reject("column 1: expected a class from 1 to ", options.classes, ", got '", fields[0], "'");
        result.push_back({number - 1, std::string(fields[1]).append(1, ' ').append(fields[2])});
    }
    return result;
}

// Rows of token ids with labels, in one block.
class encoded_text {
  public:
    void add(int label, std::span<int const> tokens) {
        if (labels_.size() == static_cast<std::size_t>(std::numeric_limits<int>::max()))
            throw argument_error("encoded_text: more than 2^31 - 1 rows");
        tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
        begins_.push_back(tokens_.size());
        labels_.push_back(label);
    }

    [[nodiscard]] int size() const { return static_cast<int>(labels_.size()); }

    // Of row 0 <= row < size(); no tokens where the text had none. Valid until the next add().
    [[nodiscard]] std::span<int const> tokens(int row) const {
        auto const at = begins_.begin() + row;
        return std::span(tokens_).subspan(at[0], at[1] - at[0]);
    }
    [[nodiscard]] int label(int row) const { return labels_[static_cast<std::size_t>(row)]; }

    [[nodiscard]] std::span<int const> all_tokens() const { return tokens_; }
    [[nodiscard]] std::span<int const> labels() const { return labels_; }

  private:
    std::vector<int> tokens_;                // of all rows, one after the other
    std::vector<std::size_t> begins_ = {0};  // [size() + 1] of each row in tokens_, and the end of the last
    std::vector<int> labels_;                // [size()]
};

// The numbers of each row's tokens. tokenizer(text, callback) calls back with tokens; vocabulary[token] is a number.
[[nodiscard]] encoded_text encode(std::span<labelled_text const> rows, auto const& vocabulary, auto&& tokenizer) {
    encoded_text result;
    std::vector<int> tokens;
    for (labelled_text const& row : rows) {
        tokens.clear();
        tokenizer(row.text, [&](std::string_view token) { tokens.push_back(vocabulary[token]); });
        result.add(row.label, tokens);
    }
    return result;
}

}  // namespace sequent
