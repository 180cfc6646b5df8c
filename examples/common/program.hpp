// What the programs' main functions share.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "data_source.hpp"
#include "interrupt.hpp"
#include "progress.hpp"
#include "sequent/core/error.hpp"

namespace news {

// find_news() for this process: its environment, a bar for the download, and Ctrl-C to give that up.
[[nodiscard]] inline news_data find_news(std::optional<std::filesystem::path> const& given) {
    progress bar = progress::on_standard_error();
    download_source source;
    std::size_t expected = 0;  // of the file on its way, once the server has said
    source.watch = [&](std::size_t done, std::size_t total) {
        if (total > 0 && std::exchange(expected, total) != total)
            bar.start("download", "kB", static_cast<std::int64_t>(total / 1000));
        if (total > 0) bar.update(static_cast<std::int64_t>(done / 1000));
        return !interrupted();
    };
    return find_news(given, usual_places::of_environment(), source, std::cerr);
}

// Before hours of training, not after them. Throws file_error: no file can be made beside this one.
inline void check_folder(std::filesystem::path const& file) {
    std::filesystem::path const folder = file.has_parent_path() ? file.parent_path() : ".";
    if (access(folder.c_str(), W_OK | X_OK) != 0)
        throw sequent::file_error(file.string(), "", "cannot be written: " + std::generic_category().message(errno));
}

// Returns what run(argc, argv) does, or says what was thrown and returns 1.
template <class Run>
int guarded_main(std::string_view name, Run run, int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (std::exception const& failure) {
        std::cerr << name << ": " << failure.what() << std::endl;
        return 1;
    }
}

}  // namespace news
