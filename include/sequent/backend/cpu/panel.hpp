// The one matrix-product kernel of the forward pass and of the backward recurrence: a few rows times a panel of
// weights, sums in registers. Every sum runs over k upwards from its bias, whatever the number of rows, so a row's bits
// do not depend on its batch.
#pragma once

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

// The largest divisor of n that is at most `limit`.
constexpr int divisor_up_to(int n, int limit) {
    int best = 1;
    for (int d = 2; d <= limit; ++d)
        if (n % d == 0) best = d;
    return best;
}

}  // namespace sequent
