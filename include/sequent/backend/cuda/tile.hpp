// What the forward and the backward kernel share that take a tile of the batch through all its steps, in one block or
// in a cluster of blocks that own the units between them: their arguments, how units and rows fall to lanes, and the
// order of the steps.
//
// All memory is the device's, row-major, and a gate row [G H] has the gates in the cell's order, gate g of unit u at
// g H + u: the order of weight_hh's rows. Where H is even every row starts on a multiple of 8 bytes.
#pragma once

#include "../backend.hpp"
#include "activation.hpp"
#include "exchange.hpp"
#include "stationary_product.hpp"

namespace sequent {

// A packed batch on the device, as class packing has it.
struct device_shape {
    int batch = 0;
    int const* lengths = nullptr;  // [batch], descending; zeros last
    int const* offsets = nullptr;  // [steps + 1]: the first row of each step
    int const* index = nullptr;    // [rows]: the row of `input_gates` that each row reads; null: its own
};

// One direction of a layer. States are [batch, H], in the sorted order.
template <class Cell>
struct tile_run {
    using states = numbers<matrix_view<float>, Cell::state_count>;
    using const_states = numbers<matrix_view<float const>, Cell::state_count>;
    // What the forward pass keeps of a row for the backward pass: the cell's saved values, then its states but h.
    static constexpr int kept_row = (Cell::saved_count + Cell::state_count - 1) * Cell::hidden_size;

    direction way = direction::forward;
    float const* parameters = nullptr;       // recurrent_layout<Cell>; read: weight_hh, bias_hh, the units' own
    matrix_view<float const> input_gates{};  // [distinct, G H]: W_ih x + b_ih
    const_states initial{};                  // empty: zeros
    matrix_view<float> output{};             // [rows, H]
    states final{};                          // empty: not wanted
    float* kept = nullptr;                   // [rows, kept_row]; null: no backward pass will follow

    // backward only; what is written is overwritten
    matrix_view<float const> output_gradient{};  // [rows, H]; empty: zeros
    const_states final_gradient{};               // empty: zeros
    states initial_gradient{};                   // empty: not wanted
    float* gate_gradient = nullptr;              // [rows, G H]: to W_ih x + b_ih
    float* recurrent_gate_gradient = nullptr;    // [rows, G H]: to W_hh h + b_hh; not written where gates are shared
    float* hidden_before = nullptr;              // [rows, H]: the h that each row's product read; null: not wanted
    float* unit_gradient = nullptr;              // [tiles, P, H]: of the units' own parameters, a sum per tile
};

template <class Cell>
struct tile_arguments {
    device_shape shape;
    numbers<tile_run<Cell>, 2> runs;  // a block of row y of the grid works on runs[y]
};

// Two neighbouring registers.
template <class Reg>
SEQUENT_DEVICE float_pair get_pair(Reg const& r, int lane, int n) {
    return {r(lane, n), r(lane, n + 1)};
}
template <class Reg>
SEQUENT_DEVICE void set_pair(Reg& r, int lane, int n, float_pair const& pair) {
    r(lane, n) = pair.first, r(lane, n + 1) = pair.second;
}

// Sizes. Each of the Blocks owns as many units, a multiple of 16; those beyond the hidden size are padding. Each warp
// owns `groups` groups of 8 units; a lane owns two neighbouring units of each, in one row of the batch (two when Rows
// is 16), and all of their gates.
template <class Cell, precision Format, int Rows, int Blocks = 1>
struct tile_layout {
    static constexpr int hidden = Cell::hidden_size, gates = Cell::gate_count, states = Cell::state_count;
    static constexpr int own = ((hidden + Blocks - 1) / Blocks + 15) / 16 * 16;  // units of a block
    static constexpr int padded = Blocks * own;
    // Registers that weigh on a thread per group: weight fragments.
    static constexpr int group_registers = Format == precision::f32                                ? 0
                                           : Format == precision::bf16 || Format == precision::f16 ? gates * padded / 8
                                                                                                   : gates * padded / 4;
    static constexpr int groups = Blocks == 1 && padded > 64 && 2 * group_registers <= 128 ? 2 : 1;
    static constexpr int warps = own / (8 * groups);
    static constexpr int threads = 32 * warps;
    static constexpr int slots = Rows / 8;
    // Weights beyond so many registers of a thread lie in shared memory. 128 leave enough for all else; of the largest
    // in 8 blocks, LSTMs of 257 to 384 units, shared memory would not hold so many.
    static constexpr int weight_registers = Blocks == 1                                             ? 255
                                            : Format == precision::bf16 || Format == precision::f16 ? 96
                                            : Blocks == 8 && group_registers > 288                  ? 144
                                                                                                    : 128;
    static constexpr int chains = groups == 1 ? 2 : 1;  // of a forward product, whose tiles are the gates
    // Whether a step asks for the next one's numbers before its own product, which needs registers for both, or after.
    static constexpr bool early = Blocks == 1 && groups * slots == 1;
    static constexpr int elements = groups * slots * 2;  // units and rows of a lane

