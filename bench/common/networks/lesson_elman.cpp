#include "sequent/cell/elman.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<int>> bench::lesson_elman(int words, int threads) {
    return make_lesson<sequent::elman<64, 32>>(words, threads);
}
