// The lesson's training step on a GPU: embedding 95,812 x 64, LSTM of 32, last state, linear, Adam with dense
// semantics, packed batches from a file (one a line: sequences divided by ';', token ids by spaces). Everything counts,
// the packing and the read-back of the loss too. Prints CSV: who, milliseconds a step (median of runs over the file),
// their spread.
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>

#include "sequent/cuda.hpp"
#include "timing.hpp"

using namespace sequent;

namespace {

struct network : sequential<named<"embedding", embedding<95812, 64>>, named<"rnn", lstm<64, 32>>, last_state,
                            named<"fc", linear<32, 4>>> {};

using batch = std::vector<std::vector<int>>;

std::vector<batch> read_batches(char const* path) {
    std::vector<batch> batches;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
        std::istringstream sequences(line);
        batch one;
        for (std::string sequence; std::getline(sequences, sequence, ';');) {
            std::istringstream ids(sequence);
            std::vector<int> tokens;
            for (int id = 0; ids >> id;) tokens.push_back(id);
            one.push_back(tokens);
        }
        batches.push_back(one);
    }
    if (batches.empty()) throw file_error(path, "", "holds no batch");
    return batches;
}

template <precision Format, strategy Wanted = strategy::automatic>
void time_steps(std::vector<batch> const& batches, double seconds, bool graphs = true) {
    using clock = std::chrono::steady_clock;
    using Device = cuda_with<Format, Wanted>;
    model<network, Device> net({}, {.seed = 1});
    std::string const who =
        message("sequent ", name(Format), " ", bench::kernels_of<lstm<64, 32>, Format, Wanted>(*net.device().machine),
                graphs ? "" : " without graphs");
    net.device().machine->makes_graphs = graphs;
    training run(net, cross_entropy{}, adam{});
    std::vector<double> times;
    for (double spent = 0; times.size() < 5 || spent < seconds;) {
        clock::time_point const begin = clock::now();
        for (batch const& one : batches) {
            std::vector<int> targets;
            for (std::size_t i = 0; i < one.size(); ++i) targets.push_back(static_cast<int>(one[i].size() % 4));
            (void)double{run.step(pack(one), targets).loss};
        }
        net.device().machine->wait();
        double const took = std::chrono::duration<double>(clock::now() - begin).count();
        spent += took;
        times.push_back(1000 * took / static_cast<double>(batches.size()));
    }
    std::sort(times.begin(), times.end());
    std::size_t const n = times.size();
    std::printf("%s,%.4f,%.4f\n", who.c_str(), times[n / 2], times[3 * n / 4] - times[n / 4]);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 2) throw argument_error("usage: lesson FILE [SECONDS]");
        double const seconds = argc > 2 ? std::atof(argv[2]) : 3;
        auto const batches = read_batches(argv[1]);
        time_steps<precision::f32x3>(batches, seconds);
        time_steps<precision::f32x3>(batches, seconds, false);
        time_steps<precision::f32x3, strategy::general>(batches, seconds);
        time_steps<precision::bf16>(batches, seconds);
        return 0;
    } catch (std::exception const& failure) {
        std::fprintf(stderr, "lesson: %s\n", failure.what());
        return 1;
    }
}
