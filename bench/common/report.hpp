// The counters that all benchmarks of networks share.
#pragma once

#include <benchmark/benchmark.h>

#include "peak.hpp"

namespace bench {

// tokens, flops: of all iterations together. Rates are per second of the time the benchmark reports.
inline void report(benchmark::State& state, double tokens, double flops, product_peak const& peak) {
    auto const rate = benchmark::Counter::kIsRate;
    state.counters["tokens/s"] = {tokens, rate};
    state.counters["GFLOP/s"] = {flops * 1e-9, rate};
    state.counters["share of peak"] = {flops / peak.best, rate};
    state.counters["Eigen GFLOP/s"] = peak.eigen * 1e-9;
    state.counters["OpenBLAS GFLOP/s"] = peak.openblas * 1e-9;
}

}  // namespace bench
