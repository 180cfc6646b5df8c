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

// The step becomes the last of the history, whose steps, sums and count are these.
inline void adam_append_step(cpu const&, adam_history const& history, adam_step const& step, adam_step* steps,
                             adam_sums* sums, int* count) {
    int const now = static_cast<int>(history.steps.size()), summed = std::min(now + 1, history.powers.summed());
    steps[now] = step;
    sums[now] = {};
    for (int k = 1; k <= summed; ++k) adam_add_step(history.powers, steps, now, k, sums);
    ++*count;
}

namespace detail {

template <class T>
void prefetch_row(adam_history const& history, adam_rows<T> const& rows, int id) {
    constexpr int line = 64 / sizeof(T);
    for (T const* const numbers : {rows.p, rows.m, rows.v})
        for (int j = 0; j < rows.width; j += line) __builtin_prefetch(numbers + std::ptrdiff_t{id} * rows.width + j);
    __builtin_prefetch(history.sums + rows.made[id]);
    __builtin_prefetch(history.steps.data() + rows.made[id]);
}

// to = p after the pause, `width` numbers; may be p itself.
template <class T>
void adam_make_up(adam_history const& history, adam_pause<T> const& pause, T const* p, T const* m, T const* v,
                  int width, T* to) {
    using number = simd<T, default_isa>;
    constexpr int size = static_cast<int>(number::size);
    // Count SIMD batches at once, step by step: a division waits for the one before it.
    auto const fade = [&]<int Count>(T const* p_in, T const* m_in, T const* v_in, T* out) {
        number pj[Count], mj[Count], vj[Count];
        for (int i = 0; i < Count; ++i) {
            pj[i] = number::load_unaligned(p_in + i * size);
            mj[i] = number::load_unaligned(m_in + i * size);
            vj[i] = number::load_unaligned(v_in + i * size);
        }
        adam_fade<Count, T>(history.constants, history.largest_rate, history.powers, history.steps.data() + pause.from,
                            pause.until - pause.from, pause.age, pj, mj, vj);
        for (int i = 0; i < Count; ++i) pj[i].store_unaligned(out + i * size);
    };
    auto const one = [&](T const* p_in, T const* m_in, T const* v_in, T* out) {
        if (!pause.by_series) return fade.template operator()<1>(p_in, m_in, v_in, out);
        pause
            .moved(number::load_unaligned(p_in), number::load_unaligned(m_in), number::load_unaligned(v_in),
                   T(history.constants.epsilon))
            .store_unaligned(out);
    };
    int j = 0;
    if (!pause.by_series)
        for (; j + 4 * size <= width; j += 4 * size) fade.template operator()<4>(p + j, m + j, v + j, to + j);
    for (; j + size <= width; j += size) one(p + j, m + j, v + j, to + j);
    if (j == width) return;
    std::size_t const left = static_cast<std::size_t>(width - j);
    alignas(64) T lanes[3][size] = {};
    std::copy_n(p + j, left, lanes[0]), std::copy_n(m + j, left, lanes[1]), std::copy_n(v + j, left, lanes[2]);
    one(lanes[0], lanes[1], lanes[2], lanes[0]);
    std::copy_n(lanes[0], left, to + j);
}

}  // namespace detail

// to[u] = the parameters of row ids[u] after all steps of the history; `to` may be the table itself, if these are its
// rows.
template <class T>
void adam_read_rows(cpu const&, adam_history const& history, std::span<int const> ids, adam_rows<T> const& rows,
                    matrix_view<T> to) {
    int const now = static_cast<int>(history.steps.size());
    std::size_t const ahead = 4;  // rows on their way from memory
    for (std::size_t u = 0; u < ids.size(); ++u) {
        if (u + ahead < ids.size()) detail::prefetch_row(history, rows, ids[u + ahead]);
        int const id = ids[u];
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width;
        T* const out = to.row(static_cast<int>(u));
        adam_pause<T> const pause(history.steps.data(), history.sums, history.powers, now, rows.made[id],
                                  rows.last[id]);
        if (pause.none() && out != rows.p + at)
            std::copy_n(rows.p + at, rows.width, out);
        else if (!pause.none())
            detail::adam_make_up(history, pause, rows.p + at, rows.m + at, rows.v + at, rows.width, out);
    }
}

// The step after the history, for the rows `ids`; g: their gradients, [ids.size(), width]. current: these rows as
// adam_read_rows gives them, or null.
template <class T>
void adam_update_rows(cpu const& device, adam_history const& history, adam_step const& step, std::span<int const> ids,
                      adam_rows<T> const& rows, T const* g, T const* current) {
    int const now = static_cast<int>(history.steps.size());
    std::size_t const width = static_cast<std::size_t>(rows.width);
    for (int const id : ids) {
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width;
        T *const p = rows.p + at, *const m = rows.m + at, *const v = rows.v + at;
        if (current != nullptr)
            std::copy_n(current, width, p), current += width;
        else if (adam_pause<T> const pause(history.steps.data(), history.sums, history.powers, now, rows.made[id],
                                           rows.last[id]);
                 !pause.none())
            detail::adam_make_up(history, pause, p, m, v, rows.width, p);
        int const missed = now - rows.last[id];
        if (missed > 0) {
            double const root = history.powers.root(missed);
            scale(device, m, width, T(history.powers.first(missed)));
            scale(device, v, width, T(root * root));
        }
        adam_update(device, history.constants, step, p, m, v, g, width);
        rows.made[id] = rows.last[id] = now + 1;
        g += width;
    }
}

// All rows have made all of the history, which begins anew.
template <class T>
void adam_forget_steps(cpu const&, int all, adam_rows<T> const& rows, int* count) {
    for (int id = 0; id < all; ++id) rows.last[id] = std::max(rows.last[id] - *count, rows.never), rows.made[id] = 0;
    *count = 0;
}

}  // namespace sequent
