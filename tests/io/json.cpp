#include "sequent/io/json.hpp"

#include <vector>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using namespace std::string_literals;
using detail::json_reader;
using sequent_tests::thrown;

namespace {

// The error of reading the text as an array of strings, after three bytes of something else.
std::string error_of(std::string const& text) {
    return thrown<file_error>([&] {
        json_reader json(text, "file", 3);
        json.array([&](std::size_t) { (void)json.string(); });
        json.end();
    });
}

template <class Number>
Number number(std::string const& text) {
    json_reader json(text, "file");
    if constexpr (std::same_as<Number, double>)
        return json.number();
    else
        return json.whole_number();
}

}  // namespace

TEST_CASE("json: members and elements come in the order of the text, places end with them") {
    json_reader json(" { \"b\" : [ 1 , null,2] ,\n\t\"a\\u00e9\\\"\":{\"c\":[]}}\r\n", "file");
    std::vector<std::string> seen;
    json.place = "top";
    json.object([&](std::string const& key) {
        seen.push_back(key);
        json.place += "." + key;
        if (key == "b")
            json.array([&](std::size_t i) {
                seen.push_back(json.accept("null") ? "null" : std::to_string(json.number()).substr(0, 1));
                json.place += std::to_string(i);
            });
        else
            json.object([&](std::string const& inner) {
                seen.push_back(inner);
                json.array([](std::size_t) { FAIL("an empty array has no element"); });
            });
    });
    json.end();
    CHECK(json.place == "top");
    CHECK(seen == std::vector<std::string>{"b", "1", "null", "2", "a\xc3\xa9\"", "c"});
}

TEST_CASE("json: numbers are those of the grammar, and finite") {
    CHECK(number<double>("-0.5e-3") == -0.5e-3);
    CHECK(number<double>("18446744073709551616") == 0x1p64);
    CHECK(number<std::uint64_t>("18446744073709551615") == UINT64_MAX);
    for (auto const* text : {"01", "1.", ".5", "+1", "1e", "-", "0x1", "1-2", "--1", "NaN", "Infinity", ""}) {
        CAPTURE(text);
        CHECK_THROWS_AS((number<double>(text), json_reader(text, "file").end()), file_error);
    }
    CHECK(thrown<file_error>([] { (void)number<double>("1e999"); }) == "file: a number beyond the range of double");
    CHECK(thrown<file_error>([] { (void)number<std::uint64_t>("-0"); }) == "file: unexpected negative number");
    CHECK(thrown<file_error>([] { (void)number<std::uint64_t>("1.0"); }) ==
          "file: unexpected fraction, exponent or number beyond 2^64");
}

TEST_CASE("json: what is no JSON is refused at its byte") {
    CHECK(error_of(R"(["a", "\ud83d\ude00"] )").empty());
    auto const [text, place] = GENERATE(table<std::string, std::string>({
        {"", "byte 3"},
        {"[", "byte 4"},
        {"]", "byte 3"},
        {"[,]", "byte 4"},
        {R"(["a",])", "byte 8"},
        {R"(["a" "b"])", "byte 8"},
        {R"(["a"}])", "byte 7"},
        {R"(["a"]])", "byte 8"},
        {R"(["a"] x)", "byte 9"},
        {"[\"a\"]\0"s, "byte 8"},
        {"[\"\0\"]"s, "byte 5"},
        {"[\"\n\"]", "byte 5"},
        {"[\"\xff\"]", "byte 5"},
        {R"(["\x"])", "byte 6"},
        {"/**/[]", "byte 3"},
    }));
    CAPTURE(text);
    CHECK(error_of(text) == "file: " + place + ": not UTF-8 encoded JSON (which has no NaN and no infinity)");
    CHECK_FALSE(error_of(R"(["\ud800"])").empty());
    CHECK_FALSE(error_of(R"(["a)").empty());
    CHECK_FALSE(error_of(R"(["\)").empty());
}

TEST_CASE("json: another kind of value, and a key that stands twice") {
    CHECK(error_of("[1]") == "file: unexpected number");
    CHECK(error_of("[[") == "file: unexpected array");
    CHECK(error_of("[true]") == "file: unexpected boolean");
    CHECK(error_of("{}") == "file: unexpected object");
    CHECK(error_of("null") == "file: unexpected null");
    json_reader json(R"({"a":1,"\u0061":2})", "file");
    json.place = "here";
    CHECK(thrown<file_error>([&] { json.object([&](std::string const&) { (void)json.number(); }); }) ==
          "file: here: duplicate key 'a'");
    for (auto const* text : {R"({"a"})", R"({"a" 1})", R"({1:2})", R"({"a":1,})", R"({"a":1)"}) {
        CAPTURE(text);
        json_reader broken(text, "file");
        CHECK_THROWS_AS(broken.object([&](std::string const&) { (void)broken.number(); }), file_error);
    }
}
