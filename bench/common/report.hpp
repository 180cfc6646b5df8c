// The counters that all benchmarks of networks share.
#pragma once

#include <benchmark/benchmark.h>

#include "peak.hpp"

namespace bench {

// tokens, flops: of all iterations together. Rates are per second of the time the benchmark reports.
inline void report(benchmark::State& state, double tokens, double flops) {
    state.counters["tokens/s"] = {tokens, benchmark::Counter::kIsRate};
    state.counters["GFLOP/s"] = {flops * 1e-9, benchmark::Counter::kIsRate};
}

inline void report(benchmark::State& state, double tokens, double flops, product_peak const& peak) {
    report(state, tokens, flops);
    state.counters["share of peak"] = {flops / peak.best, benchmark::Counter::kIsRate};
    state.counters["Eigen GFLOP/s"] = peak.eigen * 1e-9;
    state.counters["OpenBLAS GFLOP/s"] = peak.openblas * 1e-9;
}

}  // namespace bench
