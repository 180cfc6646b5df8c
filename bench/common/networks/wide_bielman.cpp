#include "sequent/cell/elman.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<float>> bench::wide_bielman(int threads) {
    return make_wide<sequent::elman<256, 256>>(threads);
}
