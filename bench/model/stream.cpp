// One sample in, one step, the states carried along: a trained LSTM against the same step in plain Eigen.
#include "sequent/model/stream.hpp"

#include <memory>

#include "baseline_eigen.hpp"
#include "report.hpp"
#include "sequent/cell/lstm.hpp"
#include "workload.hpp"

namespace {

constexpr int samples = 256;

template <int Input, int Hidden>
struct streaming_case {
    sequent::model<sequent::lstm<Input, Hidden>, sequent::cpu> net{{}, {.seed = 1}};
    std::vector<float> signal = bench::normal_numbers(std::size_t{samples} * Input, 11);
    sequent::stream<sequent::lstm<Input, Hidden>> ours{net};
    bench::eigen_lstm<Input, Hidden> eigen{net.values("weight_ih_l0"), net.values("weight_hh_l0"),
                                           net.values("bias_ih_l0"), net.values("bias_hh_l0")};
    bool same = true;

    streaming_case() {
        for (int t = 0; t < samples; ++t) {
            std::span<float const> const h = ours.step(sample(t));
            eigen.step(sample(t).data());
            for (int j = 0; j < Hidden; ++j)
                same = same && std::abs(h[static_cast<std::size_t>(j)] - eigen.h(j)) < 1e-5f;
        }
    }
    [[nodiscard]] std::span<float const> sample(int t) const {
        return std::span(signal).subspan(static_cast<std::size_t>(t % samples) * Input, Input);
    }

    static streaming_case& get() {
        static auto const one = std::make_unique<streaming_case>();
        return *one;
    }
};

template <int Input, int Hidden, class Step>
void time_steps(benchmark::State& state, streaming_case<Input, Hidden> const& one, Step const& step) {
    if (!one.same) {
        state.SkipWithError("the library and the baseline disagree");
        return;
    }
    int t = 0;
    for (auto _ : state) {
        step(one.sample(t++));
        benchmark::ClobberMemory();
    }
    double const tokens = static_cast<double>(state.iterations());
    bench::report(state, tokens, bench::layer_size::of<sequent::lstm<Input, Hidden>>(1).forward(tokens));
}

template <int Input, int Hidden>
void ours(benchmark::State& state) {
    auto& one = streaming_case<Input, Hidden>::get();
    time_steps(state, one, [&](std::span<float const> x) { benchmark::DoNotOptimize(one.ours.step(x).data()); });
}
template <int Input, int Hidden>
void eigen(benchmark::State& state) {
    auto& one = streaming_case<Input, Hidden>::get();
    time_steps(state, one, [&](std::span<float const> x) { one.eigen.step(x.data()); });
}

BENCHMARK(ours<1, 8>)->Name("stream/lstm 1-8");
BENCHMARK(eigen<1, 8>)->Name("stream/lstm 1-8 plain Eigen");
BENCHMARK(ours<1, 16>)->Name("stream/lstm 1-16");
BENCHMARK(eigen<1, 16>)->Name("stream/lstm 1-16 plain Eigen");
BENCHMARK(ours<1, 32>)->Name("stream/lstm 1-32");
BENCHMARK(eigen<1, 32>)->Name("stream/lstm 1-32 plain Eigen");
BENCHMARK(ours<64, 32>)->Name("stream/lstm 64-32");
BENCHMARK(eigen<64, 32>)->Name("stream/lstm 64-32 plain Eigen");
BENCHMARK(ours<64, 64>)->Name("stream/lstm 64-64");
BENCHMARK(eigen<64, 64>)->Name("stream/lstm 64-64 plain Eigen");

}  // namespace
