// A run in the notes of its checkpoint: the options that shape it, how far it is, and what it has added up.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../common/stored_words.hpp"
#include "options.hpp"
#include "sequent/train/checkpoint.hpp"

#include "sums.hpp"

namespace news {

inline constexpr char const *options_key = "news.options", *progress_key = "news.progress", *report_key = "news.report";

struct run_progress {
    summary done;      // the epochs that are done
    epoch_sums epoch;  // what is done of the one that is not

    // Both together.
    [[nodiscard]] summary sum(bool as_lesson) const {
        if (epoch.batches == 0) return done;
        summary all = done;
        all.rows += epoch.lesson.count;
        all.tokens += epoch.tokens;
        all.seconds += epoch.seconds;
        all.loss = epoch.mean_loss(as_lesson);
        all.train_accuracy = epoch.lesson.accuracy();
        return all;
    }
    template <class F>
    void each_number(F&& f) {
        f("epochs", done.epochs), f("rows", done.rows), f("tokens", done.tokens), f("seconds", done.seconds);
        f("loss", done.loss), f("train_accuracy", done.train_accuracy), f("test_accuracy", done.test_accuracy);
        f("epoch_loss", epoch.loss), f("epoch_lesson_loss", epoch.lesson.loss);
        f("epoch_correct", epoch.lesson.correct), f("epoch_rows", epoch.lesson.count);
        f("epoch_batches", epoch.batches), f("epoch_tokens", epoch.tokens), f("epoch_seconds", epoch.seconds);
    }
};

// Counts have room left to grow.
template <class Number>
inline constexpr Number largest_number = std::numeric_limits<Number>::max();
template <>
inline constexpr std::int64_t largest_number<std::int64_t> = std::int64_t{1} << 53;

// The numbers of whatever has each_number(f), as "epochs=2 rows=4804 loss=0.51 ...".
template <class Numbers>
[[nodiscard]] std::string text_of(Numbers& numbers) {
    std::string text;
    numbers.each_number([&](std::string_view name, auto const& value, auto...) {
        text += sequent::message(text.empty() ? "" : " ", name, "=", sequent::number_text(value));
    });
    return text;
}

// Sets them from such a text. Throws file_error, with file and key, where the text is any other.
template <class Numbers>
void read_numbers(Numbers& numbers, std::string_view text, std::filesystem::path const& file, std::string_view key) {
    auto const fail = [&](std::string_view word, std::string_view needed) {
        throw sequent::file_error(file.string(), key, sequent::message(sequent::in_quotes(word), ", not ", needed));
    };
    auto const next = [&] {
        std::string_view const word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        return word;
    };
    numbers.each_number([&]<class Number>(std::string_view name, Number& value,
                                          std::type_identity_t<Number> largest = largest_number<Number>) {
        std::string_view const word = next();
        bool const named = word.starts_with(name) && word.substr(name.size()).starts_with('=');
        auto const number = sequent::parse_number<Number>(word.substr(named ? name.size() + 1 : word.size()));
        if (!number || (std::integral<Number> && *number < Number{}) || *number > largest)
            return fail(word,
                        sequent::message(name, "= and a number",
                                         largest < largest_number<Number> ? sequent::message(" up to ", largest) : ""));
        value = *number;
    });
    if (!text.empty()) fail(next(), "the end");
}

// The options that shape a run, as its command line would give them.
[[nodiscard]] inline std::string shaping_options(settings const& options, std::string_view model, int epochs) {
    return sequent::message("--model ", model, " --epochs ", epochs, " --batch ", options.batch, " --rate ",
                            sequent::number_text(options.rate), " --seed ", options.seed, " --limit ", options.limit,
                            options.lesson ? " --lesson" : "");
}

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
