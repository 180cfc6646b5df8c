// Which kernels a recurrent layer runs on: chosen at compile time from the cell, its size and the number format, from
// what ptxas said of registers and spills (docs/cuda.md has the table).
#pragma once

#include <string_view>
#include <type_traits>

#include "tile_backward.hpp"
#include "tile_forward.hpp"

namespace sequent {

// general: a product and a function per step; any cell, size and scalar. one_block: a tile of 8 sequences from its
// first step to its last in one block, weights in registers; small sizes, float. cluster: the same in a cluster of 2,
// 4, 8 or 16 blocks, on GPUs from sm_90 on, 16 on those that can. automatic: the first of one_block, cluster and
// general that fits.
enum class strategy { automatic, general, one_block, cluster };

[[nodiscard]] constexpr std::string_view name(strategy of) {
    switch (of) {
    case strategy::automatic:
        return "automatic";
    case strategy::general:
        return "general";
    case strategy::one_block:
        return "one_block";
    case strategy::cluster:
        return "cluster";
    }
    return "unknown";
}

namespace detail {

inline constexpr int smallest_shared_memory = 99 << 10;  // of a block, on sm_86, 89 and 120
inline constexpr int largest_shared_memory = 227 << 10;  // on sm_90 and 100

// Whether both kernels of clusters of so many blocks run without spills, given so much shared memory.
template <class Cell, precision Format, int Blocks>
constexpr bool fits_cluster(int shared_memory) {
    return tile_layout<Cell, Format, 8, Blocks>::warps <= 8 &&
           cluster_forward<kernel_warp, Cell, Format, Blocks>::shared_bytes <= shared_memory &&
           cluster_backward<kernel_warp, Cell, Format, Blocks>::shared_bytes <= shared_memory;
}

}  // namespace detail

// Whether both one-block kernels run without spills and within the shared memory that a block has on every target.
template <class Cell, class T, precision Format>
inline constexpr bool fits_one_block = [] {
    if constexpr (!std::is_same_v<T, float> || Cell::hidden_size > 128) {
        return false;
    } else {
        using layout = tile_layout<Cell, Format, 8>;
        using forward = one_block_forward<kernel_warp, Cell, Format>;
        using backward = one_block_backward<kernel_warp, Cell, Format>;
        constexpr bool halves = Format == precision::bf16 || Format == precision::f16;
        return layout::groups * layout::group_registers <= (halves ? 96 : 72) &&
               forward::shared_bytes <= detail::smallest_shared_memory &&
               backward::shared_bytes <= detail::smallest_shared_memory;
    }
}();

// The blocks of the smallest cluster that a cell fits, on every GPU that has clusters if there is such a one; 0: none.
// 16, which not all of them can, only where nothing else fits.
template <class Cell, class T, precision Format>
inline constexpr int planned_blocks = [] {
    if constexpr (std::is_same_v<T, float> && Cell::hidden_size <= 512 && Cell::gate_count <= 4) {
        for (int const memory : {detail::smallest_shared_memory, detail::largest_shared_memory}) {
            if (detail::fits_cluster<Cell, Format, 2>(memory)) return 2;
            if (detail::fits_cluster<Cell, Format, 4>(memory)) return 4;
            if (detail::fits_cluster<Cell, Format, 8>(memory)) return 8;
        }
        if (detail::fits_cluster<Cell, Format, 16>(detail::largest_shared_memory)) return 16;
    }
    return 0;
}();

// What runs where `wanted` is asked for. A machine that cannot run the clusters that were planned runs general, or,
// where they were asked for, says so.
template <class Cell, class T, precision Format, strategy Wanted = strategy::automatic>
inline constexpr strategy planned_strategy = [] {
    static_assert(Wanted != strategy::one_block || fits_one_block<Cell, T, Format>,
                  "sequent::cuda: this cell does not fit one block in this number format; use strategy::automatic");
    static_assert(Wanted != strategy::cluster || planned_blocks<Cell, T, Format> != 0,
                  "sequent::cuda: this cell does not fit a cluster in this number format; use strategy::automatic");
    if (Wanted != strategy::automatic) return Wanted;
    return fits_one_block<Cell, T, Format>        ? strategy::one_block
           : planned_blocks<Cell, T, Format> != 0 ? strategy::cluster
                                                  : strategy::general;
}();

}  // namespace sequent
