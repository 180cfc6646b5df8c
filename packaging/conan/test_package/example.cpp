// A network that runs: two sequences of unequal lengths through an LSTM.
#include <sequent/sequent.hpp>

#include <sequent/io/safetensors.hpp>

int main() {
    sequent::model<sequent::lstm<1, 4>, sequent::cpu> net({}, {.seed = 1});
    std::vector<std::vector<float>> const sequences = {{1, 2, 3}, {4}};
    return net.predict(sequent::pack(sequences)).values.rows.rows == 4 ? 0 : 1;
}
