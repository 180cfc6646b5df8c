#include "sequent/cell/lstm.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<float>> bench::wide_bilstm(int threads) {
    return make_wide<sequent::lstm<256, 256>>(threads);
}
