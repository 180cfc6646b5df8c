// Where the news come from: a folder that is given, the usual places, a download, or the made-up corpus.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "corpus.hpp"
#include "download.hpp"
#include "sequent/data/labelled_text.hpp"

namespace news {

struct news_data {
    std::string origin;  // a folder, or "made up"
    std::vector<sequent::labelled_text> train, test;
};

// The folders that the environment names, each to hold train.csv and test.csv.
struct usual_places {
    std::optional<std::filesystem::path> home;   // $SEQUENT_DATA_HOME/ag_news
    std::optional<std::filesystem::path> cache;  // $XDG_CACHE_HOME/sequent/ag_news, or below ~/.cache

    static usual_places of_environment() {
        auto const variable = [](char const* name) {
            char const* const value = std::getenv(name);
            return std::filesystem::path(value == nullptr ? "" : value);
        };
        usual_places places;
        if (auto const home = variable("SEQUENT_DATA_HOME"); !home.empty()) places.home = home / "ag_news";
        // The XDG base directory specification: a relative path is to be ignored.
        if (auto const cache = variable("XDG_CACHE_HOME"); cache.is_absolute())
            places.cache = cache / "sequent" / "ag_news";
        else if (auto const user = variable("HOME"); !user.empty())
            places.cache = user / ".cache" / "sequent" / "ag_news";
        return places;
    }
};

// Where AG News can be fetched from (Zhang, Zhao and LeCun, "Character-level Convolutional Networks for Text
// Classification", 2015; for research and other non-commercial use).
struct download_source {
    std::string base_url = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv";
    std::vector<remote_file> files = {
        {"train.csv", std::size_t{40} << 20, "MD5", "b1a00f826fdfbd249f79597b59e1dc12"},
        {"test.csv", std::size_t{4} << 20, "SHA256",
         "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699"},
    };
    news::patience patience = {};
    download_watch watch = {};
};

[[nodiscard]] inline bool is_there(std::filesystem::path const& file) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(file, ignored) && std::filesystem::file_size(file, ignored) > 0;
}
[[nodiscard]] inline bool holds_news(std::filesystem::path const& folder) {
    return is_there(folder / "train.csv") && is_there(folder / "test.csv");
}

// Throws file_error: a file that is missing, damaged or without rows.
[[nodiscard]] inline news_data read_news(std::filesystem::path const& folder) {
    news_data data{folder.string(), sequent::read_labelled_text(folder / "train.csv"),
                   sequent::read_labelled_text(folder / "test.csv")};
    if (data.train.empty()) throw sequent::file_error((folder / "train.csv").string(), "", "holds no rows");
    if (data.test.empty()) throw sequent::file_error((folder / "test.csv").string(), "", "holds no rows");
    return data;
}

// Tries `given`, and nothing else if there is one; then places.home, places.cache, a download into places.cache, and
// makes up news in the end. Says on `log` what it uses and why. Throws file_error: `given` lacks a file; a file that is
// there is damaged.
[[nodiscard]] inline news_data find_news(std::optional<std::filesystem::path> const& given, usual_places const& places,
                                         download_source const& source, std::ostream& log) {
    auto const use = [&](std::filesystem::path const& folder) {
        log << "data: AG News in " << folder.string() << std::endl;
        return read_news(folder);
    };
    if (given) {
        if (!holds_news(*given))
            throw sequent::file_error(given->string(), "", "does not hold the files train.csv and test.csv");
        return use(*given);
    }
    if (places.home) {
        if (holds_news(*places.home)) return use(*places.home);
        log << "data: SEQUENT_DATA_HOME is set, but " << places.home->string()
            << " does not hold the files train.csv and test.csv; looking further" << std::endl;
    }
    if (places.cache) {
        if (holds_news(*places.cache)) return use(*places.cache);
        try {
            for (remote_file const& file : source.files) {
                if (is_there(*places.cache / file.name)) continue;
                log << "data: downloading " << file.name
                    << " of AG News (for research and other non-commercial use) to " << places.cache->string()
                    << std::endl;
                download(source.base_url, file, *places.cache, source.patience, source.watch);
            }
            return use(*places.cache);
        } catch (sequent::error const& failure) {
            if (holds_news(*places.cache)) throw;  // it came, and cannot be read
            log << "data: " << failure.what() << std::endl;
        }
    }
    log << "data: made-up news, for want of the real ones. To use AG News, fetch train.csv and test.csv from\n      "
        << source.base_url << "\n      and put them into a folder that you name with --data, or into "
        << (places.cache ? places.cache->string() : "$SEQUENT_DATA_HOME/ag_news") << std::endl;
    made_up_corpus corpus = make_up_corpus();
    return {"made up", std::move(corpus.train), std::move(corpus.test)};
}

}  // namespace news
