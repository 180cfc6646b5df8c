// The one matrix-product kernel of the forward pass and of the backward recurrence: a few rows times a panel of
// weights, sums in registers. Every sum runs over k upwards from its bias, whatever the number of rows, so a row's bits
// do not depend on its batch.
#pragma once

#include <algorithm>
#include <utility>

#include "simd.hpp"

namespace sequent {

// The registers that hold SIMD numbers on Isa.
template <class Isa>
inline constexpr int simd_registers =
    std::is_base_of_v<xsimd::avx512f, Isa> || std::is_base_of_v<xsimd::neon64, Isa> ? 32 : 16;

// Rows whose sums fit in registers beside the panel's weights and one input.
template <class Isa, int Vectors>
inline constexpr int tile_rows = [] {
    int const rows = (simd_registers<Isa> - Vectors - 1) / Vectors;
    return rows < 1 ? 1 : rows > 8 ? 8 : rows;
}();

// sum[r][s * G + g] += sum over k of x[r][k] * w, for R rows `stride` apart and S streams of weights: stream s has its
// number (k, g) at streams[s] + k * step + g * between.
template <int R, int S, int G, class T, class Isa>
SEQUENT_HD void panel_product(simd<T, Isa> (&sum)[R][S * G], T const* x, std::ptrdiff_t stride,
                              T const* const (&streams)[S], int step, int between, int depth) {
    using number = simd<T, Isa>;
    for (int k = 0; k < depth; ++k) {
        number weight[S * G];
        for (int s = 0; s < S; ++s)
            for (int g = 0; g < G; ++g)
                weight[s * G + g] = number::load_aligned(streams[s] + std::ptrdiff_t{k} * step + g * between);
        for (int r = 0; r < R; ++r) {
            number const input(x[r * stride + k]);
            for (int v = 0; v < S * G; ++v) sum[r][v] = fma(input, weight[v], sum[r][v]);
        }
    }
}

// Calls f(std::integral_constant<int, R>, first) for tiles of Rows rows, then once for what is left.
template <int Rows, class F>
SEQUENT_HD void for_tiles(int begin, int end, F&& f) {
    int first = begin;
    for (; end - first >= Rows; first += Rows) f(std::integral_constant<int, Rows>{}, first);
    [&]<int... Left>(std::integer_sequence<int, Left...>) {
        (void)((end - first == Left + 1 && (f(std::integral_constant<int, Left + 1>{}, first), true)) || ...);
    }
    (std::make_integer_sequence<int, Rows - 1>{});
}

// Depth numbers of each of the rows [begin, end) times the panels of the groups 0, Streams, 2 Streams, ... < groups:
// for some rows and groups at a time add(sum, first row, group, k, count) for one slab of the depth after the other
// (where k is 0 it starts the sums), then finish(sum, first row, group). 64 rows pass by while a slab of weights, of
// all groups on the same cache lines, stays in the nearest cache; the sums wait in `room`.
template <class T, class Isa, int Rows, int Streams, int Vectors, int Together, int Depth, int Slab>
SEQUENT_HD void panel_products(int begin, int end, int groups, auto const& add, auto const& finish) {
    using number = simd<T, Isa>;
    constexpr int width = static_cast<int>(number::size), passing = 64;
    alignas(64) T room[Depth > Slab ? Together / Streams * passing * Vectors * width : 1];
    int top = begin, set = 0, q = 0, k = 0;
    auto const tile = [&]<int R>(std::integral_constant<int, R>, int first) {
        number sum[R][Vectors];
        T* const waiting = room + ((q - set) / Streams * passing + first - top) * Vectors * width;
        for (int i = 0; i < R * Vectors && Depth > Slab && k > 0; ++i)
            sum[i / Vectors][i % Vectors] = number::load_aligned(waiting + i * width);
        add(sum, first, q, k, std::min(Slab, Depth - k));
        if (Depth <= Slab || k + Slab >= Depth) return finish(sum, first, q);
        for (int i = 0; i < R * Vectors; ++i) sum[i / Vectors][i % Vectors].store_aligned(waiting + i * width);
    };
    for (; top < end; top += passing)
        for (set = 0; set < groups; set += Together)
            for (k = 0; k < Depth; k += Slab)
                for (q = set; q < std::min(set + Together, groups); q += Streams)
                    for_tiles<Rows>(top, std::min(top + passing, end), tile);
}

// The largest divisor of n that is at most `limit`.
constexpr int divisor_up_to(int n, int limit) {
    int best = 1;
    for (int d = 2; d <= limit; ++d)
        if (n % d == 0) best = d;
    return best;
}

}  // namespace sequent
