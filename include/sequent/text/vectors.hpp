// Pretrained word vectors: GloVe's text, the text and binary files of word2vec, fastText's text (.vec).
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../core/error.hpp"
#include "line_reader.hpp"
#include "vocabulary.hpp"
#include "word_table.hpp"

namespace sequent {

struct word_vectors {
    int dimension = 0;
    word_table words = {};  // the bytes as they stand in the file: any but LF in text, any but a space in binary
    std::vector<float> values = {};  // [words.size(), dimension], all finite
    std::int64_t duplicates = 0;     // rows left out because their word had come before

    [[nodiscard]] std::span<float const> operator[](int id) const {
        auto const width = static_cast<std::size_t>(dimension);
        return std::span(values).subspan(static_cast<std::size_t>(id) * width, width);
    }
};

struct vector_options {
    int dimension = 0;  // 0: as the header says, or, in GloVe's text, as most of the first lines say
    int max_dimension = 1 << 16;
    std::int64_t max_words = std::int64_t{1} << 26;
    std::size_t max_word_bytes = 4096;
    line_limits lines = {};  // max_file holds for binary files as well
};

namespace detail {

// A whole, plain decimal number from 1.
[[nodiscard]] inline std::optional<std::int64_t> positive(std::string_view digits) {
    std::int64_t value = 0;
    auto const [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size() || value < 1) return std::nullopt;
    return value;
}

struct vectors_header {
    std::int64_t words = 0;
    std::int64_t dimension = 0;
};

// "V D", the first line of word2vec's and fastText's files.
[[nodiscard]] inline std::optional<vectors_header> parse_header(std::string_view line) {
    std::size_t const space = line.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    auto const words = positive(line.substr(0, space)), dimension = positive(line.substr(space + 1));
    if (!words || !dimension) return std::nullopt;
    return vectors_header{*words, *dimension};
}

// What is wrong with a header, or nothing.
[[nodiscard]] inline std::string complaint(vectors_header const& header, vector_options const& options) {
    if (header.words > options.max_words)
        return message("the header promises ", header.words, " words; max_words is ", options.max_words);
    if (header.dimension > options.max_dimension)
        return message("the header promises dimension ", header.dimension, "; max_dimension is ",
                       options.max_dimension);
    if (options.dimension != 0 && header.dimension != options.dimension)
        return message("the header says dimension ", header.dimension, ", expected ", options.dimension);
    return {};
}

// Names the row that was just added to the values, or drops it where its word has a row already.
inline void keep_last_row(word_vectors& vectors, std::string_view word) {
    int const next = vectors.words.size();
    if (vectors.words.insert(word) == next) return;
    vectors.values.resize(vectors.values.size() - static_cast<std::size_t>(vectors.dimension));
    ++vectors.duplicates;
}

// fastText and some GloVe files end their lines in spaces, Windows in CR.
[[nodiscard]] inline std::string_view without_trailing_blanks(std::string_view line) {
    return line.substr(0, line.find_last_not_of(" \r") + 1);
}

// A finite number that takes the whole field; a double too small for a float becomes a subnormal one or zero.
[[nodiscard]] inline std::optional<float> parse_value(std::string_view field) {
    char const* const last = field.data() + field.size();
    float value = 0;
    auto [end, failure] = std::from_chars(field.data(), last, value);
    if (failure == std::errc::result_out_of_range) {
        double wide = 0;
        auto const again = std::from_chars(field.data(), last, wide);
        end = again.ptr;
        failure = again.ec;
        if (std::abs(wide) > double{std::numeric_limits<float>::max()}) return std::nullopt;
        value = static_cast<float>(wide);
    }
    if (failure != std::errc{} || end != last || !std::isfinite(value)) return std::nullopt;
    return value;
}

// Adds the row of one line: the last `dimension` fields are its values and all before them, spaces too, is the word.
// Fields end at single spaces, never at other blanks: those occur in words.
inline void add_line(word_vectors& vectors, std::string_view line, line_reader const& lines,
                     vector_options const& options) {
    line = without_trailing_blanks(line);
    std::size_t end = line.size();
    std::size_t const row = vectors.values.size(), width = static_cast<std::size_t>(vectors.dimension);
    vectors.values.resize(row + width);
    for (std::size_t value = width; value-- > 0;) {
        std::size_t const space = end == 0 ? std::string_view::npos : line.rfind(' ', end - 1);
        if (space == std::string_view::npos)
            lines.reject(message("expected a word and ", width, " values, got ", width - 1 - value, " values"));
        std::optional<float> const number = parse_value(line.substr(space + 1, end - space - 1));
        if (!number) lines.reject(message("value ", value + 1, " of ", width, " is not a finite number"));
        vectors.values[row + value] = *number;
        end = space;
    }
    if (end > options.max_word_bytes)
        lines.reject(message("the word has more than ", options.max_word_bytes, " bytes"));
    keep_last_row(vectors, line.substr(0, end));
    if (vectors.words.size() > options.max_words) lines.reject(message("more than ", options.max_words, " words"));
}

// The commonest number of fields after the first in the next 100 lines, the smaller one of equals: words with spaces
// are rare.
[[nodiscard]] inline std::int64_t voted_dimension(line_reader& lines) {
    std::map<std::int64_t, int> votes;
    std::string_view line;
    for (int count = 0; count < 100 && lines.next(line); ++count) {
        std::string_view const fields = without_trailing_blanks(line);
        ++votes[std::count(fields.begin(), fields.end(), ' ')];
    }
    auto const fewer = [](auto const& a, auto const& b) { return a.second < b.second; };
    auto const best = std::max_element(votes.begin(), votes.end(), fewer);  // the first of equals
    return best == votes.end() ? 0 : best->first;
}

[[nodiscard]] constexpr float little_endian_float(char const* bytes) {
    std::uint32_t bits = 0;
    for (int at = 3; at >= 0; --at) bits = bits << 8 | static_cast<unsigned char>(bytes[at]);
    return std::bit_cast<float>(bits);
}

}  // namespace detail

// GloVe's text: lines of a word and its values, no header. file_error names the line; a header is refused as such.
[[nodiscard]] inline word_vectors read_glove(std::istream& in, std::string const& name,
                                             vector_options const& options = {}) {
    auto const start = in.tellg();
    std::int64_t dimension = options.dimension;
    if (dimension == 0) {
        line_reader sample(in, name, options.lines);
        dimension = detail::voted_dimension(sample);
        in.clear();
        if (!in.seekg(start)) throw file_error(name, "", "cannot be read twice: give the dimension");
    }
    if (dimension < 1 || dimension > options.max_dimension)
        throw file_error(name, "",
                         message("holds vectors of ", dimension, " values, not 1 to ", options.max_dimension));
    word_vectors result{.dimension = static_cast<int>(dimension)};
    line_reader lines(in, name, options.lines);
    for (std::string_view line; lines.next(line);) {
        if (lines.number() == 1 && dimension != 1 && detail::parse_header(line))
            lines.reject("this is the header of a word2vec or fastText file: use read_word2vec_text");
        detail::add_line(result, line, lines, options);
    }
    return result;
}

// word2vec's and fastText's text: a line "V D", then V lines as in GloVe's files. file_error names the line.
[[nodiscard]] inline word_vectors read_word2vec_text(std::istream& in, std::string const& name,
                                                     vector_options const& options = {}) {
    line_reader lines(in, name, options.lines);
    std::string_view line;
    auto const header = lines.next(line) ? detail::parse_header(detail::without_trailing_blanks(line)) : std::nullopt;
    if (!header) throw file_error(name, "line 1", "expected the number of words and the dimension");
    if (std::string const wrong = detail::complaint(*header, options); !wrong.empty()) lines.reject(wrong);
    word_vectors result{.dimension = static_cast<int>(header->dimension)};
    std::int64_t rows = 0;
    for (; lines.next(line); ++rows) {
        if (rows == header->words) lines.reject(message("the header promises only ", rows, " words"));
        detail::add_line(result, line, lines, options);
    }
    if (rows != header->words)
        throw file_error(name, "", message("ends after ", rows, " of ", header->words, " words: the file is cut off"));
    return result;
}

// word2vec's binary file: a line "V D", then V times a word, a space and D little-endian floats; a LF may follow each
// vector. The promised size is checked against the file's before memory is taken. file_error names the word.
[[nodiscard]] inline word_vectors read_word2vec_binary(std::istream& in, std::string const& name,
                                                       vector_options const& options = {}) {
    char first[48];
    in.getline(first, sizeof first);
    auto const header = in.good() ? detail::parse_header(std::string_view(first)) : std::nullopt;
    if (!header) throw file_error(name, "line 1", "expected the number of words and the dimension");
    std::string const wrong = detail::complaint(*header, options);
    if (!wrong.empty()) throw file_error(name, "line 1", wrong);

    auto const begin = in.tellg();
    in.seekg(0, std::ios::end);
    std::int64_t const left = in.tellg() - begin;
    if (!in.seekg(begin)) throw file_error(name, "", "cannot be positioned");
    if (static_cast<std::uint64_t>(left) > options.lines.max_file)
        throw file_error(name, "", message("has more than ", options.lines.max_file, " bytes"));
    std::int64_t const row_bytes = 4 * header->dimension;
    if (header->words > left / (row_bytes + 1))  // a word takes at least its space
        throw file_error(name, "line 1",
                         message(header->words, " words of dimension ", header->dimension, " do not fit into the ",
                                 left, " bytes that follow"));

    word_vectors result{.dimension = static_cast<int>(header->dimension)};
    auto const width = static_cast<std::size_t>(header->dimension);
    result.values.reserve(static_cast<std::size_t>(header->words) * width);
    std::vector<char> word(options.max_word_bytes + 2), row(static_cast<std::size_t>(row_bytes));
    for (std::int64_t at = 1; at <= header->words; ++at) {
        auto const reject = [&](std::string_view what) { throw file_error(name, message("word ", at), what); };
        in.getline(word.data(), static_cast<std::streamsize>(word.size()), ' ');
        if (in.eof()) reject("the file is cut off");
        if (in.fail()) reject(message("has more than ", options.max_word_bytes, " bytes"));
        std::string_view text(word.data(), static_cast<std::size_t>(in.gcount()) - 1);
        text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
        if (!in.read(row.data(), row_bytes)) reject("the file is cut off");
        for (std::size_t value = 0; value < width; ++value) {
            result.values.push_back(detail::little_endian_float(&row[4 * value]));
            if (!std::isfinite(result.values.back())) reject(message("value ", value + 1, " is not finite"));
        }
        detail::keep_last_row(result, text);
    }
    if (in.peek() == '\n') in.get();
    if (in.peek() != std::istream::traits_type::eof())
        throw file_error(name, "", message("goes on after the ", header->words, " words it promises"));
    return result;
}

[[nodiscard]] inline word_vectors read_glove(std::filesystem::path const& path, vector_options const& options = {}) {
    std::ifstream in = open_for_reading(path);
    return read_glove(in, path.string(), options);
}

[[nodiscard]] inline word_vectors read_word2vec_text(std::filesystem::path const& path,
                                                     vector_options const& options = {}) {
    std::ifstream in = open_for_reading(path);
    return read_word2vec_text(in, path.string(), options);
}

[[nodiscard]] inline word_vectors read_word2vec_binary(std::filesystem::path const& path,
                                                       vector_options const& options = {}) {
    std::ifstream in = open_for_reading(path);
    return read_word2vec_binary(in, path.string(), options);
}

// Copies the vectors of the words that both know into the rows of an embedding, [vocabulary.size(), vectors.dimension],
// and returns their number. The other rows stay as they are (torchtext has zeros there).
inline int fill_rows(vocabulary const& words, word_vectors const& vectors, std::span<float> rows) {
    auto const width = static_cast<std::size_t>(vectors.dimension);
    if (rows.size() != static_cast<std::size_t>(words.size()) * width)
        throw argument_error(
            message("fill_rows: expected ", words.size(), " x ", width, " numbers, got ", rows.size()));
    int found = 0;
    for (int id = 0; id < words.size(); ++id) {
        int const row = vectors.words.find(words.word(id));
        if (row == word_table::npos) continue;
        std::ranges::copy(vectors[row],
                          rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(id) * width));
        ++found;
    }
    return found;
}

}  // namespace sequent
