// Adam's element update on the CPU (Kingma and Ba 2015, algorithm 1, in PyTorch's form), written once for a block of
// parameters and for the rows of a table whose missed steps are replayed bit for bit.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

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
void cpu_adam_block(adam_constants const& constants, adam_step const& step, T* p, T* m, T* v, T const* g,
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

// Replays for one row of n numbers the missed steps as if each had come with a gradient of zero: the same bits as the
// dense update at those steps, without weight decay. Two phases: until no parameter can move any more, then the moments
// alone.
//
// When is a parameter p settled? A movement below |p| / 2^25 (float) rounds to none. After step t, those to come are at
// most largest_rate / (1 - beta1^t) * |m| / (sqrt(v) + epsilon): bias corrections only shrink them and, if beta1^2 <
// beta2, |m| decays faster than sqrt(v). Two more bits are kept for what rounding adds. Where epsilon does not dwarf
// the least sqrt(v), or beta1^2 >= beta2, only m = 0 settles it.
template <class T>
void cpu_adam_catch_up(adam_constants const& constants, std::span<adam_step const> missed, double largest_rate, T* p,
                       T* m, T* v, int n) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size);
    bool const fades = constants.beta1 * constants.beta1 < 0.999 * constants.beta2 && constants.epsilon >= 0x1p-50;
    number const small(T(!fades ? 0 : std::is_same_v<T, float> ? 0x1p-27 : 0x1p-56)), zero(T(0));
    cpu_adam<number, T> const update(constants);
    for (int j = 0; j < n; j += width) {
        int const left = n - j < width ? n - j : width;
        alignas(64) T lanes[3][width] = {};
        for (int k = 0; k < left; ++k) lanes[0][k] = p[j + k], lanes[1][k] = m[j + k], lanes[2][k] = v[j + k];
        number pj = number::load_aligned(lanes[0]), mj = number::load_aligned(lanes[1]),
               vj = number::load_aligned(lanes[2]);
        std::size_t t = 0;
        for (bool settled = false; t < missed.size() && !settled; ++t) {
            update.moments(mj, vj, zero);
            pj = pj - update.movement(mj, vj, missed[t]);
            number const largest(T(largest_rate * missed[t].inverse_correction1));
            settled = all(largest * abs(mj) <= small * abs(pj) * (sqrt(vj) + update.epsilon));
        }
        for (bool gone = false; t < missed.size() && !gone; ++t) {
            update.moments(mj, vj, zero);
            gone = all(mj == zero) && all(vj == zero);
        }
        pj.store_aligned(lanes[0]), mj.store_aligned(lanes[1]), vj.store_aligned(lanes[2]);
        for (int k = 0; k < left; ++k) p[j + k] = lanes[0][k], m[j + k] = lanes[1][k], v[j + k] = lanes[2][k];
    }
}

}  // namespace sequent
