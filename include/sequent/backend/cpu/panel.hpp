// The one matrix-product kernel of the recurrent layers: a few rows times a panel of weights, sums in registers. Every
// sum runs over k upwards from its start, whatever the number of rows, so a row's bits do not depend on its batch.
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
inline constexpr int tile_rows = std::clamp((simd_registers<Isa> - Vectors - 1) / Vectors, 1, 8);

// sum[r][s * G + g] += sum over k of x[r * stride + k * along] * w, for R rows and S streams of weights: stream s has
// its number (k, g) at streams[s] + k * step + g * between.
template <int R, int S, int G, class T, class Isa>
SEQUENT_HD void panel_product(simd<T, Isa> (&sum)[R][S * G], T const* x, std::ptrdiff_t stride, int along,
                              T const* const (&streams)[S], int step, int between, int depth) {
    using number = simd<T, Isa>;
    for (int k = 0; k < depth; ++k) {
        number weight[S * G];
        for (int s = 0; s < S; ++s)
            for (int g = 0; g < G; ++g)
                weight[s * G + g] = number::load_aligned(streams[s] + std::ptrdiff_t{k} * step + g * between);
        for (int r = 0; r < R; ++r) {
            number const input(x[r * stride + std::ptrdiff_t{k} * along]);
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

// Sums of products of Depth numbers with panels, to place(row, q, g), for the rows [begin, end) and `groups` groups of
// units, SIMD numbers of Gates each. A sum begins with start(row, q, g); add(sum, row, q, g, k, last) adds the numbers
// k, ..., last - 1 of the depth, for R rows, S groups and G gates; finish(row, q) is called after, for each group.
// While the rows pass by, a slab of weights, of all gates and of whole cache lines, stays in the nearest cache. Where
// the whole depth is one slab, add is told so in constants, for the compiler.
template <class T, class Isa, int S, int G, int Gates, int Depth, int Lanes>
void panel_products(int begin, int end, int groups, auto const& place, auto const& start, auto const& add,
                    auto const& finish) {
    using number = simd<T, Isa>;
    constexpr int parts = Lanes / static_cast<int>(number::size), set = std::max(S, parts);
    constexpr int slab = std::max(16384 / (set / parts * Gates * 64 * Lanes), 1) * Lanes;
    int k = 0, q = 0, g = 0;
    auto const tile = [&]<int R>(std::integral_constant<int, R>, int row) {
        number sum[R][S * G];
        auto const each = [&](auto const& f) {  // without a loop, for the sums to be registers
            [&]<int... I>(std::integer_sequence<int, I...>) {
                (f(sum[I / (S * G)][I % (S * G)], row + I / (S * G), q + I / G % S, g + I % G), ...);
            }
            (std::make_integer_sequence<int, R * S * G>{});
        };
        if (Depth <= slab || k == 0)
            each([&](number& one, auto... at) { one = start(at...); });
        else
            each([&](number& one, auto... at) { one = number::load_aligned(place(at...)); });
        add(sum, row, q, g, Depth <= slab ? 0 : k, Depth <= slab ? Depth : std::min(k + slab, Depth));
        each([&](number const& one, auto... at) { one.store_aligned(place(at...)); });
    };
    for (int first = 0; first < groups; first += set) {
        int const last = std::min(first + set, groups);
        for (k = 0; k < Depth; k += slab)
            for (q = first; q < last; q += S)
                for (g = 0; g < Gates; g += G) for_tiles<tile_rows<Isa, S * G>>(begin, end, tile);
        for (q = first; q < last; ++q)
            for (int row = begin; row < end; ++row) finish(row, q);
    }
}

// The largest divisor of n that is at most `limit`.
constexpr int divisor_up_to(int n, int limit) {
    for (limit = std::max(limit, 1); n % limit != 0;) --limit;
    return limit;
}

}  // namespace sequent
