#include "sequent/core/error.hpp"

#include <clocale>
#include <locale>

#include "catch.hpp"

using namespace sequent;

TEST_CASE("message: joins its parts, whatever the locale") {
    CHECK(message("expected ", 4, " columns, got ", 2.5, std::string_view("!")) == "expected 4 columns, got 2.5!");

    struct comma : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    std::locale const before = std::locale::global(std::locale(std::locale::classic(), new comma));
    std::string const text = message(1234567, " ", 0.5);
    std::locale::global(before);
    CHECK(text == "1234567 0.5");
}

TEST_CASE("require: throws its message unless the condition holds") {
    CHECK_NOTHROW(require(true, "never ", 1));
    CHECK_THROWS_AS(require(false, "x"), argument_error);
    CHECK_THROWS_WITH(require(false, "expected ", 4, ", got ", 2.5), "expected 4, got 2.5");
}

TEST_CASE("errors: a file's name and place come first") {
    CHECK(file_error("a.csv", "line 3", "no label").what() == std::string("a.csv: line 3: no label"));
    CHECK(file_error("a.csv", "", "has ", 0, " rows").what() == std::string("a.csv: has 0 rows"));
}

TEST_CASE("errors: all are sequent::error and std::runtime_error") {
    CHECK_THROWS_AS(throw argument_error("x"), error);
    CHECK_THROWS_WITH(throw argument_error("x", 1), "x1");
    CHECK_THROWS_AS(throw file_error("x", "", "y"), error);
    CHECK_THROWS_AS(throw numeric_error("x"), error);
    CHECK_THROWS_AS(throw error("x"), std::runtime_error);
}
