// A run as its checkpoint holds it, and the command line that goes on from there.
#pragma once

#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../common/stored_words.hpp"
#include "options.hpp"
#include "run_progress.hpp"

namespace news {

struct stored_run {
    std::filesystem::path file;
    settings options;  // those that shape it
    run_progress progress;
    std::string words, report;  // the words' fingerprint; the numbers of the report
};

// Throws file_error: damaged, or no checkpoint of this program.
[[nodiscard]] inline stored_run load_run(std::filesystem::path const& file, std::vector<model_help> const& models) {
    auto const metadata = sequent::safetensors::read(file).metadata();
    auto const note = [&](std::string_view key) -> std::string const& {
        auto const found = metadata.find(key);
        if (found == metadata.end())
            throw sequent::file_error(file.string(), key, "missing; give a file that --checkpoint has written");
        return found->second;
    };
    std::istringstream words("news_classifier " + note(options_key));
    std::vector<std::string> arguments;
    for (std::string word; words >> word;) arguments.push_back(word);
    std::vector<char const*> argv;
    for (std::string const& argument : arguments) argv.push_back(argument.c_str());
    stored_run run{file, {}, {}, note(words_key), note(report_key)};
    std::ostringstream unused;
    if (read_options(static_cast<int>(argv.size()), argv.data(), models, run.options, unused, unused) ||
        shaping_options(run.options, run.options.model.value_or(""), run.options.epochs.value_or(0)) !=
            note(options_key))
        throw sequent::file_error(file.string(), options_key,
                                  sequent::in_quotes(note(options_key)) + " are not the options of a run");
    read_numbers(run.progress, note(progress_key), file, progress_key);
    return run;
}

// As read_options. With --resume, options that shape the run and are not given are those of the checkpoint, which is
// read into `resumed`; those that are given must be the same, but there may be more epochs.
[[nodiscard]] inline std::optional<int>
read_command_line(int argc, char const* const* argv, std::vector<model_help> const& models, settings& to,
                  std::optional<stored_run>& resumed, std::ostream& out = std::cout, std::ostream& errors = std::cerr) {
    std::optional<int> const stop = read_options(argc, argv, models, to, out, errors);
    if (stop || !to.resume) return stop;
    resumed = load_run(*to.resume, models);
    settings const& then = resumed->options;
    to = then;
    (void)read_options(argc, argv, models, to, out, errors);  // once more, on top
    if (!to.checkpoint) to.checkpoint = to.resume;

    bool agreed = true;
    auto const agree = [&](std::string_view option, auto const& given, auto const& stored) {
        if (given == stored) return;
        errors << option << ": " << resumed->file.string() << " is of a run with " << stored << ", not " << given
               << std::endl;
        agreed = false;
    };
    agree("--model", *to.model, *then.model);
    agree("--batch", to.batch, then.batch);
    agree("--rate", to.rate, then.rate);
    agree("--seed", to.seed, then.seed);
    agree("--limit", to.limit, then.limit);
    agree("--lesson", to.lesson, then.lesson);
    int const begun = resumed->progress.done.epochs + (resumed->progress.epoch.batches > 0 ? 1 : 0);
    if (*to.epochs < begun) agree("--epochs", *to.epochs, begun);
    return agreed ? std::nullopt : std::optional(usage_error);
}

}  // namespace news
