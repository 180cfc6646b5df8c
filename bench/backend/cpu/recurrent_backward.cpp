// The backward pass of whole sequences with the gradients of inputs and weights.
#include "sequent/backend/cpu/recurrent_backward.hpp"

#include "recurrent.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

namespace {

using bench::workload;

template <class Cell, workload Work>
void backward(benchmark::State& state) {
    auto& one = bench::the_case<Cell, Work>();
    bench::product_peak const peak = one.peak();
    one.forward(sequent::keep::for_backward);
    for (auto _ : state) one.backward();
    double const tokens = one.tokens() * static_cast<double>(state.iterations());
    bench::report(state, tokens, one.size().backward(tokens), peak);
}

using elman = sequent::elman<64, 32>;
using gru = sequent::gru<64, 32>;
using lstm = sequent::lstm<64, 32>;
using wide_elman = sequent::elman<256, 256>;
using wide_gru = sequent::gru<256, 256>;
using wide_lstm = sequent::lstm<256, 256>;

BENCHMARK(backward<elman, workload::lesson>)->Name("recurrent_backward/elman 64-32 B16");
BENCHMARK(backward<gru, workload::lesson>)->Name("recurrent_backward/gru 64-32 B16");
BENCHMARK(backward<lstm, workload::lesson>)->Name("recurrent_backward/lstm 64-32 B16");
BENCHMARK(backward<wide_elman, workload::long_sequences>)->Name("recurrent_backward/elman 256-256 B64");
BENCHMARK(backward<wide_gru, workload::long_sequences>)->Name("recurrent_backward/gru 256-256 B64");
BENCHMARK(backward<wide_lstm, workload::long_sequences>)->Name("recurrent_backward/lstm 256-256 B64");

}  // namespace
