#include "sequent/data/labelled_text.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>

#include "catch.hpp"
#include "io/helpers.hpp"
#include "sequent/text/tokenizer.hpp"
#include "sequent/text/vocabulary.hpp"
#include "text/ag_news.hpp"
#include "text/sha256.hpp"

using sequent::labelled_text;
using sequent::vocabulary;

namespace {

std::vector<labelled_text> read(std::string const& text, sequent::labelled_text_options const& options = {}) {
    sequent_tests::temporary_folder const folder;
    std::ofstream(folder / "rows.csv", std::ios::binary) << text;
    return sequent::read_labelled_text(folder / "rows.csv", options);
}

std::string error_of(std::string const& text) {
    try {
        (void)read(text);
    } catch (sequent::file_error const& failure) {
        std::string_view const message = failure.what();
        return std::string(message.substr(message.find(": ") + 2));  // without the name of the file
    }
    return "none";
}

sequent::token_counts count(std::vector<labelled_text> const& rows) {
    sequent::token_counts counts;
    sequent::basic_english tokenizer;
    for (labelled_text const& row : rows) counts.add(row.text, tokenizer);
    return counts;
}

std::string sha256_of_words(vocabulary const& words) {
    std::string joined;
    for (std::string const& word : words.words()) joined.append(joined.empty() ? "" : "\n").append(word);
    return sequent_tests::sha256(joined);
}

// Of lines "{label}\t{tokens joined by a space}\n".
std::string sha256_of_tokens(std::vector<labelled_text> const& rows) {
    std::string lines;
    sequent::basic_english tokenizer;
    for (labelled_text const& row : rows) {
        char separator = '\t';
        lines += std::to_string(row.label + 1);
        tokenizer(row.text, [&](std::string_view token) {
            lines.append(1, separator).append(token);
            separator = ' ';
        });
        lines += '\n';
    }
    return sequent_tests::sha256(lines);
}

std::vector<int> lengths(sequent::encoded_text const& text) {
    std::vector<int> result;
    for (int row = 0; row < text.size(); ++row) result.push_back(static_cast<int>(text.tokens(row).size()));
    std::sort(result.begin(), result.end());
    return result;
}

std::vector<int> row(sequent::encoded_text const& text, int number) {
    auto const tokens = text.tokens(number);
    return {tokens.begin(), tokens.end()};
}

std::vector<std::string> const commonest = {".", "the", ",", "to", "a", "of", "in", "and", "s", "on", "for", "#39"};

std::vector<std::string> head(vocabulary const& words) {
    auto const& all = words.words();
    return {all.begin() + 2, all.begin() + 14};
}

}  // namespace

TEST_CASE("title and description become one text, classes count from 0", "[labelled_text]") {
    auto const rows = read("\"3\",\"A title\",\"says \"\"so\"\"\"\n\"1\",\"\",\"x\"\n");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].label == 2);
    CHECK(rows[0].text == "A title says \"so\"");
    CHECK(rows[1].label == 0);
    CHECK(rows[1].text == " x");
    CHECK(read("1,a,b\n2,c,d\n3\n", {.limit = 2}).size() == 2);
    CHECK(read("7,a,b\n", {.classes = 7})[0].label == 6);
}

TEST_CASE("a wrong row is named by line and column", "[labelled_text]") {
    CHECK(error_of("1,a,b\n1,a\n") == "line 2: expected 3 columns, got 2");
    CHECK(error_of("1,a,\"b\n\"\n\n") == "line 3: expected 3 columns, got 0");
    CHECK(error_of("1,a,b\n5,a,b\n") == "line 2: column 1: expected a class from 1 to 4, got '5'");
    CHECK(error_of("0,a,b\n") == "line 1: column 1: expected a class from 1 to 4, got '0'");
    CHECK(error_of("1 ,a,b\n") == "line 1: column 1: expected a class from 1 to 4, got '1 '");
    CHECK(error_of(",a,b\n") == "line 1: column 1: expected a class from 1 to 4, got ''");
    CHECK(error_of("99999999999,a,b\n").starts_with("line 1: column 1: "));
}

TEST_CASE("a file cut at any byte gives its whole rows, and what is left of the last one or its error",
          "[labelled_text]") {
    std::string const text = "\"3\",\"A title\",\"says \"\"so\"\"\"\r\n1,,x\n\"2\",\"b\nc\",d\n";
    auto const whole = read(text);
    std::size_t refused = 0;
    for (std::size_t length = 0; length < text.size(); ++length) {
        CAPTURE(length);
        std::string const error = error_of(text.substr(0, length));
        if (error != "none") {
            CHECK(error.starts_with("line "));
            ++refused;
            continue;
        }
        auto const rows = read(text.substr(0, length));
        REQUIRE(rows.size() <= whole.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            CHECK(rows[i].label == whole[i].label);
            CHECK((i + 1 < rows.size() ? rows[i].text == whole[i].text : whole[i].text.starts_with(rows[i].text)));
        }
        if (length > 0 && text[length - 1] == '\n') CHECK(rows.back().text == whole[rows.size() - 1].text);
    }
    CHECK(refused > text.size() / 2);
}

TEST_CASE("encode keeps rows and labels apart", "[labelled_text]") {
    std::vector<labelled_text> const rows = {{2, "b a b"}, {0, ""}, {1, "nowhere b"}};
    vocabulary const words(count({rows[0]}));
    sequent::encoded_text const text = sequent::encode(rows, words, sequent::basic_english());
    REQUIRE(text.size() == 3);
    CHECK(row(text, 0) == std::vector{2, 3, 2});
    CHECK(row(text, 1).empty());
    CHECK(row(text, 2) == std::vector{0, 2});
    CHECK(text.label(0) == 2);
    CHECK(text.labels().size() == 3);
    CHECK(text.all_tokens().size() == 5);
}

