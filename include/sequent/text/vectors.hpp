// Pretrained word vectors: GloVe's text, the text and binary files of word2vec, fastText's text (.vec).
#pragma once

#include <bit>
#include <cmath>
#include <map>

#include "vocabulary.hpp"

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

// V and D of "V D", the first line of word2vec's and fastText's files.
using vectors_header = std::pair<std::int64_t, std::int64_t>;
[[nodiscard]] inline std::optional<vectors_header> parse_header(std::string_view line) {
    std::size_t const space = std::min(line.find(' '), line.size());
    auto const words = parse_number<std::int64_t>(line.substr(0, space));
    auto const dimension = parse_number<std::int64_t>(line.substr(std::min(space + 1, line.size())));
    if (words.value_or(0) < 1 || dimension.value_or(0) < 1) return std::nullopt;
    return vectors_header{*words, *dimension};
}

[[nodiscard]] inline vectors_header checked_header(std::string_view line, std::string const& name,
                                                   vector_options const& options) {
    auto const fail = [&](auto const&... what) { throw file_error(name, "line 1", what...); };
    auto const header = parse_header(line);
    if (!header) fail("expected the number of words and the dimension");
    auto const [words, dimension] = *header;
    if (words > options.max_words) fail("the header promises ", words, " words; max_words is ", options.max_words);
    if (dimension > options.max_dimension)
        fail("the header promises dimension ", dimension, "; max_dimension is ", options.max_dimension);
    if (options.dimension != 0 && dimension != options.dimension)
        fail("the header says dimension ", dimension, ", expected ", options.dimension);
    return *header;
}

// Leaves the row out if its word has one already.
inline void add_row(word_vectors& vectors, std::string_view word, std::vector<float> const& row) {
    int const next = vectors.words.size();
    if (vectors.words.insert(word) == next)
        vectors.values.insert(vectors.values.end(), row.begin(), row.end());
    else
        ++vectors.duplicates;
}

// fastText and some GloVe files end their lines in spaces, Windows in CR.
[[nodiscard]] inline std::string_view without_trailing_blanks(std::string_view line) {
    return line.substr(0, line.find_last_not_of(" \r") + 1);
}

// The rows of all lines that are left, as many as were promised, if any were. The last `dimension` fields of a line are
// its values and all before them, spaces too, is the word. Fields end at single spaces, never at other blanks: those
// occur in words.
[[nodiscard]] inline word_vectors read_rows(line_reader& lines, std::int64_t dimension,
                                            std::optional<std::int64_t> promised, vector_options const& options) {
    word_vectors result{.dimension = static_cast<int>(dimension)};
    std::vector<float> row(static_cast<std::size_t>(dimension));
    std::int64_t rows = 0;
    for (std::string_view line; lines.next(line); ++rows) {
        if (rows == promised) lines.reject("the header promises only ", rows, " words");
        if (rows == 0 && !promised && dimension != 1 && parse_header(line))
            lines.reject("this is the header of a word2vec or fastText file: use read_word2vec_text");
        line = without_trailing_blanks(line);
        for (std::size_t value = row.size(); value-- > 0;) {
            std::size_t const space = line.rfind(' ');
            if (space == line.npos)
                lines.reject("expected a word and ", dimension, " values, got ", row.size() - 1 - value, " values");
            // By way of double, as in NumPy: what is too small for a float becomes a subnormal one or zero. From the
            // limit on, rounding leaves the finite floats.
            auto const number = parse_number<double>(line.substr(space + 1));
            if (!number || !(std::abs(*number) < 0x1.ffffffp127))
                lines.reject("value ", value + 1, " of ", dimension, " is not a finite number");
            row[value] = static_cast<float>(*number);
            line = line.substr(0, space);
        }
        if (line.size() > options.max_word_bytes)
            lines.reject("the word has more than ", options.max_word_bytes, " bytes");
        add_row(result, line, row);
        if (result.words.size() > options.max_words) lines.reject("more than ", options.max_words, " words");
    }
    if (promised && rows != promised)
        lines.reject("ends after ", rows, " of ", *promised, " words: the file is cut off");
    return result;
}

// The commonest number of fields after the first in the next 100 lines, the smaller one of equals: words with spaces
// are rare.
[[nodiscard]] inline std::int64_t voted_dimension(line_reader lines) {
    std::map<std::int64_t, int> votes;
    std::string_view line;
    for (int count = 0; count < 100 && lines.next(line); ++count)
        ++votes[std::ranges::count(without_trailing_blanks(line), ' ')];
    auto const best = std::ranges::max_element(votes, {}, [](auto const& vote) { return vote.second; });
    return best == votes.end() ? 0 : best->first;
}

}  // namespace detail

