// What PyTorch computed, and gradients against differences, on a GPU.
#include "cell/golden_cell.hpp"
#include "on_gpu.hpp"
#include "sequent/layer/linear.hpp"
#include "sequent/layer/pooling.hpp"
#include "sequent/layer/sequential.hpp"
#include "sequent/train/cross_entropy.hpp"
#include "sequent/train/gradient_check.hpp"

using namespace sequent_tests;

namespace {

template <template <int, int> class Cell>
void check_goldens(std::string const& cell) {
    check_golden_networks<Cell<3, 5>, double, cuda>(cell, 1e-12);
    check_golden_networks<Cell<3, 5>, float, cuda_with<precision::f32>>(cell, 4e-6);
    check_golden_networks<Cell<8, 16>, float, cuda_with<precision::f32, strategy::general>>(cell, 4e-6);
    check_golden_networks<Cell<8, 16>, float, cuda>(cell, 1e-4);
}

template <class Recurrent, int Width>
void check_gradients() {
    model<sequential<Recurrent, last_state, linear<Width, 3>>, cuda, double> net({}, {.seed = 2});
    auto const batch = pack(random_sequences<double>({3, 0, 5, 1}, 3, 1), 3);
    auto const result = gradient_check(net, batch, std::vector{2, 0, 1, 2}, cross_entropy{});
    INFO(result.parameter << " at " << result.place << ": " << result.analytic << " and " << result.numeric);
    CHECK(result.worst < 1e-6);
    CHECK(result.checked > 60);
}

}  // namespace

TEST_CASE("gpu: LSTM, every network, batch and state as PyTorch's") {
    NEEDS_GPU();
    check_goldens<lstm>("lstm");
}
TEST_CASE("gpu: GRU, every network, batch and state as PyTorch's") {
    NEEDS_GPU();
    check_goldens<gru>("gru");
}
TEST_CASE("gpu: Elman, every network, batch and state as PyTorch's") {
    NEEDS_GPU();
    check_goldens<rnn_tanh>("rnn_tanh");
    check_golden_networks<rnn_relu<3, 5>, double, cuda>("rnn_relu", 1e-12);
}

TEST_CASE("gpu: gradients are the differences") {
    NEEDS_GPU();
    check_gradients<recurrent<lstm<3, 5>>, 5>();
    check_gradients<stacked<2, bidirectional<gru<3, 4>>>, 8>();
    check_gradients<reversed<elman<3, 5>>, 5>();
}
