// Adam on the CPU: a block of parameters, and the rows of a table whose missed steps are replayed bit for bit.
#pragma once

#include "../adam.hpp"
#include "operations.hpp"

namespace sequent {

// One step over a block: p, m, v, g of n numbers.
template <class T>
void adam_update(cpu const&, adam_constants const& constants, adam_step const& step, T* p, T* m, T* v, T const* g,
                 std::size_t n) {
    using number = simd<T, default_isa>;
    constexpr std::size_t width = number::size;
    adam_element<number, T> const update(constants);
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
        adam_step const* const steps = history.steps.data() + from;
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
            adam_fade<vectors, T>(history.constants, history.largest_rate, history.powers, steps, until - from, age, pj,
                                  mj, vj);
            for (int i = 0; i < vectors; ++i) pj[i].store_unaligned(p + j + i * width);
        }
        for (; j < rows.width; j += width) {
            std::size_t const left = static_cast<std::size_t>(std::min(width, rows.width - j));
            alignas(64) T lanes[3][width] = {};
            std::copy_n(p + j, left, lanes[0]), std::copy_n(m + j, left, lanes[1]), std::copy_n(v + j, left, lanes[2]);
            number pj[1] = {number::load_aligned(lanes[0])}, mj[1] = {number::load_aligned(lanes[1])},
                   vj[1] = {number::load_aligned(lanes[2])};
            adam_fade<1, T>(history.constants, history.largest_rate, history.powers, steps, until - from, age, pj, mj,
                            vj);
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

// The step is the history's next.
inline void adam_append_step(cpu const&, adam_step const& step, adam_step* history, int* count) {
    history[(*count)++] = step;
}
// All rows have made all of the history, which begins anew.
template <class T>
void adam_forget_steps(cpu const&, int all, adam_rows<T> const& rows, int* count) {
    for (int id = 0; id < all; ++id) rows.last[id] = std::max(rows.last[id] - *count, rows.never), rows.made[id] = 0;
    *count = 0;
}

}  // namespace sequent
