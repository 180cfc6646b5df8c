// How the CPU stores a recurrent layer while it works: units in blocks of one SIMD width, the gates of a block side by
// side, so that one tile's sums are all the gates of its units and the cell's step runs on registers.
#pragma once

#include <cstring>
#include <vector>

#include "../backend.hpp"
#include "buffer.hpp"
#include "panel.hpp"
#include "simd.hpp"

namespace sequent {

template <class Cell, class T, class Isa>
struct cpu_recurrent_layout {
    static constexpr int width = static_cast<int>(simd<T, Isa>::size);
    static constexpr int inputs = Cell::input_size, hidden = Cell::hidden_size;
    static constexpr int gates = Cell::gate_count, states = Cell::state_count;
    static constexpr int blocks = (hidden + width - 1) / width;
    static constexpr int tail = hidden - (blocks - 1) * width;  // units in the last block
    static constexpr int padded = blocks * width;               // units, the last block filled up
    static constexpr int gate_row = gates * padded;             // numbers of one row: [block, gate, width]
    static constexpr int kept_block = Cell::saved_count + states - 1;
    static constexpr int kept_row = kept_block * padded;  // [block, saved values and new states but h, width]

    // Forward panels hold all gates of one block, or of several where a cell has few gates.
    static constexpr int panel_blocks = divisor_up_to(blocks, gates >= 3 ? 1 : 4 / gates);
    static constexpr int panel_vectors = panel_blocks * gates;
    static constexpr int panels = blocks / panel_blocks;
    // Backward panels hold several blocks of units.
    static constexpr int back_vectors = divisor_up_to(blocks, 4);
    static constexpr int back_panels = blocks / back_vectors;

    // The place of gate g of unit u in a gate row.
    static constexpr int place(int g, int u) { return ((u / width) * gates + g) * width + u % width; }

    // weight [gates * hidden, depth] and bias (may be null) -> panels [panels, depth, panel_vectors, width] and, behind
    // all panels, the bias as a gate row. Padded units get zeros.
    static void pack_gates(T const* weight, T const* bias, int depth, T* to) {
        std::fill_n(to, packed_size(depth), T(0));
        for (int u = 0; u < hidden; ++u)
            for (int g = 0; g < gates; ++g) {
                int const column = place(g, u), panel = column / (panel_vectors * width);
                T* const out = to + static_cast<std::ptrdiff_t>(panel) * depth * panel_vectors * width +
                               column % (panel_vectors * width);
                T const* const row = weight + static_cast<std::ptrdiff_t>(g * hidden + u) * depth;
                for (int k = 0; k < depth; ++k) out[static_cast<std::ptrdiff_t>(k) * panel_vectors * width] = row[k];
                if (bias != nullptr) to[static_cast<std::ptrdiff_t>(depth) * gate_row + column] = bias[g * hidden + u];
            }
    }
    static constexpr std::size_t packed_size(int depth) {
        return static_cast<std::size_t>(depth + 1) * static_cast<std::size_t>(gate_row);
    }

    // weight_hh [gates * hidden, hidden] -> its transpose in panels [back_panels, gate_row, back_vectors, width].
    static void pack_back(T const* weight, T* to) {
        std::fill_n(to, static_cast<std::size_t>(gate_row) * padded, T(0));
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u)
                for (int k = 0; k < hidden; ++k) {
                    int const panel = k / (back_vectors * width);
                    to[(static_cast<std::ptrdiff_t>(panel) * gate_row + place(g, u)) * back_vectors * width +
                       k % (back_vectors * width)] = weight[static_cast<std::ptrdiff_t>(g * hidden + u) * hidden + k];
                }
    }

    // weight [gates * hidden, columns] += rows in the kernel's order [gate_row, columns].
    static void add_gate_rows(T const* rows, int columns, T* weight) {
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u) {
                T const* const from = rows + static_cast<std::ptrdiff_t>(place(g, u)) * columns;
                T* const to = weight + static_cast<std::ptrdiff_t>(g * hidden + u) * columns;
                for (int k = 0; k < columns; ++k) to[k] += from[k];
            }
    }
};

// What one direction of a recurrent layer keeps between forward and backward, and its room to work in.
template <class Cell, class T>
struct cpu_recurrent_memory {
    cpu_buffer<T> input_panels, hidden_panels, back_panels;  // packed weights
    cpu_buffer<T> input_gates;                               // [distinct, gate_row]
    cpu_buffer<T> kept;                                      // [rows, kept_row]
    cpu_buffer<T> running;                                   // [states - 1, batch, padded]: the states but h, now
    cpu_buffer<T> zeros;                                     // [batch, hidden]: the initial h where none is given
    cpu_buffer<T> gate_gradient, recurrent_gate_gradient;    // [rows, gate_row]; the second where gates are not shared
    cpu_buffer<T> distinct_gradient;                         // [distinct, gate_row]
    cpu_buffer<T> state_gradient;                            // [states, batch, padded]
    cpu_buffer<T> hidden_before;                             // [rows, hidden]
    cpu_buffer<T> unit_gradient;                             // [unit_count, padded]
    cpu_buffer<T> product;                                   // [gate_row, max(inputs, hidden)]
    bool ready_for_backward = false;
};

// The order in which a direction visits the steps, and who comes before and after whom.
struct step_order {
    packing const& shape;
    direction way;

    [[nodiscard]] int steps() const { return shape.steps(); }
    [[nodiscard]] int at(int visit) const { return way == direction::forward ? visit : steps() - 1 - visit; }
    [[nodiscard]] int size(int t) const { return shape.batch_sizes()[static_cast<std::size_t>(t)]; }
    [[nodiscard]] int offset(int t) const { return shape.offsets()[static_cast<std::size_t>(t)]; }
    [[nodiscard]] int previous(int t) const { return way == direction::forward ? t - 1 : t + 1; }
    [[nodiscard]] int next(int t) const { return way == direction::forward ? t + 1 : t - 1; }
    [[nodiscard]] bool exists(int t) const { return t >= 0 && t < steps(); }
    // Rows of step t that go on from `previous(t)`; the others start from the initial state.
    [[nodiscard]] int continuing(int t) const { return exists(previous(t)) ? std::min(size(t), size(previous(t))) : 0; }
    // Rows of step t that go on into `next(t)`; for the others it is the last step.
    [[nodiscard]] int going_on(int t) const { return exists(next(t)) ? std::min(size(t), size(next(t))) : 0; }
};

}  // namespace sequent
