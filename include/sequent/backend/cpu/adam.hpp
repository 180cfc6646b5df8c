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

// Replays for Vectors registers' worth of numbers the missed steps as if each had come with a gradient of zero: the
// same bits as the dense update at those steps, without weight decay. Three phases: until no parameter can move any
// more; then both moments, until the first is zero; then the second alone.
//
// When is a parameter p settled? A movement below |p| / 2^25 (float) rounds to none. After step t, those to come are at
// most largest_rate / (1 - beta1^t) * |m| / (sqrt(v) + epsilon): bias corrections only shrink them and, if beta1^2 <
// beta2, |m| decays faster than sqrt(v). Two more bits are kept for what rounding adds. Where epsilon does not dwarf
// the least sqrt(v), or beta1^2 >= beta2, only m = 0 settles it. What is settled may be replayed further: it stays. So
// the tests stand at the end of a few steps each, and a number's bits do not depend on its neighbours.
template <int Vectors, class T, class Isa>
void cpu_adam_replay(adam_constants const& constants, std::span<adam_step const> missed, double largest_rate,
                     simd<T, Isa> (&p)[Vectors], simd<T, Isa> (&m)[Vectors], simd<T, Isa> (&v)[Vectors]) {
    using number = simd<T, Isa>;
    constexpr std::size_t between_tests = 8;
    bool const fades = constants.beta1 * constants.beta1 < 0.999 * constants.beta2 && constants.epsilon >= 0x1p-50;
    number const small(T(!fades ? 0 : std::is_same_v<T, float> ? 0x1p-27 : 0x1p-56)), zero(T(0));
    cpu_adam<number, T> const update(constants);
    std::size_t t = 0;
    auto const steps_until = [&](auto const& step, auto const& holds) {  // holds for all numbers, or no step is left
        for (bool ends = false; t < missed.size() && !ends;) {
            for (std::size_t const stop = std::min(missed.size(), t + between_tests); t < stop; ++t)
                for (int i = 0; i < Vectors; ++i) step(i);
            ends = true;
            for (int i = 0; i < Vectors; ++i) ends = ends && all(holds(i));
        }
    };
    steps_until(
        [&](int i) {
            update.moments(m[i], v[i], zero);
            p[i] = p[i] - update.movement(m[i], v[i], missed[t]);
        },
        [&](int i) {
            number const largest(T(largest_rate * missed[t - 1].inverse_correction1));
            return largest * abs(m[i]) <= small * abs(p[i]) * (sqrt(v[i]) + update.epsilon);
        });
    steps_until([&](int i) { update.moments(m[i], v[i], zero); }, [&](int i) { return m[i] == zero; });
    steps_until([&](int i) { v[i] = update.beta2 * v[i]; },
                [&](int i) {  // v only falls, so a test now and then sees what a test at each step would
                    v[i] = select(v[i] < update.tiny_v, zero, v[i]);
                    return v[i] == zero;
                });
}

// The same for one row of n numbers.
template <class T>
void adam_catch_up(cpu const&, adam_constants const& constants, std::span<adam_step const> missed, double largest_rate,
                   T* p, T* m, T* v, int n) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size), vectors = 4;
    int j = 0;
    for (; j + vectors * width <= n; j += vectors * width) {
        number pj[vectors], mj[vectors], vj[vectors];
        for (int i = 0; i < vectors; ++i) {
            pj[i] = number::load_unaligned(p + j + i * width);
            mj[i] = number::load_unaligned(m + j + i * width);
            vj[i] = number::load_unaligned(v + j + i * width);
        }
        cpu_adam_replay<vectors, T, default_isa>(constants, missed, largest_rate, pj, mj, vj);
        for (int i = 0; i < vectors; ++i) {
            pj[i].store_unaligned(p + j + i * width);
            mj[i].store_unaligned(m + j + i * width);
            vj[i].store_unaligned(v + j + i * width);
        }
    }
    for (; j < n; j += width) {
        std::size_t const left = static_cast<std::size_t>(std::min(width, n - j));
        alignas(64) T lanes[3][width] = {};
        std::copy_n(p + j, left, lanes[0]), std::copy_n(m + j, left, lanes[1]), std::copy_n(v + j, left, lanes[2]);
        number pj[1] = {number::load_aligned(lanes[0])}, mj[1] = {number::load_aligned(lanes[1])},
               vj[1] = {number::load_aligned(lanes[2])};
        cpu_adam_replay<1, T, default_isa>(constants, missed, largest_rate, pj, mj, vj);
        pj[0].store_aligned(lanes[0]), mj[0].store_aligned(lanes[1]), vj[0].store_aligned(lanes[2]);
        std::copy_n(lanes[0], left, p + j), std::copy_n(lanes[1], left, m + j), std::copy_n(lanes[2], left, v + j);
    }
}

// The same for the rows `ids` of a table, row r from step seen[r] of the history on; seen[r] becomes `now`.
template <class T>
void adam_catch_up_rows(cpu const& device, adam_constants const& constants, std::span<adam_step const> history,
                        double largest_rate, std::span<int const> ids, int now, int* seen, int width, T* p, T* m,
                        T* v) {
    for (int const id : ids) {
        std::ptrdiff_t const at = std::ptrdiff_t{id} * width;
        auto const from = static_cast<std::size_t>(std::exchange(seen[id], now));
        if (from < history.size())
            adam_catch_up(device, constants, history.subspan(from), largest_rate, p + at, m + at, v + at, width);
    }
}

// One step of the rows `ids`; g: their gradients, [ids.size(), width].
template <class T>
void adam_update_rows(cpu const& device, adam_constants const& constants, adam_step const& step,
                      std::span<int const> ids, int width, T* p, T* m, T* v, T const* g) {
    for (int const id : ids) {
        std::ptrdiff_t const at = std::ptrdiff_t{id} * width;
        adam_update(device, constants, step, p + at, m + at, v + at, g, static_cast<std::size_t>(width));
        g += width;
    }
}

}  // namespace sequent
