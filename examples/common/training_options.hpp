// The command line of the programs that train on the news: what they have in common.
#pragma once

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sequent/config.hpp"
#include "sequent/core/error.hpp"
#include "training_settings.hpp"

namespace news {

inline constexpr int usage_error = 2;

struct model_help {
    std::string name, structure;
};

// For footers: where the data come from, and what the exit codes mean.
inline constexpr std::string_view data_help =
    "Data: --data, else $SEQUENT_DATA_HOME/ag_news, else $XDG_CACHE_HOME/sequent/ag_news (~/.cache/...), else\n"
    "a download of AG News to there, else made-up news. Standard error says which.\n";
inline constexpr std::string_view exit_help = "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted";

template <class Choice, std::size_t Count>
[[nodiscard]] std::vector<model_help> help_of(Choice const (&models)[Count]) {
    std::vector<model_help> help;
    for (Choice const& model : models) {
        model_help& one = help.emplace_back();
        one.name = model.name, one.structure = model.structure;
    }
    return help;
}
[[nodiscard]] inline std::string lines_of(std::vector<model_help> const& models) {
    std::string text;
    for (model_help const& model : models)
        text += "  " + model.name + std::string(10 - model.name.size(), ' ') + model.structure + "\n";
    return text;
}

// A check of CLI11 that the help does not speak of, where the option's own words say it better.
[[nodiscard]] inline CLI::Validator unsaid(CLI::Validator check) { return check.description(""); }

// Of a number that from_chars reads to the end: accepts(value), or an error that says what is needed.
template <class Accepts>
[[nodiscard]] CLI::Validator number(std::string needed, Accepts accepts) {
    return {[needed = std::move(needed), accepts](std::string& text) {
                double value = 0;
                char const* const last = text.data() + text.size();
                auto const [end, failure] = std::from_chars(text.data(), last, value);
                bool const fits = failure == std::errc{} && end == last && std::isfinite(value) && accepts(value);
                return fits ? std::string() : "needs " + needed + ", not " + text;
            },
            ""};
}

// What the help says of the options that mean something else in every program.
struct option_words {
    std::string row;         // of the data: "row"
    std::string seed;        // what is drawn from it
    std::string save, load;  // what is written to FILE, and what is read from it
};

// Groups "Training" and "Files". What stands in `to` are the defaults, which the help shows.
inline void add_training_options(CLI::App& app, std::vector<model_help> const& models, option_words const& words,
                                 training_settings& to) {
    using sequent::message;
    std::vector<std::string> names;
    for (model_help const& model : models) names.push_back(model.name);
    auto const train = [&](char const* name, auto& value, std::string const& help, CLI::Validator const& check) {
        return app.add_option(name, value, help)->check(check)->type_name("N")->group("Training");
    };
    train("--model", to.model, message("which network (", names.front(), ")"), CLI::IsMember(names))->type_name("NAME");
    train("--epochs", to.epochs, message("passes over the training ", words.row, "s (1)"),
          unsaid(CLI::NonNegativeNumber));
    train("--batch", to.batch, message(words.row, "s in a batch (", to.batch, ")"), unsaid(CLI::Range(1, 1 << 20)));
    train("--rate", to.rate, message("learning rate of Adam (", to.rate, ")"),
          number("a positive number", [](double value) { return value > 0; }))
        ->type_name("R");
    train("--seed", to.seed, message(words.seed, " (", to.seed, ")"), unsaid(CLI::NonNegativeNumber));
    train("--limit", to.limit, message(words.row, "s in an epoch, drawn anew for each (all)"),
          unsaid(CLI::PositiveNumber));
    train("--threads", to.threads,
          message("that share the work of large batches; the numbers are the same (", to.threads, ")"),
          unsaid(CLI::Range(1, 1024)));

    app.add_option("--data", to.data, "folder of train.csv and test.csv")->type_name("DIR")->group("Files");
    app.add_option("--save", to.save, words.save)->type_name("FILE")->group("Files");
    app.add_option("--load", to.load, words.load)->type_name("FILE")->group("Files");
}

// Reads the arguments. Returns the exit code if the program is to end here: 0 after --help and --version, 2 after a
// mistake, which `errors` explains.
[[nodiscard]] inline std::optional<int> parse(CLI::App& app, int argc, char const* const* argv, std::ostream& out,
                                              std::ostream& errors) {
    app.set_version_flag("--version", sequent::message(app.get_name(), " of sequent ", SEQUENT_VERSION_MAJOR, ".",
                                                       SEQUENT_VERSION_MINOR, ".", SEQUENT_VERSION_PATCH));
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& stop) {
        return app.exit(stop, out, errors) == 0 ? 0 : usage_error;
    }
    return {};
}

}  // namespace news
