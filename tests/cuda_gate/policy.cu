// Networks of many kinds of layers, trained and stored: all that the policy `cuda` launches, for gate.sh to compile.
#include "cell/coupled_lstm.hpp"
#include "sequent/cuda.hpp"
#include "sequent/model/checkpoint.hpp"
#include "sequent/train/checkpoint.hpp"

using namespace sequent;

struct network
    : sequential<embedding<dynamic, 16>, stacked<2, bidirectional<lstm<16, 32>>>, dropout, max_state, linear<64, 4>> {
    network() : sequential{{.rows = 100}, {.dropout = 0.1}, {.probability = 0.1}, {}, {}} {}
};
struct mean_of_double : sequential<embedding<100, 8>, recurrent<gru<8, 12>>, mean_state, linear<12, 4>> {};

template <class Net, class Rule>
void train(Net& net, Rule const& rule) {
    training run(net, cross_entropy{}, rule);
    run.step(pack(std::vector<std::vector<int>>{{1, 2}}), std::vector{1});
    save_training(run, "training");
    load_training(run, "training");
}

int main() {
    model<network, cuda> net;
    train(net, adam{});
    save(net, "weights");
    load(net, "weights");
    model<mean_of_double, cuda, double> in_double;
    train(in_double, sparse_adam{});
    model<reversed<sequent_tests::coupled_lstm<3, 300>>, cuda_with<precision::bf16>> wide;
    training(wide, cross_entropy{}, sgd{.momentum = 0.9})
        .step(pack(std::vector<std::vector<float>>{{1, 2, 3}}, 3), std::vector{1});
}
