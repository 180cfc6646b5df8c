// From the CSV file of the news to numbers: reading, tokenizing, counting, building the vocabulary, encoding.
#include "sequent/data/labelled_text.hpp"

#include <benchmark/benchmark.h>

#include "workload.hpp"

namespace {

void file_to_numbers(benchmark::State& state) {
    auto const folder = bench::news_folder();
    if (!folder) {
        state.SkipWithError("needs AG News in SEQUENT_DATA_HOME");
        return;
    }
    double tokens = 0;
    for (auto _ : state) tokens += static_cast<double>(bench::read_news(*folder).text.all_tokens().size());
    state.counters["tokens/s"] = {tokens, benchmark::Counter::kIsRate};
}
BENCHMARK(file_to_numbers)->Name("data/train.csv to numbers")->Unit(benchmark::kMillisecond);

// What training waits for between two steps: choosing rows, gathering and packing them.
void next_batch(benchmark::State& state) {
    static bench::lesson_batches batches;  // goes on where the last repetition ended
    double tokens = 0;
    for (auto _ : state) tokens += batches.next().shape.rows();
    state.counters["tokens/s"] = {tokens, benchmark::Counter::kIsRate};
}
BENCHMARK(next_batch)->Name("data/next batch B16");

}  // namespace
