// The command line.
#pragma once

#include <CLI/CLI.hpp>

#include <charconv>
#include <cmath>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "sequent/config.hpp"
#include "sequent/core/error.hpp"
#include "settings.hpp"

namespace news {

inline constexpr int usage_error = 2;

struct model_help {
    std::string name, structure;
};

// Reads the arguments into `to`. Returns the exit code if the program is to end here: 0 after --help and --version, 2
// after a mistake, which `errors` explains.
[[nodiscard]] inline std::optional<int> read_options(int argc, char const* const* argv,
                                                     std::vector<model_help> const& models, settings& to,
                                                     std::ostream& out = std::cout, std::ostream& errors = std::cerr) {
    CLI::App app("Trains a recurrent network to sort news into World, Sports, Business and Sci/Tech, evaluates it on\n"
                 "the test file, and classifies texts with it.",
                 "news_classifier");
    app.set_version_flag("--version", sequent::message("news_classifier of sequent ", SEQUENT_VERSION_MAJOR, ".",
                                                       SEQUENT_VERSION_MINOR, ".", SEQUENT_VERSION_PATCH));
    std::string list, footer = "Models, of embedding 64 and hidden size 32:\n";
    std::vector<std::string> names;
    for (model_help const& model : models) {
        names.push_back(model.name);
        footer += "  " + model.name + std::string(10 - model.name.size(), ' ') + model.structure + "\n";
    }
    footer +=
        "Without --lesson every sequence ends at its true last word, so lstm and packed are the same; nothing\n"
        "depends on what else is in the batch. With --lesson, padding is token 0, <unk>, and trains; rnn and lstm\n"
        "read the padding, and lstm and packed start their embedding at N(0, 1) - 0.5.\n\n"
        "Data: --data, else $SEQUENT_DATA_HOME/ag_news, else $XDG_CACHE_HOME/sequent/ag_news (~/.cache/...), else\n"
        "a download of AG News to there, else made-up news. Standard error says which.\n\n"
        "Standard output ends with a line `result model=...`, unless weights are loaded only to classify.\n"
        "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted (after --save).";
    app.footer(footer);

    auto const unsaid = [](CLI::Validator check) { return check.description(""); };  // the help says it better
    app.add_option("--model", to.model, "which network (packed)")
        ->check(CLI::IsMember(names))
        ->type_name("NAME")
        ->group("Training");
    app.add_option("--epochs", to.epochs, "passes over the training rows (1)")
        ->check(unsaid(CLI::NonNegativeNumber))
        ->type_name("N")
        ->group("Training");
    app.add_option("--batch", to.batch, "rows in a batch (16)")
        ->check(unsaid(CLI::Range(1, 1 << 20)))
        ->type_name("N")
        ->group("Training");
    CLI::Validator const positive(
        [](std::string& text) {
            double value = 0;
            char const* const last = text.data() + text.size();
            auto const [end, failure] = std::from_chars(text.data(), last, value);
            bool const fits = failure == std::errc{} && end == last && std::isfinite(value) && value > 0;
            return fits ? std::string() : "needs a positive number, not " + text;
        },
        "");
    app.add_option("--rate", to.rate, "learning rate of Adam (0.001)")
        ->check(positive)
        ->type_name("R")
        ->group("Training");
    app.add_option("--seed", to.seed, "of the first weights and the order of the rows (1)")
        ->check(unsaid(CLI::NonNegativeNumber))
        ->type_name("N")
        ->group("Training");
    app.add_option("--limit", to.limit, "rows in an epoch, drawn anew for each (all)")
        ->check(unsaid(CLI::PositiveNumber))
        ->type_name("N")
        ->group("Training");
    app.add_flag("--lesson", to.lesson, "train as the AI-For-Beginners lesson does, with its quirks and its output")
        ->group("Training");

    app.add_option("--data", to.data, "folder of train.csv and test.csv")->type_name("DIR")->group("Files");
    app.add_option("--save", to.save, "write the weights (safetensors) to FILE, the words to FILE.vocab")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--load", to.load, "start from the weights and words of FILE (--epochs 0: only evaluate)")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--metrics", to.metrics, "write what is measured to FILE, one JSON object a line")
        ->type_name("FILE")
        ->group("Files");

    app.add_option("--classify", to.classify,
                   "print topic, probability and text of TEXT, or with - of each line of standard input;\n"
                   "with --load and without --epochs nothing is trained and no data are needed")
        ->type_name("TEXT")
        ->group("Use");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& stop) {
        return app.exit(stop, out, errors) == 0 ? 0 : usage_error;
    }
    return {};
}

}  // namespace news
