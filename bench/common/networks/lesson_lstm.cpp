#include "sequent/cell/lstm.hpp"

#include "trained_network.hpp"

std::unique_ptr<bench::trainee<int>> bench::lesson_lstm(int words, int threads) {
    return make_lesson<sequent::lstm<64, 32>>(words, threads);
}
