// What the user asked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "../common/training_settings.hpp"

namespace news {

struct settings : training_settings {
    std::optional<std::filesystem::path> metrics, plot, checkpoint, resume;
    int checkpoint_every = 10000;         // batches
    std::optional<std::string> classify;  // a text, or "-" for the lines of standard input
    bool lesson = false;
    std::string device = "cpu";  // or "cuda"

    [[nodiscard]] bool only_classifies() const { return load && classify && !epochs && !resume; }
};

}  // namespace news
