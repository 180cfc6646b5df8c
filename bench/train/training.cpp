// Whole training steps with everything they include: choosing and packing the batch, forward, loss, backward, Adam with
// dense semantics.
#include "networks/trainee.hpp"
#include "report.hpp"
#include "workload.hpp"

namespace {

// A network that has seen 500 batches: from then on its rare words come back after long gaps, as in an epoch.
struct lesson {
    std::unique_ptr<bench::trainee<int>> network;
    bench::lesson_batches batches;

    explicit lesson(std::unique_ptr<bench::trainee<int>> fresh) : network(std::move(fresh)) {
        for (int step = 0; step < 500; ++step) next();
    }
    double next() {
        auto const& text = batches.next();
        network->step(text, batches.topics());
        return text.shape.rows();
    }
};

template <auto Make>
void lesson_step(benchmark::State& state) {
    static lesson one(Make(bench::news().words, 1));
    bench::product_peak const peak = bench::peak_of(one.network->layers(), 690);
    double tokens = 0;
    for (auto _ : state) tokens += one.next();
    bench::report(state, tokens, one.network->flops(tokens), peak);
}
BENCHMARK(lesson_step<bench::lesson_elman>)->Name("training step/elman 64-32 B16");
BENCHMARK(lesson_step<bench::lesson_gru>)->Name("training step/gru 64-32 B16");
BENCHMARK(lesson_step<bench::lesson_lstm>)->Name("training step/lstm 64-32 B16");

// Here the batch is packed already.
template <auto Make>
void wide_step(benchmark::State& state) {
    static auto const network = Make(1);
    static auto const batch = bench::long_batch(256, 7);
    static std::vector<int> const topics(64, 1);
    static double const first = network->step(batch, topics);  // takes the memory
    benchmark::DoNotOptimize(first);
    bench::product_peak const peak = bench::peak_of(network->layers(), batch.shape.rows());
    for (auto _ : state) network->step(batch, topics);
    double const tokens = batch.shape.rows() * static_cast<double>(state.iterations());
    bench::report(state, tokens, network->flops(tokens), peak);
}
BENCHMARK(wide_step<bench::wide_bielman>)
    ->Name("training step/2 x bidirectional elman 256-256 B64")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(wide_step<bench::wide_bigru>)
    ->Name("training step/2 x bidirectional gru 256-256 B64")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(wide_step<bench::wide_bilstm>)
    ->Name("training step/2 x bidirectional lstm 256-256 B64")
    ->Unit(benchmark::kMillisecond);

}  // namespace
