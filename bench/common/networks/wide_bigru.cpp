#include "sequent/cell/gru.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<float>> bench::wide_bigru(int threads) {
    return make_wide<sequent::gru<256, 256>>(threads);
}
