// Sorts news into four topics: reads the options and the data, and runs the network that was chosen.
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../common/model_choice.hpp"
#include "../common/program.hpp"
#include "../common/stored_words.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "options.hpp"
#include "sequent/text/tokenizer.hpp"
#include "stored_run.hpp"

namespace news {
namespace {

struct model_choice {
    std::string_view name;
    summary (*run)(job const&);
    summary (*run_on_gpu)(job const&);
    lesson_rows rows;
    lesson_embedding embedding;
    std::string_view structure;
};

constexpr model_choice models[] = {
    {"packed", run<lstm_network>, run_on_gpu<lstm_network>, lesson_rows::packed, lesson_embedding::shifted_normal,
     "LSTM, its last state"},
    {"lstm", run<lstm_network>, run_on_gpu<lstm_network>, lesson_rows::padded, lesson_embedding::shifted_normal,
     "LSTM, its last state"},
    {"gru", run<gru_network>, run_on_gpu<gru_network>, lesson_rows::packed, lesson_embedding::standard_normal,
     "GRU, its last state"},
    {"rnn", run<rnn_network>, run_on_gpu<rnn_network>, lesson_rows::padded, lesson_embedding::standard_normal,
     "Elman RNN, mean of its states"},
    {"bilstm", run<bilstm_network>, run_on_gpu<bilstm_network>, lesson_rows::packed, lesson_embedding::standard_normal,
     "two bidirectional LSTM layers, last states of the second"},
};

sequent::vocabulary count_words(std::vector<sequent::labelled_text> const& rows) {
    sequent::token_counts counts;
    sequent::basic_english tokenizer;
    for (sequent::labelled_text const& row : rows) counts.add(row.text, tokenizer);
    return sequent::vocabulary(counts);
}

int run_program(int argc, char** argv) {
    settings options;
    std::optional<stored_run> resumed;
    if (std::optional<int> const stop = read_command_line(argc, argv, help_of(models), options, resumed)) return *stop;

    std::optional<stored_model> stored;
    if (options.load) stored = load_words(*options.load);
    model_choice const& model =
        choose_model(models, options.model, options.load.value_or(""), stored ? stored->name : "");

    if (options.save) check_folder(*options.save);
    if (options.plot) check_folder(*options.plot);
    if (options.checkpoint) check_folder(*options.checkpoint);
    if (!options.only_classifies()) note_interrupts();
    report report(options.metrics, options.plot, options.lesson);
    if (resumed) read_numbers(report, resumed->report, resumed->file, report_key);
    news_data data;
    if (!options.only_classifies()) data = find_news(options.data);
    sequent::vocabulary const words = stored ? std::move(stored->words) : count_words(data.train);
    if (resumed && resumed->words != fingerprint_text(words))
        throw sequent::file_error(resumed->file.string(), "",
                                  sequent::message("was trained with words of fingerprint ", resumed->words,
                                                   "; these have ", fingerprint_text(words),
                                                   ": give it the same data, and --load if the run began with one"));
    sequent::basic_english tokenizer;
    sequent::encoded_text const train = encode(data.train, words, tokenizer),
                                test = encode(data.test, words, tokenizer);
    if (!options.only_classifies())
        std::cerr << "data: " << train.size() << " training rows of " << train.all_tokens().size() << " tokens, "
                  << test.size() << " test rows, " << words.size() << " words" << std::endl;
    report.begin(model.name, {{"lesson", options.lesson},
                              {"data", data.origin},
                              {"rows", train.size()},
                              {"words", words.size()},
                              {"batch", options.batch},
                              {"rate", options.rate},
                              {"seed", options.seed}});
    data = {};

    summary const all = (options.device == "cuda" ? model.run_on_gpu : model.run)(
        {options, model.name, model.rows, model.embedding, words, train, test, report,
         resumed ? std::optional(resumed->progress) : std::nullopt});
    if (!options.only_classifies()) report.line(result_line(model.name, all));
    return interrupted() ? 130 : 0;
}

}  // namespace
}  // namespace news

int main(int argc, char** argv) { return news::guarded_main("news_classifier", news::run_program, argc, argv); }
