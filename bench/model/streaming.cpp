// One sample in, one step, the states carried along: a trained LSTM against the same step in plain Eigen.
#include <benchmark/benchmark.h>

#include <memory>

#include "baseline_eigen.hpp"
#include "sequent/backend/cpu/cpu.hpp"
#include "sequent/cell/lstm.hpp"
#include "sequent/model/model.hpp"
#include "workload.hpp"

namespace {

template <int Input, int Hidden>
using network = sequent::model<sequent::lstm<Input, Hidden>, sequent::cpu>;

// The network's own step: a batch of one sequence of one sample, from the states of the step before.
template <int Input, int Hidden>
class stream {
  public:
    explicit stream(network<Input, Hidden>& net) : net_(net), states_(net.zero_states(1)) {
        sample_.shape.assign(std::vector{1});
        sample_.values.resize(Input);
        sample_.features = Input;
    }
    void step(float const* x) {
        std::copy_n(x, Input, sample_.values.data());
        output_ = net_.predict(sample_, states_).values.rows.data;
        states_ = net_.final_states();
    }
    [[nodiscard]] float const* output() const { return output_; }

  private:
    network<Input, Hidden>& net_;
    sequent::states<float> states_;
    sequent::packed_sequence<float> sample_;
    float const* output_ = nullptr;
};

constexpr int samples = 256;

template <int Input, int Hidden>
struct streaming_case {
    network<Input, Hidden> net{{}, {.seed = 1}};
    std::vector<float> signal = bench::normal_numbers(std::size_t{samples} * Input, 11);
    stream<Input, Hidden> ours{net};
    bench::eigen_lstm<Input, Hidden> eigen{net.values("weight_ih_l0"), net.values("weight_hh_l0"),
                                           net.values("bias_ih_l0"), net.values("bias_hh_l0")};
    bool same = true;

    streaming_case() {
        for (int t = 0; t < samples; ++t) {
            ours.step(sample(t));
            eigen.step(sample(t));
        }
        for (int j = 0; j < Hidden; ++j) same = same && std::abs(ours.output()[j] - eigen.h(j)) < 1e-5f;
    }
    [[nodiscard]] float const* sample(int t) const { return signal.data() + (t % samples) * Input; }

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
    state.counters["tokens/s"] = {static_cast<double>(state.iterations()), benchmark::Counter::kIsRate};
}

template <int Input, int Hidden>
void ours(benchmark::State& state) {
    auto& one = streaming_case<Input, Hidden>::get();
    time_steps(state, one, [&](float const* x) { one.ours.step(x); });
}
template <int Input, int Hidden>
void eigen(benchmark::State& state) {
    auto& one = streaming_case<Input, Hidden>::get();
    time_steps(state, one, [&](float const* x) { one.eigen.step(x); });
}

BENCHMARK(ours<1, 8>)->Name("streaming/lstm 1-8");
BENCHMARK(eigen<1, 8>)->Name("streaming/lstm 1-8 plain Eigen");
BENCHMARK(ours<1, 16>)->Name("streaming/lstm 1-16");
BENCHMARK(eigen<1, 16>)->Name("streaming/lstm 1-16 plain Eigen");
BENCHMARK(ours<1, 32>)->Name("streaming/lstm 1-32");
BENCHMARK(eigen<1, 32>)->Name("streaming/lstm 1-32 plain Eigen");
BENCHMARK(ours<64, 32>)->Name("streaming/lstm 64-32");
BENCHMARK(eigen<64, 32>)->Name("streaming/lstm 64-32 plain Eigen");
BENCHMARK(ours<64, 64>)->Name("streaming/lstm 64-64");
BENCHMARK(eigen<64, 64>)->Name("streaming/lstm 64-64 plain Eigen");

}  // namespace
