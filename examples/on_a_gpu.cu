// A network trained on a GPU: but for the policy, as on the CPU. Needs nvcc and an NVIDIA GPU.
#include <cstdio>
#include <exception>
#include <vector>

#include "sequent/cuda.hpp"

using namespace sequent;

// Does a sequence of bits have more ones in its first half than in its second?
struct network : sequential<embedding<2, 4>, gru<4, 16>, last_state, linear<16, 2>> {};

int main() {
    try {
        model<network, cuda> net({}, {.seed = 1});
        std::printf("the recurrent layer runs on %s\n", recurrent_plan<gru<4, 16>>(net.device()).c_str());
        training run(net, cross_entropy{}, adam{.rate = 0.01});
        random_stream const random{1, 1};
        for (std::uint32_t step = 0; step < 300; ++step) {
            std::vector<std::vector<int>> bits(32);
            std::vector<int> answers;
            for (std::uint32_t i = 0; i < 32; ++i) {
                int balance = 0;
                for (std::uint32_t t = 0; t < 10; ++t) {
                    int const bit = static_cast<int>(random.below((step * 32 + i) * 10 + t, 2));
                    bits[i].push_back(bit);
                    balance += t < 5 ? bit : -bit;
                }
                answers.push_back(balance > 0 ? 1 : 0);
            }
            auto const result = run.step(pack(bits), answers);
            if (step % 100 == 99)  // reading the loss waits for the GPU
                std::printf("step %u on the GPU: loss %.3f\n", step + 1, double{result.loss});
        }
        run.settle();

        // What a model hands out is in the device's memory.
        auto const logits = net.predict(pack(std::vector<std::vector<int>>{{1, 1, 1, 0, 1, 0, 0, 1, 0, 0}}));
        float on_host[2];
        copy_to_host(net.device(), logits.data, 2, on_host);
        std::printf("1110100100 is %s heavy\n", on_host[1] > on_host[0] ? "front" : "back");
        return 0;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "on_a_gpu: %s\n", failure.what());
        return 1;
    }
}
