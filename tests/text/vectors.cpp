#include "sequent/text/vectors.hpp"

#include <bit>
#include <sstream>

#include "catch.hpp"

using sequent::word_vectors;
using row = std::vector<float>;

namespace {

word_vectors glove(std::string const& text, sequent::vector_options const& options = {}) {
    std::istringstream in(text);
    return sequent::read_glove({in, "file"}, options);
}

word_vectors word2vec_text(std::string const& text, sequent::vector_options const& options = {}) {
    std::istringstream in(text);
    return sequent::read_word2vec_text({in, "file"}, options);
}

word_vectors word2vec_binary(std::string const& bytes, sequent::vector_options const& options = {}) {
    std::istringstream in(bytes);
    return sequent::read_word2vec_binary({in, "file"}, options);
}

std::string little_endian(std::initializer_list<float> values) {
    std::string bytes;
    for (float const value : values)
        for (int shift = 0; shift < 32; shift += 8)
            bytes += static_cast<char>(std::bit_cast<std::uint32_t>(value) >> shift);
    return bytes;
}

row of(word_vectors const& vectors, std::string_view word) {
    auto const values = vectors[vectors.words.find(word).value()];
    return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("GloVe's text: words may hold spaces, the dimension is what most lines say", "[vectors]") {
    word_vectors const vectors = glove(". . . 1 2\n"
                                       "the 0.5 -1e-05\n"
                                       "a\xC2\xA0z 3 4  \n"
                                       " 5 6\r\n"
                                       "the 7 8\n"
                                       "7 1e-60 9\n");
    CHECK(vectors.dimension == 2);
    CHECK(vectors.words.size() == 5);
    CHECK(vectors.values.size() == 10);
    CHECK(vectors.duplicates == 1);
    CHECK(of(vectors, ". . .") == row{1, 2});
    CHECK(of(vectors, "the") == row{0.5f, -1e-05f});  // the first one
    CHECK(of(vectors, "a\xC2\xA0z") == row{3, 4});
    CHECK(of(vectors, "") == row{5, 6});
    CHECK(of(vectors, "7") == row{0, 9});
    CHECK(glove("a 1 2 3\n", {.dimension = 2}).words[0] == "a 1");
    CHECK(glove("5 3\n").dimension == 1);
}

TEST_CASE("GloVe's text, cut at any byte: whole lines are read, the rest is refused", "[vectors]") {
    std::string const text = ". . . 1 2\nthe 0.5 -1e-05  \n 5 6\r\nthe 7 8\n";
    for (std::size_t length = 0; length < text.size(); ++length) {
        std::string const part = text.substr(0, length);
        CAPTURE(part);
        if (part.ends_with('\n'))
            CHECK(glove(part, {.dimension = 2}).words[0] == ". . .");
        else if (length > 0)
            CHECK_THROWS_AS(glove(part, {.dimension = 2}), sequent::file_error);
        if (!part.ends_with('\n')) CHECK_THROWS_AS(glove(part), sequent::file_error);
    }
}

TEST_CASE("GloVe's text: what is wrong is named", "[vectors]") {
    CHECK_THROWS_WITH(glove("a 1 2\nb 1\na 1 2\n"), "file: line 2: expected a word and 2 values, got 1 values");
    CHECK_THROWS_WITH(glove("a 1 2\nb 1 x\n"), "file: line 2: value 2 of 2 is not a finite number");
    CHECK_THROWS_WITH(glove("a 1 2\nb nan 1\n"), "file: line 2: value 1 of 2 is not a finite number");
    CHECK_THROWS_WITH(glove("a 1 1e39\n"), "file: line 1: value 2 of 2 is not a finite number");
    CHECK_THROWS_WITH(glove("a 1 1e999\n"), "file: line 1: value 2 of 2 is not a finite number");
    CHECK_THROWS_WITH(glove("a 1 2\nb 1  \nc 1 2\n"), "file: line 2: expected a word and 2 values, got 1 values");
    CHECK_THROWS_WITH(glove("a 1 2"), "file: line 1: the last line does not end: the file is cut off");
    CHECK_THROWS_WITH(glove("2 3\na 1 2 3\nb 1 2 3\n"),
                      "file: line 1: this is the header of a word2vec or fastText file: use read_word2vec_text");
    CHECK_THROWS_WITH(glove(""), "file: holds vectors of 0 values, not 1 to 65536");
    CHECK_THROWS_WITH(glove("a 1 2 3\n", {.max_dimension = 2}), "file: holds vectors of 3 values, not 1 to 2");
    CHECK_THROWS_WITH(glove("abc 1\n", {.max_word_bytes = 2}), "file: line 1: the word has more than 2 bytes");
    CHECK_THROWS_WITH(glove("a 1\nb 1\n", {.max_words = 1}), "file: line 2: more than 1 words");
    CHECK_THROWS_AS(sequent::read_glove("no/such/file"), sequent::file_error);
}

TEST_CASE("word2vec's and fastText's text", "[vectors]") {
    std::string const text = "3 2\nthe 1 2 \n  3 4\nthe 5 6\n";
    word_vectors const vectors = word2vec_text(text);
    CHECK(vectors.dimension == 2);
    CHECK(vectors.words.size() == 2);
    CHECK(vectors.duplicates == 1);
    CHECK(of(vectors, "the") == row{1, 2});
    CHECK(of(vectors, " ") == row{3, 4});  // GoogleNews has such a word
    for (std::size_t length = 0; length < text.size(); ++length)
        REQUIRE_THROWS_AS(word2vec_text(text.substr(0, length)), sequent::file_error);
    CHECK_THROWS_WITH(word2vec_text("2 2\na 1 2\n"), "file: line 2: ends after 1 of 2 words: the file is cut off");
    CHECK_THROWS_WITH(word2vec_text("1 2\na 1 2\nb 1 2\n"), "file: line 3: the header promises only 1 words");
    CHECK_THROWS_WITH(word2vec_text("a 1 2\n"), "file: line 1: expected the number of words and the dimension");
    CHECK_THROWS_WITH(word2vec_text("9999999999 2\n"),
                      "file: line 1: the header promises 9999999999 words; max_words is 67108864");
    CHECK_THROWS_WITH(word2vec_text("1 99999999\n"),
                      "file: line 1: the header promises dimension 99999999; max_dimension is 65536");
    CHECK_THROWS_WITH(word2vec_text("1 2\na 1 2\n", {.dimension = 3}),
                      "file: line 1: the header says dimension 2, expected 3");
    for (std::string const header :
         {"0 2\n", "-1 2\n", "1 0\n", "1 2.0\n", "99999999999999999999 2\n", "1  2\n", "1\n"})
        CHECK_THROWS_WITH(word2vec_text(header), "file: line 1: expected the number of words and the dimension");
}

TEST_CASE("word2vec's binary file, with and without newlines", "[vectors]") {
    std::string const newlines = "3 2\nthe " + little_endian({1, 2}) + "\n\xFF\xFE " + little_endian({3, -0.5f}) +
                                 "\nthe " + little_endian({5, 6}) + "\n";
    std::string const plain =
        "3 2\nthe " + little_endian({1, 2}) + "\xFF\xFE " + little_endian({3, -0.5f}) + "the " + little_endian({5, 6});
    for (std::string const& bytes : {newlines, plain}) {
        word_vectors const vectors = word2vec_binary(bytes);
        CHECK(vectors.dimension == 2);
        CHECK(vectors.words.size() == 2);
        CHECK(vectors.values.size() == 4);
        CHECK(vectors.duplicates == 1);
        CHECK(of(vectors, "the") == row{1, 2});
        CHECK(of(vectors, "\xFF\xFE") == row{3, -0.5f});
        CHECK_THROWS_WITH(word2vec_binary(bytes + "x"), "file: goes on after the 3 words it promises");
    }
    for (std::string const& bytes : {newlines.substr(0, newlines.size() - 1), plain}) {
        CHECK(word2vec_binary(bytes).words.size() == 2);  // the last newline is no number's
        for (std::size_t length = 0; length < bytes.size(); ++length)
            REQUIRE_THROWS_AS(word2vec_binary(bytes.substr(0, length)), sequent::file_error);
    }
}

TEST_CASE("word2vec's binary file: what is wrong is named", "[vectors]") {
    CHECK_THROWS_WITH(word2vec_binary("60000000 60000\na \1\2\3\4"),
                      "file: line 1: 60000000 words of dimension 60000 do not fit into the 6 bytes that follow");
    CHECK_THROWS_WITH(word2vec_binary("1 1\nabcdef"), "file: word 1: the file is cut off");
    CHECK_THROWS_WITH(word2vec_binary("1 1\nabc" + little_endian({1}) + " 1234", {.max_word_bytes = 3}),
                      "file: word 1: has more than 3 bytes");
    CHECK_THROWS_WITH(word2vec_binary("1 2\na " + little_endian({1, HUGE_VALF})),
                      "file: word 1: value 2 is not finite");
    CHECK_THROWS_WITH(word2vec_binary("1 1\na " + little_endian({1}), {.lines = {.max_file = 5}}),
                      "file: has more than 5 bytes");
    using namespace std::string_literals;
    CHECK_THROWS_WITH(word2vec_binary("1 1\0junk\na "s + little_endian({1})),
                      "file: line 1: expected the number of words and the dimension");
    CHECK_THROWS_WITH(word2vec_binary(std::string(100, '1')),
                      "file: line 1: expected the number of words and the dimension");
    CHECK_THROWS_WITH(word2vec_binary("1 99999999\n"),
                      "file: line 1: the header promises dimension 99999999; max_dimension is 65536");
}

namespace {
// Text that passes by once, as from a pipe.
struct passing : std::stringbuf {
    using std::stringbuf::stringbuf;
    pos_type seekoff(off_type, std::ios::seekdir, std::ios::openmode) override { return pos_type(off_type(-1)); }
    pos_type seekpos(pos_type, std::ios::openmode) override { return pos_type(off_type(-1)); }
};
}  // namespace

TEST_CASE("a stream that passes by once: what needs to go back says so", "[vectors]") {
    auto const read = [](std::string const& text, auto const& reader, sequent::vector_options const& options) {
        passing buffer(text);
        std::istream in(&buffer);
        return reader({in, "pipe"}, options);
    };
    CHECK_THROWS_WITH(read("a 1 2\n", sequent::read_glove, {}), "pipe: cannot be read twice: give the dimension");
    CHECK(of(read("a 1 2\n", sequent::read_glove, {.dimension = 2}), "a") == row{1, 2});
    CHECK(of(read("1 2\na 1 2\n", sequent::read_word2vec_text, {}), "a") == row{1, 2});
    CHECK_THROWS_WITH(read("1 1\na " + little_endian({1}), sequent::read_word2vec_binary, {}),
                      "pipe: cannot be positioned");
}

TEST_CASE("fill_rows copies the words both know", "[vectors]") {
    std::vector<std::string> const list = {"<unk>", "b", "a", "c"};
    sequent::vocabulary const words(list);
    row rows(8, -1);
    CHECK(sequent::fill_rows(words, glove("a 1 2\nx 3 4\nb 5 6\n"), rows) == 2);
    CHECK(rows == row{-1, -1, 5, 6, 1, 2, -1, -1});
    std::vector<double> wide(8, -1);
    CHECK(sequent::fill_rows(words, glove("a 1 0.1\n"), std::span(wide)) == 1);
    CHECK(wide == std::vector<double>{-1, -1, -1, -1, 1, 0.1f, -1, -1});
    rows.pop_back();
    CHECK_THROWS_WITH(sequent::fill_rows(words, glove("a 1 2\n"), rows), "fill_rows: expected 4 x 2 numbers, got 7");
}
