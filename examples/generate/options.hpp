// The command line.
#pragma once

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "../common/training_options.hpp"

namespace news {

struct generate_settings : training_settings {
    bool lesson = false;
    std::vector<double> temperatures = {0.3, 0.8, 1.0, 1.3, 1.8};
    std::string start = "Today ";
    int length = 300;

    generate_settings() { rate = 5e-3; }
};

// Reads the arguments into `to`. Returns the exit code if the program is to end here: 0 after --help and --version, 2
// after a mistake, which `errors` explains.
[[nodiscard]] inline std::optional<int> read_options(int argc, char const* const* argv,
                                                     std::vector<model_help> const& models, generate_settings& to,
                                                     std::ostream& out = std::cout, std::ostream& errors = std::cerr) {
    CLI::App app("Trains a recurrent network to continue news character by character, and prints what it makes up.",
                 "generate");
    app.footer("Models, which read a character as a one-hot row:\n" + lines_of(models) +
               "Without --lesson a batch holds whole texts of unequal lengths, and a sample ends where the network\n"
               "ends its text. With --lesson a batch holds all windows of 100 characters of one text, texts come in\n"
               "the file's order, the rate is 0.01 and the limit 9999 updates, unless given.\n\n" +
               std::string(data_help) + "\n" + std::string(exit_help) + " (after --save).");
    add_training_options(app, models,
                         {.row = "text",
                          .seed = "of the first weights, the order of the texts and the samples",
                          .save = "write the weights (safetensors) to FILE, the characters to FILE.vocab",
                          .load = "start from the weights and characters of FILE (without --epochs: only sample)"},
                         to);
    app.add_flag("--lesson", to.lesson, "train as the AI-For-Beginners lesson does, with its output")
        ->group("Training");
    app.add_option("--temperature", to.temperatures,
                   "a sample for each: low ones are cautious, high ones wild (0.3,0.8,1,1.3,1.8)")
        ->delimiter(',')
        ->check(number("positive numbers", [](double value) { return value > 0; }))
        ->type_name("T")
        ->group("Use");
    app.add_option("--start", to.start, "what each sample begins with (" + to.start + ")")
        ->type_name("TEXT")
        ->group("Use");
    app.add_option("--length", to.length,
                   sequent::message("characters of a sample behind that, at most (", to.length, ")"))
        ->check(unsaid(CLI::NonNegativeNumber))
        ->type_name("N")
        ->group("Use");
    if (std::optional<int> const stop = parse(app, argc, argv, out, errors)) return stop;
    if (to.lesson && app.count("--rate") == 0) to.rate = 0.01;
    if (to.lesson && app.count("--limit") == 0) to.limit = 9999;
    if (!to.lesson || app.count("--batch") == 0) return {};
    errors << "--batch: with --lesson a batch is what one text gives" << std::endl;
    return usage_error;
}

}  // namespace news
