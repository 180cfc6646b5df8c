#include "sequent/text/vocabulary.hpp"

#include <sstream>

#include "catch.hpp"
#include "io/helpers.hpp"
#include "sequent/text/tokenizer.hpp"

using sequent::vocabulary;
using words = std::vector<std::string>;

namespace {

sequent::token_counts counts_of(std::string_view text) {
    sequent::token_counts counts;
    counts.add(text, sequent::basic_english());
    return counts;
}

vocabulary from_text(std::string const& text) {
    std::istringstream in(text);
    return vocabulary::load({in, "file"});
}

// What save() writes.
std::string saved(vocabulary const& vocab) {
    sequent_tests::temporary_folder const folder;
    vocab.save(folder / "words.txt");
    std::ifstream in(folder / "words.txt", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("word_table numbers words in order of arrival", "[word_table]") {
    sequent::word_table table;
    CHECK_FALSE(table.find("a"));
    CHECK(table.insert("a") == 0);
    CHECK(table.insert("") == 1);
    CHECK(table.insert(std::string_view("a\0b", 3)) == 2);
    CHECK(table.insert("a") == 0);
    CHECK(table.size() == 3);
    CHECK(table.find("") == 1);
    CHECK_FALSE(table.find("b"));
    CHECK(table[2] == std::string_view("a\0b", 3));
    CHECK(table.words()[0] == "a");
}

TEST_CASE("a word_table that was moved from is empty", "[word_table]") {
    sequent::word_table table;
    table.insert("a");
    sequent::word_table const taken = std::move(table);
    CHECK(taken.find("a") == 0);
    CHECK_FALSE(table.find("a"));
    CHECK(table.insert("b") == 0);
}

TEST_CASE("word_table keeps every word as it grows, and copies are independent", "[word_table]") {
    sequent::word_table table;
    auto const word = [](int n) { return std::string(static_cast<std::size_t>(n % 20), 'x') + std::to_string(n); };
    for (int n = 0; n < 5000; ++n) REQUIRE(table.insert(word(n)) == n);
    sequent::word_table copy = table;
    copy.insert("only here");
    CHECK_FALSE(table.find("only here"));
    for (int n = 0; n < 5000; ++n) {
        REQUIRE(table.find(word(n)) == n);
        REQUIRE(copy[n] == word(n));
    }
}

TEST_CASE("token_counts counts", "[vocabulary]") {
    sequent::token_counts const counts = counts_of("b a b c");
    CHECK(counts.total() == 4);
    CHECK(counts.distinct() == 3);
    CHECK(counts.word(0) == "b");
    CHECK(counts.count(0) == 2);
    CHECK(counts.count("c") == 1);
    CHECK(counts.count("d") == 0);
}

TEST_CASE("specials come first, then words by frequency and bytes", "[vocabulary]") {
    sequent::token_counts counts = counts_of("z b b a a a y <pad> <pad> <pad> <pad>");
    counts.add("\xC3\xA9");  // after every ASCII byte: unsigned order
    vocabulary const vocab(counts);
    CHECK(vocab.words() == words{"<unk>", "<pad>", "a", "b", "y", "z", "\xC3\xA9"});
    CHECK(vocab.size() == 7);
    CHECK(vocab["b"] == 3);
    CHECK(vocab["<pad>"] == 1);
    CHECK(vocab["nowhere"] == 0);
    CHECK(vocab.find("nowhere") == std::nullopt);
    CHECK(vocab.find("a") == 2);
    CHECK(vocab.word(2) == "a");
    CHECK_THROWS_WITH(vocab.word(7), "vocabulary: no word 7 among 7");
    CHECK_THROWS_AS(vocab.word(-1), sequent::argument_error);
}

TEST_CASE("min_freq and max_size cut the tail, specials do not count", "[vocabulary]") {
    sequent::token_counts const counts = counts_of("c c c b b a");
    vocabulary const frequent(counts, {.min_freq = 2}), short_one(counts, {.max_size = 1});
    CHECK(frequent.words() == words{"<unk>", "<pad>", "c", "b"});
    CHECK(vocabulary(counts, {.min_freq = -5}).size() == 5);
    CHECK(short_one.words() == words{"<unk>", "<pad>", "c"});
    CHECK(vocabulary(counts, {.max_size = 0}).size() == 2);
    CHECK(vocabulary(counts, {.specials = {"<s>", "<unk>"}})["x"] == 1);
    CHECK_THROWS_WITH(vocabulary(counts, {.max_size = -1}), "vocabulary: max_size is -1");
    CHECK_THROWS_WITH(vocabulary(counts, {.specials = {"<s>", "<s>"}}), "vocabulary: the word '<s>' is given twice");
}

TEST_CASE("without <unk> an unknown word is an error", "[vocabulary]") {
    vocabulary const vocab(counts_of("a"), {.specials = {}});
    CHECK(vocab["a"] == 0);
    CHECK_THROWS_WITH(vocab["b"], "vocabulary: 'b' is not in it, and there is no <unk>");
}

TEST_CASE("a vocabulary survives its file", "[vocabulary]") {
    std::vector<std::string> const odd = {"", "a\\b", "\n", "\r", "\\n", "<unk>", std::string("\0", 1), "\xFF", " "};
    vocabulary const vocab(odd);
    std::string const text = saved(vocab);
    CHECK(text.starts_with("sequent vocabulary 1: 9 words, fingerprint "));
    vocabulary const loaded = from_text(text);
    CHECK(loaded.words() == vocab.words());
    CHECK(loaded["nowhere"] == 5);
    CHECK(loaded.fingerprint() == vocab.fingerprint());
    CHECK(from_text(saved(vocabulary(counts_of(""), {.specials = {}}))).size() == 0);
}

TEST_CASE("the fingerprint is FNV-1a over the lines", "[vocabulary]") {
    CHECK(vocabulary(std::span<std::string const>()).fingerprint() == 0xCBF29CE484222325u);
    std::vector<std::string> const a = {"a"}, apart = {"a", "b"}, together = {"a\nb"};
    CHECK(vocabulary(a).fingerprint() == 0x089BDC07B544E7B2u);  // of "a\n"
    CHECK(vocabulary(apart).fingerprint() != vocabulary(together).fingerprint());
}

TEST_CASE("a damaged vocabulary file is refused", "[vocabulary]") {
    std::vector<std::string> const list = {"<unk>", "<pad>", "the", "a\\b"};
    std::string const good = saved(vocabulary(list));
    REQUIRE(from_text(good).size() == 4);
    for (std::size_t length = 0; length < good.size(); ++length)
        REQUIRE_THROWS_AS(from_text(good.substr(0, length)), sequent::file_error);
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        REQUIRE_THROWS_AS(from_text(bad), sequent::file_error);
    }
    CHECK_THROWS_WITH(from_text(""), "file: is empty");
    CHECK_THROWS_WITH(from_text(good + "more\n"),
                      Catch::Contains("the words give 'sequent vocabulary 1: ") && Catch::EndsWith("', unlike line 1"));
    CHECK_THROWS_WITH(from_text("the\n"), "file: line 1: not a vocabulary of this library");
    std::string const heading = good.substr(0, good.find('\n') + 1);
    CHECK_THROWS_WITH(from_text(heading + "a\nb\na\n"), "file: line 4: the word 'a' stands there twice");
    CHECK_THROWS_WITH(from_text(heading + "a\\x\n"),
                      "file: line 2: a carriage return, or a backslash followed by none of \\, n and r");
    CHECK_THROWS_WITH(from_text(heading + "a\r\n"),
                      "file: line 2: a carriage return, or a backslash followed by none of \\, n and r");
    CHECK_THROWS_AS(vocabulary::load("no/such/file"), sequent::file_error);
    CHECK_THROWS_AS(vocabulary(list).save("no/such/folder/file"), sequent::file_error);
}