    // The tile of this block and its place in the cluster; the first of a lane's two units in the block, and in all.
    template <class Warp>
    static SEQUENT_DEVICE int tile(Warp const& warp) {
        return warp.block_x() / Blocks;
    }
    template <class Warp>
    static SEQUENT_DEVICE int rank(Warp const& warp) {
        return warp.block_x() % Blocks;
    }
    static SEQUENT_DEVICE int own_unit(int warp, int lane, int group) {
        return (warp * groups + group) * 8 + 2 * (lane % 4);
    }
    template <class Warp>
    static SEQUENT_DEVICE int unit(Warp const& warp, int lane, int group) {
        return rank(warp) * own + own_unit(warp.index(), lane, group);
    }
    static SEQUENT_DEVICE int row(int lane, int slot) { return slot * 8 + lane / 4; }

    // Units u and u + 1 of a row of all units; the same, 0 where there is no such unit.
    static SEQUENT_DEVICE float_pair load(float const* row, int u) { return load_pair<hidden, padded>(row, u); }
    static SEQUENT_DEVICE void store(float* row, int u, float_pair const& pair) {
        store_pair<hidden, padded>(row, u, pair);
    }
    static SEQUENT_DEVICE float_pair masked(float_pair const& pair, int u) {
        if (hidden == padded) return pair;
        return {u < hidden ? pair.first : 0, u + 1 < hidden ? pair.second : 0};
    }

    // f(lane, slot) for each row of each lane; f(lane, group, slot) for each of its pairs of units.
    template <class Warp, class F>
    static SEQUENT_DEVICE void each_row(Warp& warp, F const& f) {
        warp.lanes([&](int lane) { SEQUENT_UNROLL for (int slot = 0; slot < slots; ++slot) f(lane, slot); });
    }
    template <class Warp, class F>
    static SEQUENT_DEVICE void each_pair(Warp& warp, F const& f) {
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group)
            each_row(warp, [&](int lane, int slot) { f(lane, group, slot); });
    }
    // Where a pair's numbers of kind k (a gate, a state, a saved value) stand among a lane's registers.
    static constexpr SEQUENT_DEVICE int place(int k, int group, int slot) {
        return ((k * groups + group) * slots + slot) * 2;
    }
};

// The order in which a tile's steps are visited, from the first to the last of its longest sequence or back. A sequence
// takes part in step t when t is less than its length; until then, or from then on, its states stand still.
struct tile_schedule {
    int const* offsets;
    int steps;
    bool ascending;

    [[nodiscard]] SEQUENT_DEVICE int time(int visit) const { return ascending ? visit : steps - 1 - visit; }
    [[nodiscard]] SEQUENT_DEVICE bool exists(int visit) const { return visit >= 0 && visit < steps; }
    // The first row of a visit's step; 0 where there is no such visit.
    [[nodiscard]] SEQUENT_DEVICE int offset(int visit) const { return exists(visit) ? offsets[time(visit)] : 0; }
    [[nodiscard]] SEQUENT_DEVICE bool active(int visit, int length) const {
        return exists(visit) && time(visit) < length;
    }
};

}  // namespace sequent
