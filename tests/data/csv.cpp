#include "sequent/data/csv.hpp"

#include <sstream>

#include "catch.hpp"

using table = std::vector<std::vector<std::string>>;

namespace {

table parse(std::string const& text, sequent::csv_limits limits = {}) {
    std::istringstream in(text);
    sequent::csv_reader reader(in, "file", limits);
    table rows;
    while (reader.next()) rows.emplace_back(reader.fields().begin(), reader.fields().end());
    return rows;
}

}  // namespace

TEST_CASE("csv_reader reads the dialect of Python's csv.reader", "[csv]") {
    CHECK(parse("").empty());
    CHECK(parse("a") == table{{"a"}});
    CHECK(parse("a,b\nc,d\n") == table{{"a", "b"}, {"c", "d"}});
    CHECK(parse("a,b\r\nc,d\r\n") == table{{"a", "b"}, {"c", "d"}});
    CHECK(parse(",\n,") == table{{"", ""}, {"", ""}});
    CHECK(parse("\n\r\na\n") == table{{}, {}, {"a"}});
    CHECK(parse("\"\"\n") == table{{""}});
    CHECK(parse("\"a,\"\"b\"\"\",\"\"\"\"\n") == table{{"a,\"b\"", "\""}});
    CHECK(parse("\"a\r\nb\",c\nd") == table{{"a\r\nb", "c"}, {"d"}});
    CHECK(parse("a\"b\", \"c\"\n") == table{{"a\"b\"", " \"c\""}});
    CHECK(parse("\"dwindling\\band\",\"\\\"\n") == table{{"dwindling\\band", "\\"}});
    CHECK(parse("\xEF\xBB\xBF\"3\",x\n") == table{{"3", "x"}});
    CHECK(parse("\xEF\xBB\xBF").empty());
    CHECK(parse("\xEF\xBB\xBF\n") == table{{}});
    CHECK(parse("\xEF\xBB") == table{{"\xEF\xBB"}});
    CHECK(parse("\xFF,\xC3\n") == table{{"\xFF", "\xC3"}});
}

TEST_CASE("csv_reader names the line of what is wrong", "[csv]") {
    CHECK_THROWS_WITH(parse("a\nb,\"c\nd\n\ne"), "file: line 2: the quote that opens here is never closed");
    CHECK_THROWS_WITH(parse("\"a\nb\"c\n"), "file: line 2: text after a closing quote");
    CHECK_THROWS_WITH(parse("\"a\" ,b\n"), "file: line 1: text after a closing quote");
    CHECK_THROWS_WITH(parse("a\nb\rc\n"), "file: line 2: a carriage return without a newline");
    CHECK_THROWS_WITH(parse("a\r"), "file: line 1: a carriage return without a newline");
    CHECK_THROWS_WITH(parse(std::string("a\n\0", 3)), "file: line 2: a NUL byte");
    CHECK_THROWS_WITH(parse(std::string("\"a\n\0\n\"", 6)), "file: line 2: a NUL byte");
}

TEST_CASE("csv_reader keeps to its limits", "[csv]") {
    CHECK(parse("abc,\"a\"\"c\"\n", {.max_field = 3}).size() == 1);
    CHECK_THROWS_WITH(parse("a\nabcd\n", {.max_field = 3}), "file: line 2: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("\"a\"\"cd\"\n", {.max_field = 3}), "file: line 1: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("\"abc\"\"\"\n", {.max_field = 3}), "file: line 1: a field of more than 3 bytes");
    CHECK_THROWS_WITH(parse("a,b\na,b,c\n", {.max_columns = 2}), "file: line 2: more than 2 columns");
    CHECK(parse("a\nb\n", {.max_rows = 2}).size() == 2);
    CHECK_THROWS_WITH(parse("a\nb\nc\n", {.max_rows = 2}), "file: line 3: more than 2 rows");
    CHECK_THROWS_WITH(parse("abcdef\n", {.max_file = 6}), "file: line 1: the file has more than 6 bytes");
    CHECK_THROWS_WITH(parse("abcdef\n", {.max_line = 5}), "file: line 1: the line has more than 5 bytes");
}

TEST_CASE("csv_reader knows the line of a row", "[csv]") {
    std::istringstream in("a\n\"b\n\n\"\nc\n");
    sequent::csv_reader reader(in, "file");
    for (auto const* line : {"file: line 1", "file: line 2", "file: line 5"}) {
        REQUIRE(reader.next());
        CHECK_THROWS_WITH(reader.reject("is ", 1), std::string(line) + ": is 1");
    }
    CHECK_FALSE(reader.next());
}

TEST_CASE("a CSV file that cannot be read is a file_error", "[csv]") {
    std::filesystem::path const folder = std::filesystem::temp_directory_path();
    CHECK_THROWS_WITH(sequent::csv_reader("no/such/file"), "no/such/file: cannot be opened");
    CHECK_THROWS_WITH((void)sequent::csv_reader(folder).next(), folder.string() + ": cannot be read");
}
