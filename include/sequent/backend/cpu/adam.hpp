// Adam's element update on the CPU (Kingma and Ba 2015, algorithm 1, in PyTorch's form), written once for a block of
// parameters and for the rows of a table whose missed steps are replayed bit for bit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "../../fwd.hpp"
#include "../adam.hpp"
#include "operations.hpp"
#include "simd.hpp"

namespace sequent {

// The update over a SIMD batch of numbers. fma is written out, so that dense and replayed updates round alike.
template <class Number, class T>
struct cpu_adam {
    Number beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, decay, tiny_m, tiny_v;

    explicit cpu_adam(adam_constants const& c)
        : beta1(T(c.beta1)), one_minus_beta1(T(1 - c.beta1)), beta2(T(c.beta2)), one_minus_beta2(T(1 - c.beta2)),
          epsilon(T(c.epsilon)), decay(T(c.weight_decay)), tiny_m(T(adam_constants::tiny_m)),
          tiny_v(T(adam_constants::tiny_v)) {}

    SEQUENT_HD void moments(Number& m, Number& v, Number const& g) const {
        Number const zero(T(0));
        m = fma(beta1, m, one_minus_beta1 * g);
        v = fma(beta2, v, (one_minus_beta2 * g) * g);
        m = select(abs(m) < tiny_m, zero, m);
        v = select(v < tiny_v, zero, v);
    }
    SEQUENT_HD Number movement(Number const& m, Number const& v, adam_step const& step) const {
        return Number(T(step.rate_over_correction1)) * m / fma(sqrt(v), Number(T(step.root_correction2)), epsilon);
    }
    // Coupled weight decay enters the gradient; decoupled (AdamW) shrinks the parameter.
    SEQUENT_HD void operator()(Number& p, Number& m, Number& v, Number const& g, adam_step const& step) const {
        moments(m, v, fma(decay, p, g));
        p = fma(p, Number(T(step.shrink)), -movement(m, v, step));
    }
};

// One step over a block: p, m, v, g of n numbers.
template <class T>
void adam_update(cpu const&, adam_constants const& constants, adam_step const& step, T* p, T* m, T* v, T const* g,
                 std::size_t n) {
    using number = simd<T, default_isa>;
    constexpr std::size_t width = number::size;
    cpu_adam<number, T> const update(constants);
    std::size_t j = 0;
    for (; j + width <= n; j += width) {
        number pj = number::load_unaligned(p + j), mj = number::load_unaligned(m + j),
               vj = number::load_unaligned(v + j);
        update(pj, mj, vj, number::load_unaligned(g + j), step);
        pj.store_unaligned(p + j), mj.store_unaligned(m + j), vj.store_unaligned(v + j);
    }
    if (j == n) return;
    alignas(64) T lanes[4][width] = {};  // the last few numbers go through the same instructions
    for (std::size_t k = j; k < n; ++k)
        lanes[0][k - j] = p[k], lanes[1][k - j] = m[k], lanes[2][k - j] = v[k], lanes[3][k - j] = g[k];
    number pj = number::load_aligned(lanes[0]), mj = number::load_aligned(lanes[1]),
           vj = number::load_aligned(lanes[2]);
    update(pj, mj, vj, number::load_aligned(lanes[3]), step);
    pj.store_aligned(lanes[0]), mj.store_aligned(lanes[1]), vj.store_aligned(lanes[2]);
    for (std::size_t k = j; k < n; ++k) p[k] = lanes[0][k - j], m[k] = lanes[1][k - j], v[k] = lanes[2][k - j];
}

// Vectors registers' worth of numbers of a row make the steps in which it had no gradient. `age` counts those since its
// last gradient, the first of `steps` included.
//
// When is a parameter p settled? A movement below |p| / 2^25 (float) rounds to none. After step t, those to come are at
// most largest_rate / (1 - beta1^t) * |m| / (sqrt(v) + epsilon): bias corrections only shrink them and, if beta1^2 <
// beta2, |m| fades faster than sqrt(v). Two more bits are kept for what rounding adds. Where epsilon does not dwarf
// the least sqrt(v), or beta1^2 >= beta2, only m = 0 settles it. What is settled may move on: it stays. So the test
// stands at the end of a few steps, and a number's bits do not depend on its neighbours.
template <int Vectors, class T, class Isa>
SEQUENT_HD void cpu_adam_fade(adam_history const& history, std::span<adam_step const> steps, int age,
                              simd<T, Isa> (&values)[Vectors], simd<T, Isa> const (&m)[Vectors],
                              simd<T, Isa> const (&v)[Vectors]) {
    using number = simd<T, Isa>;
    constexpr std::size_t between_tests = 8;
    adam_constants const& c = history.constants;
    bool const fades = c.beta1 * c.beta1 < 0.999 * c.beta2 && c.epsilon >= 0x1p-50;
    number const small(T(!fades ? 0 : std::is_same_v<T, float> ? 0x1p-27 : 0x1p-56)), epsilon(T(c.epsilon));
    number p[Vectors], root_v[Vectors];
    for (int i = 0; i < Vectors; ++i) p[i] = values[i], root_v[i] = sqrt(v[i]);
    bool settled = false;
    for (std::size_t t = 0; t < steps.size() && !settled;) {
        for (std::size_t const stop = std::min(steps.size(), t + between_tests); t < stop; ++t, ++age) {
            number const factor(T(steps[t].rate_over_correction1 * history.powers.first(age)));
            number const slope(T(steps[t].root_correction2 * history.powers.root(age)));
            for (int i = 0; i < Vectors; ++i) p[i] = p[i] - factor * m[i] / fma(root_v[i], slope, epsilon);
        }
        number const largest(T(history.largest_rate * steps[t - 1].inverse_correction1 * history.powers.first(age)));
        number const root(T(history.powers.root(age)));
        settled = true;
        for (int i = 0; i < Vectors; ++i)
            settled = settled && all(largest * abs(m[i]) <= small * abs(p[i]) * (root_v[i] * root + epsilon));
    }
    for (int i = 0; i < Vectors; ++i) values[i] = p[i];
}

template <class T>
void prefetch_row(adam_rows<T> const& rows, int id) {
    constexpr int line = 64 / sizeof(T);
    for (T const* const numbers : {rows.p, rows.m, rows.v})
        for (int j = 0; j < rows.width; j += line) __builtin_prefetch(numbers + std::ptrdiff_t{id} * rows.width + j);
}

// The rows `ids` make all steps of the history that they have not made.
template <class T>
void adam_catch_up_rows(cpu const&, adam_history const& history, std::span<int const> ids, adam_rows<T> const& rows) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size), vectors = 4;
    int const now = static_cast<int>(history.steps.size());
    std::size_t const ahead = 4;  // rows on their way from memory
    for (std::size_t u = 0; u < ids.size(); ++u) {
        if (u + ahead < ids.size()) prefetch_row(rows, ids[u + ahead]);
        int const id = ids[u], from = std::exchange(rows.made[id], now), last = rows.last[id];
        int const until = static_cast<int>(std::min<long long>(now, 0LL + last + history.powers.reach()));
        if (from >= until) continue;
        auto const steps =
            history.steps.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(until - from));
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width;
        T *const p = rows.p + at, *const m = rows.m + at, *const v = rows.v + at;
        int const age = from + 1 - last;
        int j = 0;
        for (; j + vectors * width <= rows.width; j += vectors * width) {
            number pj[vectors], mj[vectors], vj[vectors];
            for (int i = 0; i < vectors; ++i) {
                pj[i] = number::load_unaligned(p + j + i * width);
                mj[i] = number::load_unaligned(m + j + i * width);
                vj[i] = number::load_unaligned(v + j + i * width);
            }
            cpu_adam_fade<vectors>(history, steps, age, pj, mj, vj);
            for (int i = 0; i < vectors; ++i) pj[i].store_unaligned(p + j + i * width);
        }
        for (; j < rows.width; j += width) {
            std::size_t const left = static_cast<std::size_t>(std::min(width, rows.width - j));
            alignas(64) T lanes[3][width] = {};
            std::copy_n(p + j, left, lanes[0]), std::copy_n(m + j, left, lanes[1]), std::copy_n(v + j, left, lanes[2]);
            number pj[1] = {number::load_aligned(lanes[0])}, mj[1] = {number::load_aligned(lanes[1])},
                   vj[1] = {number::load_aligned(lanes[2])};
            cpu_adam_fade<1>(history, steps, age, pj, mj, vj);
            pj[0].store_aligned(lanes[0]);
            std::copy_n(lanes[0], left, p + j);
        }
    }
}

// The step after the history, for the rows `ids`, which have made all of it; g: their gradients, [ids.size(), width].
template <class T>
void adam_update_rows(cpu const& device, adam_history const& history, adam_step const& step, std::span<int const> ids,
                      adam_rows<T> const& rows, T const* g) {
    int const now = static_cast<int>(history.steps.size());
    std::size_t const width = static_cast<std::size_t>(rows.width);
    for (int const id : ids) {
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width;
        T *const m = rows.m + at, *const v = rows.v + at;
        int const missed = now - rows.last[id];
        if (missed > 0) {
            double const root = history.powers.root(missed);
            scale(device, m, width, T(history.powers.first(missed)));
            scale(device, v, width, T(root * root));
        }
        adam_update(device, history.constants, step, rows.p + at, m, v, g, width);
        rows.made[id] = rows.last[id] = now + 1;
        g += width;
    }
}

}  // namespace sequent
