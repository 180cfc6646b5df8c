// How far a run is and the options that shape it, as the notes of its checkpoint hold them.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "sequent/train/checkpoint.hpp"
#include "settings.hpp"
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

}  // namespace news
