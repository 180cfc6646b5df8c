// Catch2, version 2 or 3, and what our tests need beside it.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // where version 2 has it
#else
#include <catch2/catch.hpp>
#endif

#include <filesystem>
#include <string_view>

namespace sequent_tests {

// Set by SKIP_TEST; main() then ends with the exit code that ctest counts as skipped, unless an assertion failed.
inline bool skipped = false;

// The path of a file under tests/fixtures.
[[nodiscard]] std::filesystem::path fixture(std::string_view name);

}  // namespace sequent_tests

// Leaves the test case because the machine lacks what it needs; the reason, a string, stands in the test's output.
// (Catch2 has a SKIP since 3.3.)
#define SKIP_TEST(reason)                                                                                              \
    do {                                                                                                               \
        sequent_tests::skipped = true;                                                                                 \
        WARN("skipped: " << (reason));                                                                                 \
        SUCCEED();                                                                                                     \
        return;                                                                                                        \
    } while (false)