// GloVe's text: lines of a word and its values, no header. file_error names the line; a header is refused as such.
[[nodiscard]] inline word_vectors read_glove(text_source const& from, vector_options const& options = {}) {
    std::int64_t dimension = options.dimension;
    if (dimension == 0) {
        auto const start = from.in.tellg();
        dimension = detail::voted_dimension(line_reader(from, options.lines));
        from.in.clear();
        if (!from.in.seekg(start)) throw file_error(from.name, "", "cannot be read twice: give the dimension");
    }
    if (dimension < 1 || dimension > options.max_dimension)
        throw file_error(from.name, "", "holds vectors of ", dimension, " values, not 1 to ", options.max_dimension);
    line_reader lines(from, options.lines);
    return detail::read_rows(lines, dimension, std::nullopt, options);
}

// word2vec's and fastText's text: a line "V D", then V lines as in GloVe's files. file_error names the line.
[[nodiscard]] inline word_vectors read_word2vec_text(text_source const& from, vector_options const& options = {}) {
    line_reader lines(from, options.lines);
    std::string_view line;
    if (!lines.next(line)) line = {};
    auto const [words, dimension] = detail::checked_header(detail::without_trailing_blanks(line), from.name, options);
    return detail::read_rows(lines, dimension, words, options);
}

// word2vec's binary file: a line "V D", then V times a word, a space and D little-endian floats; a LF may follow each
// vector. The promised size is checked against the file's before memory is taken. file_error names the word.
[[nodiscard]] inline word_vectors read_word2vec_binary(text_source const& from, vector_options const& options = {}) {
    std::istream& in = from.in;
    char first[48];
    std::string_view const header(first, in.getline(first, sizeof first).good() ? std::size_t(in.gcount() - 1) : 0);
    auto const [words, dimension] = detail::checked_header(header, from.name, options);

    auto const fail = [&](auto const&... place_and_what) { throw file_error(from.name, place_and_what...); };
    auto const begin = in.tellg();
    in.seekg(0, std::ios::end);
    static_assert(std::endian::native == std::endian::little, "word2vec's files are little-endian, as read here");
    std::int64_t const left = in.tellg() - begin, row_bytes = 4 * dimension;
    if (!in.seekg(begin)) fail("", "cannot be positioned");
    if (std::cmp_greater(left, options.lines.max_file)) fail("", "has more than ", options.lines.max_file, " bytes");
    if (words > left / (row_bytes + 1))  // a word takes at least its space
        fail("line 1", words, " words of dimension ", dimension, " do not fit into the ", left, " bytes that follow");

    word_vectors result{.dimension = static_cast<int>(dimension)};
    result.values.reserve(static_cast<std::size_t>(words * dimension));
    std::string word(options.max_word_bytes + 2, '\0');
    std::vector<float> row(static_cast<std::size_t>(dimension));
    for (std::int64_t at = 1; at <= words; ++at) {
        auto const reject = [&](auto const&... what) { fail(message("word ", at), what...); };
        in.getline(word.data(), static_cast<std::streamsize>(word.size()), ' ');
        if (in.eof()) reject("the file is cut off");
        if (in.fail()) reject("has more than ", options.max_word_bytes, " bytes");
        std::string_view text(word.data(), static_cast<std::size_t>(in.gcount()) - 1);
        text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
        if (!in.read(reinterpret_cast<char*>(row.data()), row_bytes)) reject("the file is cut off");
        auto const bad = std::ranges::find_if_not(row, [](float value) { return std::isfinite(value); });
        if (bad != row.end()) reject("value ", bad - row.begin() + 1, " is not finite");
        detail::add_row(result, text, row);
    }
    if (in.peek() == '\n') in.get();
    if (in.peek() != std::istream::traits_type::eof()) fail("", "goes on after the ", words, " words it promises");
    return result;
}

// Copies the vectors of the words that both know into the rows of an embedding, [vocabulary.size(), vectors.dimension]
// of float or double, and returns their number. The other rows stay as they are (torchtext has zeros there).
int fill_rows(vocabulary const& words, word_vectors const& vectors, std::ranges::contiguous_range auto&& rows) {
    auto const width = static_cast<std::size_t>(vectors.dimension);
    if (rows.size() != static_cast<std::size_t>(words.size()) * width)
        throw argument_error("fill_rows: expected ", words.size(), " x ", width, " numbers, got ", rows.size());
    int found = 0;
    for (int id = 0; id < words.size(); ++id) {
        auto const row = vectors.words.find(words.word(id));
        if (!row) continue;
        std::ranges::copy(vectors[*row], std::span(rows).subspan(static_cast<std::size_t>(id) * width).begin());
        ++found;
    }
    return found;
}

}  // namespace sequent
