// A network of many kinds of layers, trained: all that the policy `cuda` launches, for gate.sh to compile.
#include "cell/coupled_lstm.hpp"
#include "sequent/cuda.hpp"

using namespace sequent;

struct network
    : sequential<embedding<dynamic, 16>, stacked<2, bidirectional<lstm<16, 32>>>, dropout, max_state, linear<64, 4>> {
    network() : sequential{{.rows = 100}, {.dropout = 0.1}, {.probability = 0.1}, {}, {}} {}
};

int main() {
    model<network, cuda> net;
    training run(net, cross_entropy{}, adam{});
    run.step(pack(std::vector<std::vector<int>>{{1, 2}}), std::vector{1});
    model<reversed<sequent_tests::coupled_lstm<3, 300>>, cuda_with<precision::bf16>> wide;
    training(wide, cross_entropy{}, sgd{.momentum = 0.9})
        .step(pack(std::vector<std::vector<float>>{{1, 2, 3}}, 3), std::vector{1});
}
