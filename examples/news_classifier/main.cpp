// Sorts news into four topics: reads the options and the data, and runs the network that was chosen.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "data_source.hpp"
#include "interrupt.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "sequent/text/tokenizer.hpp"
#include "stored_words.hpp"

namespace news {
namespace {

struct model_choice {
    std::string_view name;
    summary (*run)(job const&);
    lesson_rows rows;
    lesson_embedding embedding;
    std::string_view structure;
};

constexpr model_choice models[] = {
    {"packed", run<lstm_network>, lesson_rows::packed, lesson_embedding::shifted_normal, "LSTM, its last state"},
    {"lstm", run<lstm_network>, lesson_rows::padded, lesson_embedding::shifted_normal, "LSTM, its last state"},
    {"gru", run<gru_network>, lesson_rows::packed, lesson_embedding::standard_normal, "GRU, its last state"},
    {"rnn", run<rnn_network>, lesson_rows::padded, lesson_embedding::standard_normal, "Elman RNN, mean of its states"},
    {"bilstm", run<bilstm_network>, lesson_rows::packed, lesson_embedding::standard_normal,
     "two bidirectional LSTM layers, last states of the second"},
};

sequent::vocabulary count_words(std::vector<sequent::labelled_text> const& rows) {
    sequent::token_counts counts;
    sequent::basic_english tokenizer;
    for (sequent::labelled_text const& row : rows) counts.add(row.text, tokenizer);
    return sequent::vocabulary(counts);
}

news_data find_data(settings const& options) {
    progress bar = progress::on_standard_error();
    download_source source;
    std::size_t expected = 0;  // of the file on its way, once the server has said
    source.watch = [&](std::size_t done, std::size_t total) {
        if (total > 0 && std::exchange(expected, total) != total)
            bar.start("download", "kB", static_cast<std::int64_t>(total / 1000));
        if (total > 0) bar.update(static_cast<std::int64_t>(done / 1000));
        return !interrupted();
    };
    return find_news(options.data, usual_places::of_environment(), source, std::cerr);
}

// Before hours of training, not after them.
void check_folder(std::filesystem::path const& file) {
    std::filesystem::path const folder = file.has_parent_path() ? file.parent_path() : ".";
    if (access(folder.c_str(), W_OK | X_OK) != 0)
        throw sequent::file_error(file.string(), "", "cannot be written: " + std::generic_category().message(errno));
}

int run_program(int argc, char** argv) {
    settings options;
    std::vector<model_help> help;
    for (model_choice const& model : models) help.push_back({std::string(model.name), std::string(model.structure)});
    if (std::optional<int> const stop = read_options(argc, argv, help, options)) return *stop;

    std::optional<stored_model> stored;
    if (options.load) stored = load_words(*options.load);
    std::string const stored_name = stored && !stored->name.empty() ? stored->name : "packed";
    std::string const name = options.model.value_or(stored_name);
    if (stored && !stored->name.empty() && name != stored->name)
        throw sequent::file_error(options.load->string(), "", "holds the model " + stored->name + ", not " + name);
    auto const model = std::ranges::find(models, name, &model_choice::name);
    if (model == std::end(models))
        throw sequent::file_error(options.load->string(), "", "holds the model " + name + ", which is not known");

    if (options.save) check_folder(*options.save);
    if (!options.only_classifies()) note_interrupts();
    report report(options.metrics, options.lesson);
    news_data data;
    if (!options.only_classifies()) data = find_data(options);
    sequent::vocabulary const words = stored ? std::move(stored->words) : count_words(data.train);
    sequent::basic_english tokenizer;
    sequent::encoded_text const train = encode(data.train, words, tokenizer),
                                test = encode(data.test, words, tokenizer);
    if (!options.only_classifies())
        std::cerr << "data: " << train.size() << " training rows of " << train.all_tokens().size() << " tokens, "
                  << test.size() << " test rows, " << words.size() << " words" << std::endl;
    report.begin({{"event", "begin"},
                  {"model", name},
                  {"lesson", options.lesson},
                  {"data", data.origin},
                  {"rows", train.size()},
                  {"words", words.size()},
                  {"batch", options.batch},
                  {"rate", options.rate},
                  {"seed", options.seed}});
    data = {};

    summary const all = model->run({options, name, model->rows, model->embedding, words, train, test, report});
    if (!options.only_classifies()) report.line(result_line(name, all));
    return interrupted() ? 130 : 0;
}

}  // namespace
}  // namespace news

int main(int argc, char** argv) try { return news::run_program(argc, argv); } catch (std::exception const& failure) {
    std::cerr << "news_classifier: " << failure.what() << std::endl;
    return 1;
}
