#include "alphabet.hpp"

#include "catch.hpp"
#include "text/ag_news.hpp"

namespace {
std::vector<std::string> tokens_of(std::string_view text, news::characters const& reader) {
    std::vector<std::string> tokens;
    reader(text, [&](std::string_view token) { tokens.emplace_back(token); });
    return tokens;
}
}  // namespace

TEST_CASE("characters: every byte is a token, marked at both ends where asked for", "[alphabet]") {
    using ends = news::characters::ends;
    CHECK(tokens_of("a \"", {}) == std::vector<std::string>{"a", " ", "\""});
    CHECK(tokens_of("a", {ends::marked}) == std::vector<std::string>{"<pad>", "a", "<pad>"});
    CHECK(tokens_of("", {}).empty());
    CHECK(tokens_of("", {ends::marked}) == std::vector<std::string>{"<pad>", "<pad>"});
}

TEST_CASE("alphabet: the commonest characters behind the two specials, at most 84 in all", "[alphabet]") {
    sequent::vocabulary const few = news::count_characters({{0, "abba"}, {1, "b"}});
    CHECK(few.words() == std::vector<std::string>{"<unk>", "<pad>", "b", "a"});
    CHECK(few["<pad>"] == news::end_mark);
    CHECK(few["z"] == news::unknown_character);
    std::string all;
    for (int byte = 1; byte < 256; ++byte) all += std::string(static_cast<std::size_t>(byte), static_cast<char>(byte));
    sequent::vocabulary const many = news::count_characters({{0, all}});
    CHECK(many.size() == news::alphabet_size);
    CHECK(many.word(2) == "\xff");
}

TEST_CASE("alphabet: AG News' test file has the lesson's characters in the lesson's order", "[alphabet]") {
    auto const file = sequent_tests::ag_news("test.csv");
    if (file.empty()) SKIP_TEST("AG News is not there: see ./dev data");
    sequent::vocabulary const alphabet = news::count_characters(sequent::read_labelled_text(file));
    std::string text;
    for (int id = 2; id < alphabet.size(); ++id) text += alphabet.word(id);
    CHECK(text == " eatoinsrldhcumpgfywb.vkS,A-TCPMIN;RBEOF3DW09UxLGH#q()12'KJ\\zj&:54V/6Y\"7$8Q=?ZX!_*");
}
