#include "sequent/cell/lstm.hpp"

#include "trained_network.hpp"

namespace {
struct wide_network
    : sequent::sequential<sequent::named<"rnn", sequent::stacked<2, sequent::bidirectional<sequent::lstm<256, 256>>>>,
                          sequent::last_state, sequent::named<"fc", sequent::linear<512, 4>>> {
    wide_network() : sequential{{}, {}, {}} {}
};
}  // namespace

std::unique_ptr<bench::trainee<float>> bench::wide_bilstm(int threads) {
    auto const first = layer_size::of<sequent::lstm<256, 256>>(64),
               second = layer_size::of<sequent::lstm<512, 256>>(64);
    return std::make_unique<trained_network<wide_network, float>>(wide_network{},
                                                                  std::vector{first, first, second, second}, threads);
}
