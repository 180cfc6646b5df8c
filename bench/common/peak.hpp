// The yardstick of the benchmarks: how fast the better of Eigen and OpenBLAS multiplies matrices of the very shapes of
// a recurrent layer's step, in this process, on this thread, now.
#pragma once

#include <time.h>

#include <Eigen/Core>

#if SEQUENT_BENCH_OPENBLAS
#include <cblas.h>
#endif

#include <algorithm>
#include <map>
#include <tuple>

#include "flops.hpp"

namespace bench {

// FLOP/s. Zero: this library is not there.
struct product_peak {
    double eigen = 0, openblas = 0;
    [[nodiscard]] double best() const { return std::max(eigen, openblas); }
};

// Seconds this thread has computed: what other programs take of the machine does not count.
inline double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

namespace detail {

using matrix = Eigen::MatrixXf;

// The least seconds of one call, of at least three calls and two milliseconds after the first.
template <class F>
double least_seconds(F const& call) {
    call();
    double least = 1e9, total = 0;
    for (int calls = 0; calls < 3 || total < 2e-3; ++calls) {
        double const start = thread_seconds();
        call();
        double const seconds = thread_seconds() - start;
        least = std::min(least, seconds);
        total += seconds;
    }
    return least;
}

#if SEQUENT_BENCH_OPENBLAS
inline void openblas_product(matrix const& a, bool transpose_a, matrix const& b, bool transpose_b, matrix& c) {
    auto const side = [](bool transpose) { return transpose ? CblasTrans : CblasNoTrans; };
    auto const extent = [](Eigen::Index n) { return static_cast<int>(n); };
    cblas_sgemm(CblasColMajor, side(transpose_a), side(transpose_b), extent(c.rows()), extent(c.cols()),
                extent(transpose_a ? a.rows() : a.cols()), 1, a.data(), extent(a.rows()), b.data(), extent(b.rows()), 0,
                c.data(), extent(c.rows()));
}
#endif

// The products of a step with weights w [G, depth], inputs x [depth, rows] and gates y [G, rows], one row's numbers
// side by side as in a packed batch: y = w x, its gradients dx = w^T y and dw = y x^T.
inline void measure_products(int gate_rows, int depth, int rows, product_peak& peak) {
    matrix const w = matrix::Random(gate_rows, depth), x = matrix::Random(depth, rows);
    matrix y = matrix::Random(gate_rows, rows), dx(depth, rows), dw(gate_rows, depth);
    double const flops = 2.0 * gate_rows * depth * rows;
    auto const raise = [&](double& best, auto const& call) { best = std::max(best, flops / least_seconds(call)); };
    raise(peak.eigen, [&] { dx.noalias() = w.transpose() * y; });
    raise(peak.eigen, [&] { dw.noalias() = y * x.transpose(); });
    raise(peak.eigen, [&] { y.noalias() = w * x; });
#if SEQUENT_BENCH_OPENBLAS
    raise(peak.openblas, [&] { openblas_product(w, true, y, false, dx); });
    raise(peak.openblas, [&] { openblas_product(y, false, x, true, dw); });
    raise(peak.openblas, [&] { openblas_product(w, false, x, false, y); });
#endif
}

}  // namespace detail

// The fastest rate at which a library does any product of the step: those of the inputs, [rows, E] x [E, G], and of the
// states, [batch, H] x [H, G] in each step and [rows, H] x [H, G] for the weights. Measured anew when the last
// measurement of the shape is more than a second old, so that a benchmark is held against a peak of its own minute.
inline product_peak peak_of(layer_size const& layer, int rows) {
#if SEQUENT_BENCH_OPENBLAS
    openblas_set_num_threads(1);
#endif
    struct measurement {
        double at;
        product_peak peak;
    };
    static std::map<std::tuple<int, int, int, int, int>, measurement> known;
    std::tuple const key(layer.input, layer.hidden, layer.gate_rows, layer.batch, rows);
    auto const found = known.find(key);
    if (found != known.end() && thread_seconds() - found->second.at < 1) return found->second.peak;
    product_peak peak;
    detail::measure_products(layer.gate_rows, layer.input, rows, peak);
    detail::measure_products(layer.gate_rows, layer.hidden, rows, peak);
    detail::measure_products(layer.gate_rows, layer.hidden, layer.batch, peak);
    known[key] = {thread_seconds(), peak};
    return peak;
}

}  // namespace bench
