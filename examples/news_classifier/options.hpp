// The command line.
#pragma once

#include <CLI/CLI.hpp>

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "../common/training_options.hpp"
#include "settings.hpp"

namespace news {

// Reads the arguments into `to`. Returns the exit code if the program is to end here: 0 after --help and --version, 2
// after a mistake, which `errors` explains.
[[nodiscard]] inline std::optional<int> read_options(int argc, char const* const* argv,
                                                     std::vector<model_help> const& models, settings& to,
                                                     std::ostream& out = std::cout, std::ostream& errors = std::cerr) {
    CLI::App app("Trains a recurrent network to sort news into World, Sports, Business and Sci/Tech, evaluates it on\n"
                 "the test file, and classifies texts with it.",
                 "news_classifier");
    app.footer(
        "Models, of embedding 64 and hidden size 32:\n" + lines_of(models) +
        "Without --lesson every sequence ends at its true last word, so lstm and packed are the same; nothing\n"
        "depends on what else is in the batch. With --lesson, padding is token 0, <unk>, and trains; rnn and lstm\n"
        "read the padding, and lstm and packed start their embedding at N(0, 1) - 0.5.\n\n" +
        std::string(data_help) +
        "\nStandard output ends with a line `result model=...`, unless weights are loaded only to classify.\n" +
        std::string(exit_help) + " (after --checkpoint and --save).");

    add_training_options(app, models,
                         {.row = "row",
                          .seed = "of the first weights and the order of the rows",
                          .save = "write the weights (safetensors) to FILE, the words to FILE.vocab",
                          .load = "start from the weights and words of FILE (--epochs 0: only evaluate)"},
                         to);
    app.add_flag("--lesson", to.lesson, "train as the AI-For-Beginners lesson does, with its quirks and its output")
        ->group("Training");
    app.add_option("--device", to.device, sequent::message("cpu, or cuda for an NVIDIA GPU (", to.device, ")"))
        ->check(CLI::IsMember({"cpu", "cuda"}).description(""))
        ->type_name("NAME")
        ->group("Training");

    app.add_option("--metrics", to.metrics, "write what is measured to FILE, one JSON object a line")
        ->type_name("FILE")
        ->group("Files");
    app.add_option("--plot", to.plot,
                   "draw learning curves and the confusion table of the test rows to FILE, .svg or .html")
        ->check(CLI::Validator(
            [](std::string& file) {
                bool const drawn = file.ends_with(".svg") || file.ends_with(".html");
                return drawn ? std::string() : "needs a file that ends in .svg or .html, not " + file;
            },
            ""))
        ->type_name("FILE")
        ->group("Files");

    app.add_option("--checkpoint", to.checkpoint,
                   "write the whole training to FILE every N batches, after every epoch and at Ctrl-C")
        ->type_name("FILE")
        ->group("Stopping and going on");
    app.add_option("--checkpoint-every", to.checkpoint_every, sequent::message("that N (", to.checkpoint_every, ")"))
        ->check(unsaid(CLI::PositiveNumber))
        ->type_name("N")
        ->group("Stopping and going on");
    app.add_option("--resume", to.resume,
                   "go on from FILE, a checkpoint, to the numbers of a run that never stopped; model, batch, rate,\n"
                   "seed, limit and lesson are the file's, and the data must be the same (--load too, if there was\n"
                   "one); --epochs may be raised; without --checkpoint, FILE is written to")
        ->type_name("FILE")
        ->group("Stopping and going on");

    app.add_option("--classify", to.classify,
                   "print topic, probability and text of TEXT, or with - of each line of standard input;\n"
                   "with --load and without --epochs nothing is trained and no data are needed")
        ->type_name("TEXT")
        ->group("Use");
    if (std::optional<int> const stop = parse(app, argc, argv, out, errors)) return stop;
    if (!to.plot || !to.only_classifies()) return {};
    errors << "--plot: nothing is trained or tested here; add --epochs (0: only test)" << std::endl;
    return usage_error;
}

}  // namespace news
