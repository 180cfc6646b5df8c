// An embedding of 71,310 words of 64 numbers under Adam with dense semantics: what it costs beside the network.
#include "sequent/backend/row_table.hpp"

#include <benchmark/benchmark.h>

#include <memory>

#include "sequent/backend/cpu/cpu.hpp"
#include "workload.hpp"

namespace {

constexpr int width = 64;
sequent::cpu const device;

// A table under training, and what its rows get: the same gradient over and over.
struct table_in_training {
    sequent::row_table<sequent::cpu, float> table;
    std::vector<float> read, gradient;
    bench::lesson_batches batches;
    std::vector<int> distinct;
    double tokens = 0;  // of the batch
    sequent::adam_constants constants;
    long long steps = 0;

    table_in_training() : gradient(bench::normal_numbers(std::size_t{4096} * width, 8)) {
        table.resize(bench::news().words, width);
        std::vector<float> const start = bench::normal_numbers(std::size_t{4096} * width, 9);
        sequent::matrix_view<float> const values = table.writable_values(device);
        for (int row = 0; row < values.rows; ++row)
            std::copy_n(start.data() + std::ptrdiff_t{row % 4096} * width, width, values.row(row));
        table.begin_adam(device, this, constants);
        read.resize(gradient.size());
    }

    void next_batch() {
        auto const& ids = batches.next().values;
        distinct.assign(ids.begin(), ids.end());
        tokens = static_cast<double>(ids.size());
        std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    }
    void step() {
        int const rows = static_cast<int>(distinct.size());
        table.read(device, distinct, {read.data(), rows, width});
        table.add_gradient(device, distinct, {gradient.data(), rows, width});
        table.adam_step_rows(device, this, sequent::adam_step::at(constants, ++steps, 1e-3));
        table.forget_gradients();
    }
};

void count(benchmark::State& state, double rows, double tokens) {
    state.counters["rows/s"] = {rows, benchmark::Counter::kIsRate};
    if (tokens > 0) state.counters["tokens/s"] = {tokens, benchmark::Counter::kIsRate};
}

// The rows of one batch again and again: gather, scatter and update, with nothing to catch up.
void touched_rows(benchmark::State& state) {
    static auto const training = std::make_unique<table_in_training>();
    if (training->distinct.empty()) training->next_batch();
    for (auto _ : state) training->step();
    double const steps = static_cast<double>(state.iterations());
    count(state, steps * static_cast<double>(training->distinct.size()), steps * training->tokens);
}
BENCHMARK(touched_rows)->Name("row_table/step, nothing to catch up");

// Batch after batch of the news: rows that come back make up for the steps they missed. Warm from the first 500 on.
void batch_after_batch(benchmark::State& state) {
    static auto const training = [] {
        auto warm = std::make_unique<table_in_training>();
        for (int step = 0; step < 500; ++step) warm->next_batch(), warm->step();
        return warm;
    }();
    double rows = 0, tokens = 0;
    for (auto _ : state) {
        training->next_batch();
        training->step();
        rows += static_cast<double>(training->distinct.size());
        tokens += training->tokens;
    }
    count(state, rows, tokens);
}
BENCHMARK(batch_after_batch)->Name("row_table/step, batch after batch");

// What the step would cost if every row were updated in every step.
void every_row(benchmark::State& state) {
    std::size_t const size = static_cast<std::size_t>(bench::news().words) * width;
    static std::vector<float> p(size, 1), m(size), v(size), g(size, 1e-3f);
    sequent::adam_constants const constants;
    long long steps = 0;
    for (auto _ : state)
        sequent::adam_update(device, constants, sequent::adam_step::at(constants, ++steps, 1e-3), p.data(), m.data(),
                             v.data(), g.data(), size);
    count(state, static_cast<double>(bench::news().words) * static_cast<double>(state.iterations()), 0);
}
BENCHMARK(every_row)->Name("row_table/dense update of all rows");

}  // namespace
