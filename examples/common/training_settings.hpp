// What the user may ask of any program that trains a network on the news.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace news {

struct training_settings {
    std::optional<std::string> model;  // else that of `load`, else the program's usual one
    std::optional<std::filesystem::path> data, save, load;
    std::optional<int> epochs;  // else 1, or 0 where weights are loaded only to be used
    int batch = 16;
    int threads = 1;
    double rate = 1e-3;
    std::uint64_t seed = 1;
    int limit = std::numeric_limits<int>::max();  // rows in an epoch
};

}  // namespace news
