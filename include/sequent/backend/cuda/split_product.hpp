// Products of whole batches in the format f32x3: with a = ah + al and b = bh + bl, the high and the low parts in bf16,
// a b is al bh + ah bl + ah bh but for al bl and what the low parts round off, at most 2^-15 of it. That is one product
// [al ah ah] [bh; bl; bh] of bf16 factors, three times as deep, which a GPU for servers multiplies more than three
// times as fast as floats.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "../../core/matrix.hpp"
#include "machine.hpp"
#include "precision.hpp"

namespace sequent {

namespace detail {

// A number's parts, high + low. Large numbers that bf16 would round to infinity have the largest high part there is.
// What is not finite has the high part alone, and cross is 0: then it meets the other factor's high part and nothing
// else, and the sum is what that of floats is, not infinity times a low part of 0.
struct bf16_parts {
    bf16_number high, low, cross;  // cross: high, where it meets the other factor's low part
    SEQUENT_HD constexpr explicit bf16_parts(float value) : high{bf16_bits(value)}, low{0}, cross{0} {
        if (value - value != 0) return;
        if ((high.bits & 0x7FFF) == 0x7F80) --high.bits;
        low = {bf16_bits(value - static_cast<float>(high))};
        cross = high;
    }
};

// A factor's numbers as the left or the right one of the wide product reads them: three parts, which lie beside or
// below each other, `next` from the same place of one to that of the next. The small terms of a sum come first.
struct widen_factor {
    matrix_view<float const> from;
    matrix_view<bf16_number> to;
    std::ptrdiff_t next;
    bool is_left;
    SEQUENT_HD void operator()(int r, int c) const {
        bf16_parts const parts(from(r, c));
        bf16_number* const place = to.row(r) + c;
        place[0] = is_left ? parts.low : parts.cross;
        place[next] = is_left ? parts.cross : parts.low;
        place[2 * next] = parts.high;
    }
};

inline constexpr int split_depth = 2048;  // of one product's factors, before they are wide
inline constexpr int split_numbers = (32 << 20) / sizeof(bf16_number);  // of a wide factor

constexpr int round_to(int n, int unit) { return (n + unit - 1) / unit * unit; }
// n cut into as few parts of at most `most`, a multiple of 8, as there can be, about equal.
constexpr int part_of(int n, int most) {
    int const parts = (n + most - 1) / most;
    return round_to((n + parts - 1) / parts, 8);
}

// [rows, columns] of a factor from a place on, as it lies in memory.
template <class T>
matrix_view<T> block_of(matrix_view<T> all, int row, int column, int rows, int columns) {
    return {all.row(row) + column, rows, columns, all.stride};
}
// The same of op(factor).
template <class T>
matrix_view<T> block_of(factor is, matrix_view<T> all, int row, int column, int rows, int columns) {
    return is == factor::plain ? block_of(all, row, column, rows, columns) : block_of(all, column, row, columns, rows);
}

// The factor three times as deep, its rows on multiples of 16 bytes.
template <class Machine>
matrix_view<bf16_number const> widened(Machine& machine, matrix_view<float const> from, bool depth_is_across,
                                       bool is_left, bf16_number* to) {
    int const rows = depth_is_across ? from.rows : 3 * from.rows;
    int const columns = depth_is_across ? 3 * from.columns : from.columns;
    matrix_view<bf16_number> const wide(to, rows, columns, round_to(columns, 8));
    std::ptrdiff_t const next = depth_is_across ? from.columns : from.rows * wide.stride;
    machine.each(from.rows, from.columns, widen_factor{from, wide, next, is_left});
    return wide;
}

// c (+)= op(a) op(b), by pieces of the depth, whose sums come one after the other, and blocks of c: so that a wide
// factor has 32 MiB at most. Its room is all there at once and stays, as products in a list that comes again must find
// theirs.
template <class Machine>
void multiply_split(Machine& machine, factor a_is, matrix_view<float const> a, factor b_is, matrix_view<float const> b,
                    matrix_view<float> c, bool accumulate) {
    int const depth = a_is == factor::plain ? a.columns : a.rows;
    if (depth == 0 || c.rows == 0 || c.columns == 0)
        return machine.multiply(precision::f32x3, a_is, a, b_is, b, c, accumulate);
    int const piece = part_of(depth, split_depth);
    int const most = split_numbers / (3 * piece + 8) / 8 * 8;
    int const rows = part_of(c.rows, most), columns = part_of(c.columns, most);
    bf16_number* const room = machine.split_room(2 * std::size_t{split_numbers});
    for (int k = 0; k < depth; k += piece)
        for (int j = 0; j < c.columns; j += columns) {
            int const deep = std::min(piece, depth - k), across = std::min(columns, c.columns - j);
            auto const right = widened(machine, block_of(b_is, b, k, j, deep, across), b_is == factor::transposed,
                                       false, room + split_numbers);
            for (int i = 0; i < c.rows; i += rows) {
                int const down = std::min(rows, c.rows - i);
                auto const left =
                    widened(machine, block_of(a_is, a, i, k, down, deep), a_is == factor::plain, true, room);
                machine.multiply(precision::f32x3, a_is, left, b_is, right, block_of(c, i, j, down, across),
                                 accumulate || k > 0);
            }
        }
}

// Whether a product of this size gains more than it costs to split its factors.
constexpr bool is_worth_splitting(split_cost const& cost, std::int64_t rows, std::int64_t columns, std::int64_t depth) {
    return depth > 0 && rows * columns - cost.number * (rows + columns) > cost.product / depth;
}

// The product of a whole batch: that of the machine, or split where it is worth it.
template <class Machine, class T>
void multiply_batch(Machine& machine, precision format, factor a_is, matrix_view<T const> a, factor b_is,
                    matrix_view<T const> b, matrix_view<T> c, bool accumulate) {
    if constexpr (std::is_same_v<T, float>)
        if (format == precision::f32x3 && machine.is_fast_in_bf16() &&
            is_worth_splitting(machine.cost_of_split, c.rows, c.columns, a_is == factor::plain ? a.columns : a.rows))
            return multiply_split(machine, a_is, a, b_is, b, c, accumulate);
    machine.multiply(format, a_is, a, b_is, b, c, accumulate);
}

}  // namespace detail

}  // namespace sequent