TEST_CASE("AG News' test file has its golden values", "[labelled_text][ag_news]") {
    auto const path = sequent_tests::ag_news("test.csv");
    if (path.empty()) SKIP_TEST("no ag_news/test.csv in SEQUENT_DATA_HOME");
    auto const rows = sequent::read_labelled_text(path);
    REQUIRE(rows.size() == 7600);
    for (int label = 0; label < 4; ++label)
        CHECK(std::count_if(rows.begin(), rows.end(), [&](auto const& row) { return row.label == label; }) == 1900);
    CHECK(rows[0].label == 2);
    CHECK(sha256_of_tokens(rows) == "1176bb8c6cac8cc4f971d1c460a775d2e8dda0aa8212e5c834f439b24f547cf8");

    sequent::token_counts const counts = count(rows);
    CHECK(counts.total() == 327070);
    CHECK(counts.distinct() == 25270);
    CHECK(counts.count(".") == 14060);
    CHECK(counts.count("the") == 12884);
    CHECK(counts.count(",") == 10237);
    CHECK(counts.count("to") == 7560);
    CHECK(counts.count("a") == 7004);
    for (auto const& [min_freq, size] : {std::pair{1, 25272}, {2, 13660}, {3, 9741}, {5, 6600}, {10, 3760}})
        CHECK(vocabulary(counts, {.min_freq = min_freq}).size() == size);

    vocabulary const words(counts);
    CHECK(head(words) == commonest);
    CHECK(sha256_of_words(words) == "65513dc50e20da0500e231663a9edb3b6077a3f1b4057c0fe92953ac4fd4994b");
    auto const text = sequent::encode(rows, words, sequent::basic_english());
    CHECK(row(text, 0) == std::vector{1358, 12, 86, 144,  1419, 35, 142, 1693, 3689,  357,  21,  4523, 8983, 193,
                                      65,   42, 17, 5253, 17,   35, 142, 19,   23554, 2770, 400, 196,  8928, 2});
    auto const sorted = lengths(text);
    CHECK(sorted.front() == 14);
    CHECK(sorted.back() == 161);
    CHECK(sorted[sorted.size() / 2] == 42);
}

TEST_CASE("AG News' test file has 82 characters in their golden order", "[labelled_text][ag_news]") {
    auto const path = sequent_tests::ag_news("test.csv");
    if (path.empty()) SKIP_TEST("no ag_news/test.csv in SEQUENT_DATA_HOME");
    sequent::token_counts counts;
    std::size_t shortest = 1000, longest = 0;
    int long_enough = 0;
    for (labelled_text const& row : sequent::read_labelled_text(path)) {
        counts.add(row.text, sequent::characters());
        shortest = std::min(shortest, row.text.size());
        longest = std::max(longest, row.text.size());
        long_enough += row.text.size() >= 110;
    }
    std::string order;
    vocabulary const letters(counts, {.specials = {}});
    for (std::string_view const letter : letters.words()) order += letter;
    CHECK(order == R"( eatoinsrldhcumpgfywb.vkS,A-TCPMIN;RBEOF3DW09UxLGH#q()12'KJ\zj&:54V/6Y"7$8Q=?ZX!_*)");
    CHECK(shortest == 100);
    CHECK(longest == 892);
    CHECK(long_enough == 7546);
}

TEST_CASE("the development part of AG News' train file has its golden values", "[labelled_text][ag_news]") {
    auto const path = sequent_tests::ag_news("train.csv"), test_path = sequent_tests::ag_news("test.csv");
    if (path.empty() || test_path.empty()) SKIP_TEST("no ag_news/{train,test}.csv in SEQUENT_DATA_HOME");
    auto const rows = sequent::read_labelled_text(path);
    if (rows.size() != 63'855) SKIP_TEST("ag_news/train.csv is not the part of 63,855 rows");
    CHECK(sha256_of_tokens(rows) == "69f862d4d5a948cb3e10bd8aac402b50c6dd3ed35159b72b746a7efa982895ca");
    std::vector<int> classes(4);
    for (labelled_text const& row : rows) ++classes[static_cast<std::size_t>(row.label)];
    CHECK(classes == std::vector{16378, 15565, 15473, 16439});

    sequent::token_counts const counts = count(rows);
    CHECK(counts.total() == 2'769'046);
    CHECK(counts.distinct() == 71'308);
    vocabulary const words(counts);
    CHECK(words.size() == 71'310);
    CHECK(head(words) == commonest);
    CHECK(sha256_of_words(words) == "9f8d9b02a2c3e3e9e2d8f1c696a907a9d6010d8b1a6fc9597f8954aedb7ec052");

    auto const text = sequent::encode(rows, words, sequent::basic_english());
    CHECK(row(text, 0) == std::vector{2608, 43,   1744, 4,   9, 8068, 43,  1018, 3,   61361, 14,    9,   22077, 15,
                                      893,  5465, 43,   109, 5, 41,   481, 291,  243, 3,     30476, 120, 2});
    CHECK(text.label(0) == 1);
    auto const sorted = lengths(text);
    CHECK(sorted.front() == 13);
    CHECK(sorted.back() == 198);

    auto const test = sequent::encode(sequent::read_labelled_text(test_path), words, sequent::basic_english());
    CHECK(std::count(test.all_tokens().begin(), test.all_tokens().end(), words["<unk>"]) == 4'336);
}
