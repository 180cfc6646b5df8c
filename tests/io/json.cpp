#include "sequent/io/json.hpp"

#include <chrono>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using namespace std::string_literals;
using detail::json_value;
using detail::parse_json;
using sequent_tests::thrown;

namespace {

// The error of parsing the text, after three bytes of something else.
std::string error_of(std::string const& text) {
    return thrown<file_error>([&] { (void)parse_json(text, "file", 3); });
}

template <class T>
std::string error_as(std::string const& text) {
    auto const json = parse_json(text, "file");
    return thrown<file_error>([&] { (void)json_value{json, "file", "here"}.as<T>(); });
}

}  // namespace

TEST_CASE("json: values by type, and places that grow with them") {
    auto const json = parse_json(" { \"b\" : [ 1 , null,\"2\"] ,\n\t\"a\\u00e9\\\"\":{\"c\":[]}}\r\n", "file");
    json_value const top{json, "file", ""};
    CHECK(top.as<detail::json_object>().contains("a\xc3\xa9\""));
    json_value const list = top.member("b");
    CHECK(list.place == "b");
    CHECK(list.as<detail::json_array>().size() == 3);
    CHECK(list.element(0).as<std::uint64_t>() == 1);
    CHECK(list.element(1).json.is_null());
    CHECK(list.element(2).as<std::string>() == "2");
    CHECK(json_value{json, "file", "top"}.member("b").element(2).place == "top.b[2]");
    CHECK(thrown<file_error>([&] { list.element(1).fail("is ", 1); }) == "file: b[1]: is 1");
}

TEST_CASE("json: the keys that an object must and may have") {
    auto const json = parse_json(R"({"a":1,"b":2})", "file");
    json_value const top{json, "file", "top"};
    top.check_keys({"a", "b"});
    top.check_keys({"b"}, {"a", "c"});
    auto const error = [&](std::set<std::string_view> const& needed, std::set<std::string_view> const& optional = {}) {
        return thrown<file_error>([&] { top.check_keys(needed, optional); });
    };
    CHECK(error({"a"}) == "file: top: unknown key 'b'");
    CHECK(error({"a", "b", "c"}) == "file: top: missing key 'c'");
    CHECK(error({"a", "c"}, {"b"}) == "file: top: missing key 'c'");
}

TEST_CASE("json: numbers are those of the grammar, and finite") {
    CHECK(parse_json("-0.5e-3", "file").get<double>() == -0.5e-3);
    CHECK(parse_json("18446744073709551616", "file").get<double>() == 0x1p64);
    auto const largest = parse_json("18446744073709551615", "file");
    CHECK(json_value{largest, "file", ""}.as<std::uint64_t>() == UINT64_MAX);
    for (auto const* text : {"01", "1.", ".5", "+1", "1e", "-", "0x1", "1-2", "--1", "NaN", "Infinity", ""}) {
        CAPTURE(text);
        CHECK_FALSE(error_of(text).empty());
    }
    CHECK(error_of("1e999") == "file: a number beyond the range of double");
    CHECK(error_of(R"({"a":[1,-1e999]})") == "file: 'a': a number beyond the range of double");
    for (auto const* text : {"-0", "-1", "1.0", "1e0", "18446744073709551616"}) {
        CAPTURE(text);
        CHECK(error_as<std::uint64_t>(text) == "file: here: unexpected sign, fraction, exponent or number beyond 2^64");
    }
}

TEST_CASE("json: what is no JSON is refused at its byte") {
    CHECK(error_of(R"(["a", "\ud83d\ude00"] )").empty());
    auto const [text, place] = GENERATE(table<std::string, std::string>({
        {"", "byte 3"},
        {"[", "byte 4"},
        {"]", "byte 3"},
        {"[,]", "byte 4"},
        {R"(["a",])", "byte 8"},
        {R"(["a" "b"])", "byte 10"},
        {R"(["a"}])", "byte 7"},
        {R"(["a"]])", "byte 8"},
        {R"(["a"] x)", "byte 9"},
        {"[\"a\"]\0"s, "byte 8"},
        {"[\"a\"]\0[]"s, "byte 8"},
        {"[\"\0\"]"s, "byte 5"},
        {"[\"\n\"]", "byte 5"},
        {"[\"\xff\"]", "byte 5"},
        {"\xef\xbb\xbf[]", "byte 3"},
        {R"(["\x"])", "byte 6"},
        {"/**/[]", "byte 3"},
    }));
    CAPTURE(text);
    CHECK(error_of(text) == "file: " + place + ": not UTF-8 encoded JSON (which has no NaN and no infinity)");
    CHECK_FALSE(error_of(R"(["\ud800"])").empty());
    CHECK_FALSE(error_of(R"(["a)").empty());
    CHECK_FALSE(error_of(R"(["\)").empty());
    for (auto const* broken : {R"({"a"})", R"({"a" 1})", R"({1:2})", R"({"a":1,})", R"({"a":1)"}) {
        CAPTURE(broken);
        CHECK_FALSE(error_of(broken).empty());
    }
}

TEST_CASE("json: another kind of value") {
    CHECK(error_as<std::string>("1") == "file: here: unexpected number");
    CHECK(error_as<std::string>("[]") == "file: here: unexpected array");
    CHECK(error_as<std::uint64_t>("true") == "file: here: unexpected boolean");
    CHECK(error_as<detail::json_array>("{}") == "file: here: unexpected object");
    CHECK(error_as<detail::json_object>("null") == "file: here: unexpected null");
    CHECK(error_as<detail::json_object>(R"("")") == "file: here: unexpected string");
}

TEST_CASE("json: a key that stands twice in an object, and nesting") {
    CHECK(error_of(R"({"a":1,"\u0061":2})") == "file: 'a': duplicate key 'a'");
    CHECK(error_of(R"({"a":1,"b":2,"a":3})") == "file: 'a': duplicate key 'a'");
    CHECK(error_of(R"({"a":{"b":1},"c":[{"b":1},{"b":1,"d":{"b":1},"b":1}]})") == "file: 'c': duplicate key 'b'");
    CHECK(error_of(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}})").empty());
    CHECK(error_of("[[[[[[[[]]]]]]]]").empty());
    CHECK(error_of("[[[[[[[[[]]]]]]]]]") == "file: nested deeper than 8");
    CHECK(error_of("[" + std::string(1 << 20, '[')) == "file: nested deeper than 8");
}

TEST_CASE("json: many objects, keys and numbers take no more than their number's time") {
    // 2^18 of each: quadratic time would be minutes.
    std::string list = "[0", members = "{\"\":0", numbers = "[0";
    for (int i = 0; i < 1 << 18; ++i) {
        list += ",{}";
        members += ",\"" + std::to_string(i) + "\":{}";
        numbers += ",0";
    }
    auto const begin = std::chrono::steady_clock::now();
    CHECK(parse_json(list + "]", "file").size() == (1 << 18) + 1);
    CHECK(parse_json(members + "}", "file").size() == (1 << 18) + 1);
    CHECK(parse_json(numbers + "]", "file").size() == (1 << 18) + 1);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}
