// The forward pass of whole sequences, as training runs it (values kept for the backward pass) and as inference does.
#include "sequent/backend/cpu/recurrent_forward.hpp"

#include "recurrent.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

namespace {

using bench::workload;

template <class Cell, workload Work, sequent::keep Kept = sequent::keep::for_backward>
void forward(benchmark::State& state) {
    auto& one = bench::the_case<Cell, Work>();
    bench::product_peak const peak = one.peak();
    for (auto _ : state) one.forward(Kept);
    double const tokens = one.tokens() * static_cast<double>(state.iterations());
    bench::report(state, tokens, one.size().forward(tokens), peak);
}

using elman = sequent::elman<64, 32>;
using gru = sequent::gru<64, 32>;
using lstm = sequent::lstm<64, 32>;
using wide_elman = sequent::elman<256, 256>;
using wide_gru = sequent::gru<256, 256>;
using wide_lstm = sequent::lstm<256, 256>;

BENCHMARK(forward<elman, workload::lesson>)->Name("recurrent_forward/elman 64-32 B16");
BENCHMARK(forward<gru, workload::lesson>)->Name("recurrent_forward/gru 64-32 B16");
BENCHMARK(forward<lstm, workload::lesson>)->Name("recurrent_forward/lstm 64-32 B16");
BENCHMARK(forward<lstm, workload::lesson, sequent::keep::nothing>)->Name("recurrent_forward/lstm 64-32 B16 inference");
BENCHMARK(forward<wide_elman, workload::long_sequences>)->Name("recurrent_forward/elman 256-256 B64");
BENCHMARK(forward<wide_gru, workload::long_sequences>)->Name("recurrent_forward/gru 256-256 B64");
BENCHMARK(forward<wide_lstm, workload::long_sequences>)->Name("recurrent_forward/lstm 256-256 B64");

}  // namespace
