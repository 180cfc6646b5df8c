// The networks: a character as a one-hot row, recurrent layers, and after each step a number for every character that
// may come next. A new one is a type here, a file that instantiates run<> for it, and a line of main's table.
#pragma once

#include "alphabet.hpp"
#include "sequent/sequent.hpp"

namespace news {

template <class Recurrent, int Features>
struct generator : sequent::sequential<sequent::named<"one_hot", sequent::embedding<alphabet_size, alphabet_size>>,
                                       sequent::named<"rnn", Recurrent>,
                                       sequent::named<"fc", sequent::linear<Features, alphabet_size>>> {
    generator() : generator::sequential{{.frozen = true}, {}, {}} {}
};

struct lstm_generator : generator<sequent::lstm<alphabet_size, 64>, 64> {};
struct gru_generator : generator<sequent::gru<alphabet_size, 64>, 64> {};
struct deep_generator : generator<sequent::stacked<2, sequent::lstm<alphabet_size, 128>>, 128> {};

// Sets the rows of the embedding, which never train, to those of the unit matrix.
template <class Model>
void set_one_hot(Model& net) {
    std::vector<float> rows(std::size_t{alphabet_size} * alphabet_size);
    for (std::size_t i = 0; i < alphabet_size; ++i) rows[i * alphabet_size + i] = 1;
    net.assign("one_hot.weight", rows);
}

}  // namespace news
