// Batches in and out of the packed form: token ids of the lesson, and rows of 64 numbers as padded arrays hold them.
#include "sequent/sequence/packed_sequence.hpp"

#include <benchmark/benchmark.h>

#include "workload.hpp"

namespace {

constexpr int features = 64;

void count_tokens(benchmark::State& state, double tokens) {
    state.counters["tokens/s"] = {tokens * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate};
}

void pack_tokens(benchmark::State& state) {
    std::vector<std::span<int const>> rows;
    for (int row = 0; row < bench::lesson_batches::size; ++row) rows.push_back(bench::news().text.tokens(row));
    sequent::packed_sequence<int> packed;
    for (auto _ : state) {
        sequent::pack_into(packed, rows);
        benchmark::DoNotOptimize(packed.values.data());
    }
    count_tokens(state, packed.shape.rows());
}
BENCHMARK(pack_tokens)->Name("pack/tokens B16");

// A padded batch [16, longest, 64] with the lengths of the lesson's first rows.
struct padded_batch {
    std::vector<int> lengths;
    int time = 0;
    std::vector<float> values;

    padded_batch() {
        for (int row = 0; row < bench::lesson_batches::size; ++row)
            lengths.push_back(static_cast<int>(bench::news().text.tokens(row).size()));
        time = *std::max_element(lengths.begin(), lengths.end());
        values = bench::normal_numbers(lengths.size() * static_cast<std::size_t>(time) * features, 10);
    }
};

void pack_rows(benchmark::State& state) {
    padded_batch const batch;
    sequent::packing const shape(batch.lengths);
    for (auto _ : state) {
        auto const packed = sequent::pack_padded(batch.values.data(), shape.batch(), batch.time, features,
                                                 std::span<int const>(batch.lengths));
        benchmark::DoNotOptimize(packed.values.data());
    }
    count_tokens(state, shape.rows());
}
BENCHMARK(pack_rows)->Name("pack/padded rows of 64 B16");

void unpack_rows(benchmark::State& state) {
    padded_batch batch;
    auto const packed = sequent::pack_padded(batch.values.data(), bench::lesson_batches::size, batch.time, features,
                                             std::span<int const>(batch.lengths));
    for (auto _ : state) {
        sequent::unpack_padded(packed.shape, packed.rows(), batch.values.data(), batch.time, 0.0f);
        benchmark::ClobberMemory();
    }
    count_tokens(state, packed.shape.rows());
}
BENCHMARK(unpack_rows)->Name("unpack/padded rows of 64 B16");

}  // namespace
