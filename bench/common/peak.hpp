// The yardstick of the benchmarks: how fast the better of Eigen and OpenBLAS does the matrix products of recurrent
// layers' training step, each at its own shape, in this process, on this thread, now.
#pragma once

#include <time.h>

#include <Eigen/Core>

#if SEQUENT_BENCH_OPENBLAS
#include <cblas.h>
#endif

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

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

enum class product { forward, of_inputs, of_weights };

struct product_seconds {
    double eigen, openblas;
};

// With weights w [G, depth], inputs x [depth, rows] and gates y [G, rows], one row's numbers side by side as in a
// packed batch: y = w x, its gradient dx = w^T y, or dw = y x^T.
inline product_seconds seconds_of(product which, int gate_rows, int depth, int rows) {
    matrix w = matrix::Random(gate_rows, depth), x = matrix::Random(depth, rows), y = matrix::Random(gate_rows, rows);
    auto const seconds = [](auto const& by_eigen, auto const& by_openblas) {
        double const eigen = least_seconds(by_eigen);
        return product_seconds{eigen, have_openblas ? least_seconds(by_openblas) : eigen};
    };
    switch (which) {
    case product::forward:
        return seconds([&] { y.noalias() = w * x; }, [&] { openblas_product(CblasNoTrans, w, CblasNoTrans, x, y); });
    case product::of_inputs:
        return seconds([&] { x.noalias() = w.transpose() * y; },
                       [&] { openblas_product(CblasTrans, w, CblasNoTrans, y, x); });
    default:
        return seconds([&] { w.noalias() = y * x.transpose(); },
                       [&] { openblas_product(CblasNoTrans, y, CblasTrans, x, w); });
    }
}

// The products of a step so far: their FLOPs, and the seconds they take. A shape that occurs again, in another
// direction or layer, is measured once.
class step_products {
  public:
    // A product that the step does `times` times.
    void add(product which, double times, int gate_rows, int depth, int rows) {
        auto const [place, fresh] = known_.try_emplace({static_cast<int>(which), gate_rows, depth, rows});
        if (fresh) place->second = seconds_of(which, gate_rows, depth, rows);
        auto const [by_eigen, by_openblas] = place->second;
        flops_ += times * 2.0 * gate_rows * depth * rows;
        eigen_ += times * by_eigen;
        openblas_ += times * by_openblas;
        best_ += times * std::min(by_eigen, by_openblas);
    }
    [[nodiscard]] product_peak peak() const {
        return {flops_ / eigen_, have_openblas ? flops_ / openblas_ : 0, flops_ / best_};
    }

  private:
    std::map<std::array<int, 4>, product_seconds> known_;
    double flops_ = 0, eigen_ = 0, openblas_ = 0, best_ = 0;
};

}  // namespace detail

// The rate at which the libraries do the six products of a training step in each of the layers (one for each
// direction), each at its own shape: with the inputs [rows, E] x [E, G] and the gradients of both factors; in every
// time step [batch, H] x [H, G] and the gradient of the states; the gradient [G, rows] x [rows, H] of the recurrent
// weights. Measured anew when the last measurement of these layers is more than a second old, so that a benchmark is
// held against a peak of its own minute.
inline product_peak peak_of(std::span<layer_size const> layers, int rows) {
#if SEQUENT_BENCH_OPENBLAS
    openblas_set_num_threads(1);
#endif
    struct measurement {
        double at;
        product_peak peak;
    };
    static std::map<std::pair<std::vector<layer_size>, int>, measurement> known;
    std::pair const key(std::vector(layers.begin(), layers.end()), rows);
    auto const found = known.find(key);
    if (found != known.end() && thread_seconds() - found->second.at < 1) return found->second.peak;
    using detail::product;
    detail::step_products step;
    for (auto const& [input, hidden, gate_rows, batch] : layers) {
        for (product const which : {product::forward, product::of_inputs, product::of_weights})
            step.add(which, 1, gate_rows, input, rows);
        for (product const which : {product::forward, product::of_inputs})
            step.add(which, static_cast<double>(rows) / batch, gate_rows, hidden, batch);
        step.add(product::of_weights, 1, gate_rows, hidden, rows);
    }
    product_peak const peak = step.peak();
    known[key] = {thread_seconds(), peak};
    return peak;
}

}  // namespace bench
