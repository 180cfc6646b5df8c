// The AG News files of this machine, for golden values: SEQUENT_DATA_HOME names the folder whose ag_news holds them.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace sequent_tests {

// Empty where there is no such file.
[[nodiscard]] inline std::filesystem::path ag_news(std::string_view name) {
    char const* const home = std::getenv("SEQUENT_DATA_HOME");
    if (home == nullptr) return {};
    std::filesystem::path const path = std::filesystem::path(home) / "ag_news" / name;
    return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace sequent_tests
