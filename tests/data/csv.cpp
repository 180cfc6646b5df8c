#include "sequent/data/csv.hpp"

#include <sstream>

#include "catch.hpp"

using table = std::vector<std::vector<std::string>>;

namespace {

table parse(std::string const& text, sequent::csv_limits limits = {}) {
    sequent::csv_reader reader(std::make_unique<std::istringstream>(text), "file", limits);
    table rows;
    while (reader.next()) rows.emplace_back(reader.fields().begin(), reader.fields().end());
    return rows;
}

}  // namespace

TEST_CASE("csv_reader reads the dialect of Python's csv.reader, whatever the size of its blocks", "[csv]") {
    std::size_t const block = GENERATE(1u, 2u, 3u, 7u, 1u << 18);
    sequent::csv_limits const limits{.block = block};
    CAPTURE(block);
    CHECK(parse("", limits).empty());
    CHECK(parse("a", limits) == table{{"a"}});
    CHECK(parse("a,b\nc,d\n", limits) == table{{"a", "b"}, {"c", "d"}});
    CHECK(parse("a,b\r\nc,d\r\n", limits) == table{{"a", "b"}, {"c", "d"}});
    CHECK(parse(",\n,", limits) == table{{"", ""}, {"", ""}});
    CHECK(parse("\n\r\na\n", limits) == table{{}, {}, {"a"}});
    CHECK(parse("\"\"\n", limits) == table{{""}});
    CHECK(parse("\"a,\"\"b\"\"\",\"\"\"\"\n", limits) == table{{"a,\"b\"", "\""}});
    CHECK(parse("\"a\r\nb\",c\nd", limits) == table{{"a\r\nb", "c"}, {"d"}});
    CHECK(parse("a\"b\", \"c\"\n", limits) == table{{"a\"b\"", " \"c\""}});
    CHECK(parse("\"dwindling\\band\",\"\\\"\n", limits) == table{{"dwindling\\band", "\\"}});
    CHECK(parse("\xEF\xBB\xBF\"3\",x\n", limits) == table{{"3", "x"}});
    CHECK(parse("\xEF\xBB", limits) == table{{"\xEF\xBB"}});
    CHECK(parse("\xFF,\xC3\n", limits) == table{{"\xFF", "\xC3"}});
}

TEST_CASE("csv_reader names the line of what is wrong", "[csv]") {
    std::size_t const block = GENERATE(1u, 5u, 1u << 18);
    sequent::csv_limits const limits{.block = block};
    CHECK_THROWS_WITH(parse("a\nb,\"c\nd\n\ne", limits), "file: line 2: the quote that opens here is never closed");
    CHECK_THROWS_WITH(parse("\"a\nb\"c\n", limits), "file: line 2: text after a closing quote");
    CHECK_THROWS_WITH(parse("\"a\" ,b\n", limits), "file: line 1: text after a closing quote");
    CHECK_THROWS_WITH(parse("a\nb\rc\n", limits), "file: line 2: a carriage return without a newline");
    CHECK_THROWS_WITH(parse("a\r", limits), "file: line 1: a carriage return without a newline");
    CHECK_THROWS_WITH(parse(std::string("a\n\0", 3), limits), "file: line 2: a NUL byte");
    CHECK_THROWS_WITH(parse(std::string("\"a\n\0\n\"", 6), limits), "file: line 2: a NUL byte");
}

TEST_CASE("csv_reader keeps to its limits", "[csv]") {
    std::size_t const block = GENERATE(1u, 1u << 18);
    CHECK(parse("abc,\"a\"\"c\"\n", {.max_field = 3, .block = block}).size() == 1);
    CHECK_THROWS_WITH(parse("a\nabcd\n", {.max_field = 3, .block = block}),
                      "file: line 2: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("\"a\"\"cd\"\n", {.max_field = 3, .block = block}),
                      "file: line 1: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("\"abc\"\"\"\n", {.max_field = 3, .block = block}),
                      "file: line 1: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("a,b\na,b,c\n", {.max_columns = 2, .block = block}), "file: line 2: more than 2 columns");
    CHECK(parse("a\nb\n", {.max_rows = 2, .block = block}).size() == 2);
    CHECK_THROWS_WITH(parse("a\nb\nc\n", {.max_rows = 2, .block = block}), "file: line 3: more than 2 rows");
    CHECK_THROWS_WITH(parse("abcdef\n", {.max_file = 6, .block = block}), "file: has more than 6 bytes");
    CHECK_THROWS_AS(parse("a", {.block = 0}), sequent::argument_error);
}

TEST_CASE("csv_reader knows the line of a row", "[csv]") {
    sequent::csv_reader reader(std::make_unique<std::istringstream>("a\n\"b\n\n\"\nc\n"), "file");
    std::vector<std::uint64_t> lines;
    while (reader.next()) lines.push_back(reader.line());
    CHECK(lines == std::vector<std::uint64_t>{1, 2, 5});
    sequent::csv_reader again(std::make_unique<std::istringstream>("a\nb\n"), "file");
    REQUIRE(again.next());
    REQUIRE(again.next());
    CHECK_THROWS_WITH(again.reject(2, "is odd"), "file: line 2: column 2: is odd");
    CHECK_THROWS_WITH(again.reject(0, "is odd"), "file: line 2: is odd");
}

TEST_CASE("a CSV file that cannot be read is a file_error", "[csv]") {
    std::filesystem::path const folder = std::filesystem::temp_directory_path();
    CHECK_THROWS_WITH(sequent::csv_reader("no/such/file"), "no/such/file: cannot be opened");
    CHECK_THROWS_WITH(sequent::csv_reader(folder), folder.string() + ": cannot be read");
}
