// What the user asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace news {

struct settings {
    std::optional<std::string> model;  // else that of `load`, else "packed"
    std::optional<std::filesystem::path> data, save, load, metrics;
    std::optional<std::string> classify;  // a text, or "-" for the lines of standard input
    std::optional<int> epochs;            // else 1, or 0 where weights are loaded to classify
    int batch = 16;
    double rate = 1e-3;
    std::uint64_t seed = 1;
    int limit = std::numeric_limits<int>::max();  // rows in an epoch
    bool lesson = false;

    [[nodiscard]] bool only_classifies() const { return load && classify && !epochs; }
};

}  // namespace news
