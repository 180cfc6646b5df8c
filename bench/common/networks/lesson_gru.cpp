#include "sequent/cell/gru.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<int>> bench::lesson_gru(int words, int threads) {
    return make_lesson<sequent::gru<64, 32>>(words, threads);
}
