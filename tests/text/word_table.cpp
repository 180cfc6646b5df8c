#include "sequent/text/word_table.hpp"

#include "catch.hpp"

TEST_CASE("word_table numbers words in order of arrival", "[word_table]") {
    sequent::word_table words;
    CHECK(words.find("a") == sequent::word_table::npos);
    CHECK(words.insert("a") == 0);
    CHECK(words.insert("") == 1);
    CHECK(words.insert(std::string_view("a\0b", 3)) == 2);
    CHECK(words.insert("a") == 0);
    CHECK(words.size() == 3);
    CHECK(words.find("") == 1);
    CHECK(words.find("b") == sequent::word_table::npos);
    CHECK(words[2] == std::string_view("a\0b", 3));
    CHECK(words.words()[0] == "a");
}

TEST_CASE("a word_table that was moved from is empty", "[word_table]") {
    sequent::word_table words;
    words.insert("a");
    sequent::word_table const taken = std::move(words);
    CHECK(taken.find("a") == 0);
    CHECK(words.find("a") == sequent::word_table::npos);
    CHECK(words.insert("b") == 0);
}

TEST_CASE("word_table keeps every word as it grows, and copies are independent", "[word_table]") {
    sequent::word_table words;
    auto const word = [](int n) { return std::string(static_cast<std::size_t>(n % 20), 'x') + std::to_string(n); };
    for (int n = 0; n < 5000; ++n) REQUIRE(words.insert(word(n)) == n);
    sequent::word_table copy = words;
    copy.insert("only here");
    CHECK(words.find("only here") == sequent::word_table::npos);
    for (int n = 0; n < 5000; ++n) {
        REQUIRE(words.find(word(n)) == n);
        REQUIRE(copy[n] == word(n));
    }
}
