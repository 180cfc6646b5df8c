#include "sequent/text/line_reader.hpp"

#include <sstream>

#include "catch.hpp"

TEST_CASE("line_reader gives lines without their ends", "[line_reader]") {
    std::istringstream in(std::string("a\n\nb\0c\r\n", 8));
    sequent::line_reader lines(in, "file");
    std::string_view line;
    REQUIRE(lines.next(line));
    CHECK(line == "a");
    REQUIRE(lines.next(line));
    CHECK(line.empty());
    REQUIRE(lines.next(line));
    CHECK(line == std::string_view("b\0c\r", 4));
    CHECK(lines.number() == 3);
    CHECK_FALSE(lines.next(line));
}

TEST_CASE("line_reader keeps to its limits and refuses a cut file", "[line_reader]") {
    auto const read = [](std::string const& text, sequent::line_limits limits) {
        std::istringstream in(text);
        sequent::line_reader lines(in, "file", limits);
        for (std::string_view line; lines.next(line);) {}
        return lines.number();
    };
    CHECK(read("abcd\nabcd\n", {.max_line = 4, .max_file = 10}) == 2);
    CHECK_THROWS_WITH(read("abcd\nabcde\n", {.max_line = 4}), "file: line 2: the line has more than 4 bytes");
    CHECK_THROWS_WITH(read("abcd\nabcd\n", {.max_line = 4, .max_file = 9}),
                      "file: line 2: the file has more than 9 bytes");
    CHECK_THROWS_WITH(read("a\nb", {}), "file: line 2: the last line does not end: the file is cut off");
}

TEST_CASE("a file that cannot be read is a file_error", "[line_reader]") {
    CHECK_THROWS_WITH(sequent::open_for_reading("no/such/file"), "no/such/file: cannot be opened");
    CHECK_THROWS_AS(
        [] {
            std::ifstream in = sequent::open_for_reading(std::filesystem::temp_directory_path());  // a folder
            sequent::line_reader lines(in, "folder");
            std::string_view line;
            return lines.next(line);
        }(),
        sequent::file_error);
}
