// Which kernels a recurrent layer runs on: chosen at compile time from the cell, its size and the number format, from
// what ptxas said of registers and spills (docs/cuda.md has the table).
#pragma once

#include <string_view>
#include <type_traits>

#include "one_block_backward.hpp"
#include "one_block_forward.hpp"

namespace sequent {

// general: a product and a function per step; any cell, size and scalar. one_block: a tile of 8 sequences from its
// first step to its last in one block, weights in registers; small sizes, float. automatic: one_block where it fits.
enum class strategy { automatic, general, one_block };

[[nodiscard]] constexpr std::string_view name(strategy of) {
    return of == strategy::general ? "general" : of == strategy::one_block ? "one_block" : "automatic";
}

// Whether both one-block kernels run without spills and within the shared memory that a block has on every target.
template <class Cell, class T, precision Format>
inline constexpr bool fits_one_block = [] {
    if constexpr (!std::is_same_v<T, float> || Cell::hidden_size > 128) {
        return false;
    } else {
        constexpr int smallest_shared_memory = 99 << 10;  // sm_86, 89 and 120
        using layout = one_block_layout<Cell, Format, 8>;
        using forward = one_block_forward<kernel_warp, Cell, Format>;
        using backward = one_block_backward<kernel_warp, Cell, Format>;
        constexpr bool halves = Format == precision::bf16 || Format == precision::f16;
        return layout::groups * layout::group_registers <= (halves ? 96 : 72) &&
               forward::shared_bytes <= smallest_shared_memory && backward::shared_bytes <= smallest_shared_memory;
    }
}();

// What runs where `wanted` is asked for.
template <class Cell, class T, precision Format, strategy Wanted = strategy::automatic>
inline constexpr strategy planned_strategy = [] {
    static_assert(Wanted != strategy::one_block || fits_one_block<Cell, T, Format>,
                  "sequent::cuda: this cell does not fit one block in this number format; use strategy::automatic");
    if (Wanted != strategy::automatic) return Wanted;
    return fits_one_block<Cell, T, Format> ? strategy::one_block : strategy::general;
}();

}  // namespace sequent
