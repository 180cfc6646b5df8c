// Runs the tests of one folder. Exit codes: 0 passed, 1 failed, 4 a test case was skipped and nothing failed.
#define CATCH_CONFIG_RUNNER
#include "catch.hpp"

std::filesystem::path sequent_tests::fixture(std::string_view name) {
    return std::filesystem::path(SEQUENT_TESTS_FIXTURES) / name;
}

int main(int argc, char** argv) {
    // Catch2 returns the number of failed assertions, which could be 4 too.
    if (Catch::Session().run(argc, argv) != 0) return 1;
    return sequent_tests::skipped ? 4 : 0;
}
