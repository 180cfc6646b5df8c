#include "sequent/text/tokenizer.hpp"

#include "catch.hpp"
#include "sequent/core/random.hpp"
#include "text/basic_english_rules.hpp"

using sequent_tests::tokens_of;
using strings = std::vector<std::string>;

namespace {

std::string joined(strings const& tokens) {
    std::string result;
    for (std::string const& token : tokens) result += (result.empty() ? "" : " ") + token;
    return result;
}

}  // namespace

TEST_CASE("basic_english gives torchtext's tokens", "[tokenizer]") {
    sequent::basic_english tokenizer;
    auto const [text, tokens] = GENERATE(table<std::string, std::string>({
        {R"(It's "OK"; a.b<br />c<BR /> d:e  f!?(x))", "it ' s ok a . b c d e f ! ? ( x )"},
        {"#39;s", "#39 s"},
        {"U.S.", "u . s ."},
        {"don''t", "don ' ' t"},
        {R"(A\B)", R"(a\b)"},
        {R"("")", ""},
        {"", ""},
        {" \t\n\v\f\r", ""},
        {"a\x1c"
         "b\x1f"
         "c",
         "a b c"},
        {"-/#$&<b>12", "-/#$&<b>12"},
        {R"(a<br" />b)", "a b"},
        {R"("<"b"r" "/">")", ""},
        {"<br  />", "<br />"},
        {"<br/>", "<br/>"},
        {"<br /", "<br /"},
        {"<<br />>", "< >"},
        {"<b<br />", "<b"},
        {"caf\xC3\xA9\xC2\xA0T\xC3\x89", "caf\xC3\xA9\xC2\xA0t\xC3\x89"},  // documented: not Unicode's case and spaces
    }));
    CAPTURE(text);
    CHECK(joined(tokens_of(tokenizer, text)) == tokens);
}

TEST_CASE("basic_english equals the twelve substitutions on adversarial lines", "[tokenizer]") {
    std::string_view const pieces[] = {"<", "b", "r", " ", "/", ">", "\"",     "'",        ".",   ",",   "(",    ")",
                                       "!", "?", ";", ":", "A", "z", "<br />", "<br\" />", "<BR", " />", "\xC3", "\n"};
    sequent::basic_english tokenizer;
    sequent::random_stream const random{.seed = 3, .stream = 0};
    std::uint64_t drawn = 0;
    std::string line;
    for (int round = 0; round < 20'000; ++round) {
        line.clear();
        for (std::uint32_t left = random.below(drawn++, 24); left > 0; --left)
            line += pieces[random.below(drawn++, static_cast<std::uint32_t>(std::size(pieces)))];
        strings const expected = sequent_tests::basic_english_rules(line);
        if (tokens_of(tokenizer, line) != expected) {
            CAPTURE(line);
            REQUIRE(tokens_of(tokenizer, line) == expected);
        }
    }
    CHECK(drawn > 100'000);
}

TEST_CASE("the tokens of a line stay valid together", "[tokenizer]") {
    sequent::basic_english tokenizer;
    std::vector<std::string_view> tokens;
    tokenizer("Wall St. Bears, it's", [&](std::string_view token) { tokens.push_back(token); });
    CHECK(tokens == std::vector<std::string_view>{"wall", "st", ".", "bears", ",", "it", "'", "s"});
}

TEST_CASE("characters are UTF-8 sequences, stray bytes stand alone", "[tokenizer]") {
    sequent::characters const tokenizer;
    CHECK(tokens_of(tokenizer, "aB \n") == strings{"a", "B", " ", "\n"});
    CHECK(tokens_of(tokenizer, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") ==
          strings{"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"});
    CHECK(tokens_of(tokenizer, "\xE2\x82") == strings{"\xE2", "\x82"});  // cut off
    CHECK(tokens_of(tokenizer, "\xA9\xC3\x41\xFF") == strings{"\xA9", "\xC3", "A", "\xFF"});
    CHECK(tokens_of(tokenizer, "").empty());
}
