// The networks: word vectors of 64, a recurrent layer of 32 units, one vector per text, four topics. Parameters are
// called as in the lesson's PyTorch classes. A new one is a type here, a file that instantiates run<> for it, and a
// line of main's table.
#pragma once

#include <optional>

#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "sequent/layer/embedding.hpp"
#include "sequent/layer/linear.hpp"
#include "sequent/layer/pooling.hpp"
#include "sequent/layer/sequential.hpp"

namespace news {

template <class Recurrent, class Pooling, int Features>
struct classifier : sequent::sequential<sequent::named<"embedding", sequent::embedding<sequent::dynamic, 64>>,
                                        sequent::named<"rnn", Recurrent>, Pooling,
                                        sequent::named<"fc", sequent::linear<Features, 4>>> {
    // padding: the row that never trains, if there is one.
    classifier(int words, std::optional<int> padding)
        : classifier::sequential{{.rows = words, .padding = padding}, {}, {}, {}} {}
};

struct rnn_network : classifier<sequent::elman<64, 32>, sequent::mean_state, 32> {
    using classifier::classifier;
};
struct lstm_network : classifier<sequent::lstm<64, 32>, sequent::last_state, 32> {
    using classifier::classifier;
};
struct gru_network : classifier<sequent::gru<64, 32>, sequent::last_state, 32> {
    using classifier::classifier;
};
struct bilstm_network
    : classifier<sequent::stacked<2, sequent::bidirectional<sequent::lstm<64, 32>>>, sequent::last_state, 64> {
    using classifier::classifier;
};

}  // namespace news
