// The yardstick of the benchmarks: how fast the better of Eigen and OpenBLAS does the matrix products of a recurrent
// layer's training step, each at its own shape, in this process, on this thread, now.
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

// FLOP/s over a whole step: of each library alone (OpenBLAS: zero where it is not there), and of the better one for
// each product.
struct product_peak {
    double eigen = 0, openblas = 0, best = 0;
};

// Seconds this thread has computed: what other programs take of the machine does not count.
inline double thread_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

namespace detail {

using matrix = Eigen::MatrixXf;

// The least seconds of one call: of bursts long enough for the clock, three of them or two milliseconds.
template <class F>
double least_seconds(F const& call) {
    auto const burst = [&](int calls) {
        double const start = thread_seconds();
        for (int i = 0; i < calls; ++i) call();
        return thread_seconds() - start;
    };
    int calls = 1;
    while (burst(calls) < 5e-5) calls *= 2;
    double least = 1e9, total = 0;
    for (int bursts = 0; bursts < 3 || total < 2e-3; ++bursts) {
        double const seconds = burst(calls);
        least = std::min(least, seconds / calls);
        total += seconds;
    }
    return least;
}

// c = a b, with a or b transposed if so said.
#if SEQUENT_BENCH_OPENBLAS
inline constexpr bool have_openblas = true;
inline void openblas_product(CBLAS_TRANSPOSE side_a, matrix const& a, CBLAS_TRANSPOSE side_b, matrix const& b,
                             matrix& c) {
    auto const extent = [](Eigen::Index n) { return static_cast<int>(n); };
    cblas_sgemm(CblasColMajor, side_a, side_b, extent(c.rows()), extent(c.cols()),
                extent(side_a == CblasTrans ? a.rows() : a.cols()), 1, a.data(), extent(a.rows()), b.data(),
                extent(b.rows()), 0, c.data(), extent(c.rows()));
}
#else
inline constexpr bool have_openblas = false;
enum side { CblasNoTrans, CblasTrans };
inline void openblas_product(side, matrix const&, side, matrix const&, matrix&) {}
#endif

// The products of a step so far: their FLOPs, and the seconds they take.
struct step_products {
    double flops = 0, eigen = 0, openblas = 0, best = 0;

    // A product that the step does `times` times.
    template <class ByEigen, class ByOpenBlas>
    void add(double times, double product_flops, ByEigen const& by_eigen, ByOpenBlas const& by_openblas) {
        double const first = least_seconds(by_eigen);
        double const second = have_openblas ? least_seconds(by_openblas) : first;
        eigen += times * first;
        openblas += times * second;
        best += times * std::min(first, second);
        flops += times * product_flops;
    }
};

enum class products { all, of_a_time_step, of_weights };

// With weights w [G, depth], inputs x [depth, rows] and gates y [G, rows], one row's numbers side by side as in a
// packed batch: y = w x, its gradients dx = w^T y, and dw = y x^T.
inline void measure(step_products& sum, products which, double times, int gate_rows, int depth, int rows) {
    matrix const w = matrix::Random(gate_rows, depth), x = matrix::Random(depth, rows);
    matrix y = matrix::Random(gate_rows, rows), dx(depth, rows), dw(gate_rows, depth);
    auto const add = [&](auto const& by_eigen, auto const& by_openblas) {
        sum.add(times, 2.0 * gate_rows * depth * rows, by_eigen, by_openblas);
    };
    if (which != products::of_weights) {
        add([&] { dx.noalias() = w.transpose() * y; }, [&] { openblas_product(CblasTrans, w, CblasNoTrans, y, dx); });
        add([&] { y.noalias() = w * x; }, [&] { openblas_product(CblasNoTrans, w, CblasNoTrans, x, y); });
    }
    if (which != products::of_a_time_step)
        add([&] { dw.noalias() = y * x.transpose(); }, [&] { openblas_product(CblasNoTrans, y, CblasTrans, x, dw); });
}

}  // namespace detail

// The rate at which the libraries do the six products of a training step, each at its own shape: with the inputs
// [rows, E] x [E, G] and the gradients of both factors; in every time step [batch, H] x [H, G] and the gradient of the
// states; the gradient [G, rows] x [rows, H] of the recurrent weights. Measured anew when the last measurement of the
// shape is more than a second old, so that a benchmark is held against a peak of its own minute.
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
    using detail::products;
    detail::step_products step;
    detail::measure(step, products::all, 1, layer.gate_rows, layer.input, rows);
    detail::measure(step, products::of_a_time_step, static_cast<double>(rows) / layer.batch, layer.gate_rows,
                    layer.hidden, layer.batch);
    detail::measure(step, products::of_weights, 1, layer.gate_rows, layer.hidden, rows);
    product_peak const peak{step.flops / step.eigen, detail::have_openblas ? step.flops / step.openblas : 0,
                            step.flops / step.best};
    known[key] = {thread_seconds(), peak};
    return peak;
}

}  // namespace bench
