// Makes up news, character by character: reads the options and the data, and runs the network that was chosen.
#include <iostream>
#include <optional>
#include <string>

#include "../common/model_choice.hpp"
#include "../common/program.hpp"
#include "../common/stored_words.hpp"
#include "job.hpp"
#include "networks.hpp"
#include "options.hpp"

namespace news {
namespace {

struct model_choice {
    std::string_view name;
    void (*run)(generate_job const&);
    std::string_view structure;
};

constexpr model_choice models[] = {
    {"lstm", run<lstm_generator>, "LSTM of 64 units, the lesson's"},
    {"gru", run<gru_generator>, "GRU of 64 units"},
    {"deep", run<deep_generator>, "two LSTM layers of 128 units"},
};

int run_program(int argc, char** argv) {
    generate_settings options;
    if (std::optional<int> const stop = read_options(argc, argv, help_of(models), options)) return *stop;
    std::optional<stored_model> stored;
    if (options.load) stored = load_words(*options.load);
    model_choice const& model =
        choose_model(models, options.model, options.load.value_or(""), stored ? stored->name : "");
    if (options.save) check_folder(*options.save);

    note_interrupts();
    bool const trains = !options.load || options.epochs.value_or(0) > 0;
    news_data data;
    if (trains) data = find_news(options.data);
    sequent::vocabulary const alphabet = stored ? std::move(stored->words) : count_characters(data.train);
    characters const reader{options.lesson ? characters::ends::plain : characters::ends::marked};
    sequent::encoded_text const train = encode(data.train, alphabet, reader),
                                test = encode(data.test, alphabet, reader);
    if (trains)
        std::cerr << "data: " << train.size() << " training texts, " << alphabet.size() << " characters" << std::endl;
    model.run({options, model.name, alphabet, train, test});
    if (!std::cout) throw sequent::file_error("standard output", "", "cannot be written");
    return interrupted() ? 130 : 0;
}

}  // namespace
}  // namespace news

int main(int argc, char** argv) { return news::guarded_main("generate", news::run_program, argc, argv); }
