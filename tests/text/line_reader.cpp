#include "sequent/text/line_reader.hpp"

#include <sstream>

#include "catch.hpp"

TEST_CASE("line_reader gives lines without their ends", "[line_reader]") {
    std::istringstream in(std::string("a\n\nb\0c\r\n", 8));
    sequent::text_source const from(in, "file");
    sequent::line_reader lines(from);
    std::string_view line;
    REQUIRE(lines.next(line));
    CHECK(line == "a");
    REQUIRE(lines.next(line));
    CHECK(line.empty());
    REQUIRE(lines.next(line));
    CHECK(line == std::string_view("b\0c\r", 4));
    CHECK_THROWS_WITH(lines.reject("no ", 1), "file: line 3: no 1");
    CHECK_FALSE(lines.next(line));
}

TEST_CASE("line_reader keeps to its limits and refuses a cut file", "[line_reader]") {
    auto const read = [](std::string const& text, sequent::line_limits limits) {
        std::istringstream in(text);
        sequent::text_source const from(in, "file");
        sequent::line_reader lines(from, limits);
        int count = 0;
        for (std::string_view line; lines.next(line); ++count) {}
        return count;
    };
    CHECK(read("abcd\nabcd\n", {.max_line = 4, .max_file = 10}) == 2);
    CHECK_THROWS_WITH(read("abcd\nabcde\n", {.max_line = 4}), "file: line 2: the line has more than 4 bytes");
    CHECK_THROWS_WITH(read("abcd\nabcd\n", {.max_line = 4, .max_file = 9}),
                      "file: line 2: the file has more than 9 bytes");
    CHECK_THROWS_WITH(read("a\nb", {}), "file: line 2: the last line does not end: the file is cut off");
}

TEST_CASE("a file that cannot be read is a file_error", "[line_reader]") {
    CHECK_THROWS_WITH(sequent::text_source("no/such/file"), "no/such/file: cannot be opened");
    CHECK_THROWS_AS(
        [] {
            sequent::text_source const folder(std::filesystem::temp_directory_path());
            sequent::line_reader lines(folder);
            std::string_view line;
            return lines.next(line);
        }(),
        sequent::file_error);
}
