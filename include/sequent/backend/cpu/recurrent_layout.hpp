// How the CPU stores a recurrent layer while it works: units in blocks of 64 bytes, whole cache lines, the gates of a
// block side by side, where the cell's equations find them. The layout is the same for every instruction set: units of
// a program compiled for different ones may share what they store.
#pragma once

#include "../backend.hpp"
#include "buffer.hpp"
#include "panel.hpp"

namespace sequent {

template <class Cell, class T>
struct cpu_recurrent_layout {
    static constexpr int lanes = 64 / static_cast<int>(sizeof(T));  // units in a block
    static constexpr int inputs = Cell::input_size, hidden = Cell::hidden_size;
    static constexpr int gates = Cell::gate_count, states = Cell::state_count;
    static constexpr int blocks = (hidden + lanes - 1) / lanes;
    static constexpr int padded = blocks * lanes;                      // units, the last block filled up
    static constexpr int gate_row = gates * padded;                    // one row: [block, gate, lane]
    static constexpr int kept_block = Cell::saved_count + states - 1;  // vectors
    static constexpr int kept_row = kept_block * padded;               // [block, saved values | states but h, lane]
    static constexpr int units_in(int block) { return block + 1 < blocks ? lanes : hidden - block * lanes; }

    // The place of gate g of unit u in a gate row.
    static constexpr int place(int g, int u) { return ((u / lanes) * gates + g) * lanes + u % lanes; }

    // weight [gates * hidden, depth] and bias -> panels [block, depth, gate, lane] and, behind all of them, the bias as
    // a gate row. Padded units get zeros.
    static constexpr std::size_t packed_size(int depth) {
        return static_cast<std::size_t>(depth + 1) * static_cast<std::size_t>(gate_row);
    }
    static void pack_gates(T const* weight, T const* bias, int depth, T* to) {
        std::fill_n(to, packed_size(depth), T(0));
        for (int block = 0; block < blocks; ++block, to += std::ptrdiff_t{depth} * gates * lanes)
            for (int g = 0; g < gates; ++g)
                for (int lane = 0; lane < units_in(block); ++lane) {
                    T const* const row = weight + std::ptrdiff_t{g * hidden + block * lanes + lane} * depth;
                    for (int k = 0; k < depth; ++k) to[(std::ptrdiff_t{k} * gates + g) * lanes + lane] = row[k];
                }
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u) to[place(g, u)] = bias[g * hidden + u];
    }

    // weight_hh [gates * hidden, hidden] -> its transpose in panels [block of k, place of the gate, lane of k].
    static void pack_back(T const* weight, T* to) {
        std::fill_n(to, static_cast<std::size_t>(gate_row) * padded, T(0));
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u) {
                T const* const row = weight + std::ptrdiff_t{g * hidden + u} * hidden;
                for (int block = 0; block < blocks; ++block)
                    std::copy_n(row + block * lanes, units_in(block),
                                to + (std::ptrdiff_t{block} * gate_row + place(g, u)) * lanes);
            }
    }

    // weight [gates * hidden, columns] += rows [begin, end) of a matrix in the kernel's order, [gate_row, columns].
    static void add_gate_rows(T const* rows, int begin, int end, int columns, T* weight) {
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u) {
                if (place(g, u) < begin || place(g, u) >= end) continue;
                T const* const from = rows + std::ptrdiff_t{place(g, u)} * columns;
                T* const to = weight + std::ptrdiff_t{g * hidden + u} * columns;
                for (int k = 0; k < columns; ++k) to[k] += from[k];
            }
    }
};

// The units that a kernel for Isa handles at once: a SIMD number's worth, one group after the other.
template <class Cell, class T, class Isa>
struct cpu_unit_groups {
    using layout = cpu_recurrent_layout<Cell, T>;
    static constexpr int width = static_cast<int>(simd<T, Isa>::size);
    static constexpr int parts = layout::lanes / width;  // groups in a block
    static constexpr int count = (layout::hidden + width - 1) / width;
    static constexpr int tail = layout::hidden - (count - 1) * width;  // units in the last group
    static_assert(layout::lanes % width == 0,
                  "sequent::cpu: a SIMD register must hold a part of 64 bytes; choose another Isa");

    // Where group q has gate g in a gate row, saved value k in a kept row, and its first unit in a padded row.
    static constexpr int gate(int q, int g) {
        return ((q / parts) * layout::gates + g) * layout::lanes + (q % parts) * width;
    }
    static constexpr int kept(int q, int k) {
        return ((q / parts) * layout::kept_block + k) * layout::lanes + (q % parts) * width;
    }
    static constexpr int unit(int q) { return q * width; }

    // sum += W x for R rows of x, `stride` apart, S groups from q and G gates from g on, and the numbers k, ..., k +
    // n - 1 of the depth; panels: of pack_gates.
    template <int R, int S, int G>
    SEQUENT_HD static void add_product(simd<T, Isa> (&sum)[R][S * G], T const* x, std::ptrdiff_t stride,
                                       T const* panels, int depth, int q, int g, int k, int n) {
        T const* from[S];
        for (int s = 0; s < S; ++s)
            from[s] = panels + (std::ptrdiff_t{(q + s) / parts} * depth + k) * layout::gates * layout::lanes +
                      gate((q + s) % parts, g);
        panel_product<R, S, G, T, Isa>(sum, x + k, stride, from, layout::gates * layout::lanes, layout::lanes, n);
    }

    // sum = bias + W x with all gates, in one go.
    template <int R, int S>
    SEQUENT_HD static void product(simd<T, Isa> (&sum)[R][S * layout::gates], T const* x, std::ptrdiff_t stride,
                                   T const* panels, int depth, int q) {
        T const* const bias = panels + std::ptrdiff_t{depth} * layout::gate_row;
        for (int i = 0; i < R * S * layout::gates; ++i)
            sum[i / (S * layout::gates)][i % (S * layout::gates)] =
                simd<T, Isa>::load_aligned(bias + gate(q + i / layout::gates % S, i % layout::gates));
        add_product<R, S, layout::gates>(sum, x, stride, panels, depth, q, 0, 0, depth);
    }

    // bias + W x for the rows [begin, end) of x and all groups: finish(row, q, sums) with those of group q, of gate g
    // after g * lanes.
    template <int Depth>
    static void products(int begin, int end, T const* x, std::ptrdiff_t stride, T const* panels, auto const& finish) {
        constexpr int S = divisor_up_to(count, parts > 1 ? 2 : std::max(4 / layout::gates, 1));
        constexpr int G = divisor_up_to(layout::gates, (simd_registers<Isa> == 32 ? 4 : 3) / S);
        constexpr int set = std::max(S, parts), set_row = set / parts * layout::gates * layout::lanes;
        constexpr int passing = 64;
        alignas(64) T room[passing * set_row];
        for (int top = begin; top < end; top += passing) {
            auto const place = [&](int row, int q, int g) { return room + (row - top) * set_row + gate(q % set, g); };
            panel_products<T, Isa, S, G, layout::gates, Depth, layout::lanes>(
                top, std::min(top + passing, end), count, place,
                [&](int row, int q) {
                    std::copy_n(panels + std::ptrdiff_t{Depth} * layout::gate_row + gate(q, 0), set_row,
                                place(row, q, 0));
                },
                [&]<int R>(simd<T, Isa>(&sum)[R][S * G], int row, int q, int g, int k, int last) {
                    add_product<R, S, G>(sum, x + row * stride, stride, panels, Depth, q, g, k, last - k);
                },
                [&](int row, int q) { finish(row, q, place(row, q, 0)); });
        }
    }
};

// A layer's weights in the kernels' order, made anew when the parameters have changed.
template <class Cell, class T>
struct cpu_recurrent_weights {
    cpu_buffer<T> input, hidden, back;
    std::uint64_t version = 0, back_version = 0;  // of the parameters they were made from; 0: none

    void update(T const* parameters, std::uint64_t now) {
        using layout = cpu_recurrent_layout<Cell, T>;
        using block = recurrent_layout<Cell>;
        if (version == now && now != 0) return;
        layout::pack_gates(parameters + block::weight_ih, parameters + block::bias_ih, layout::inputs,
                           input.reserve(layout::packed_size(layout::inputs)));
        layout::pack_gates(parameters + block::weight_hh, parameters + block::bias_hh, layout::hidden,
                           hidden.reserve(layout::packed_size(layout::hidden)));
        version = now;
    }
    void update_back(T const* parameters, std::uint64_t now) {
        using layout = cpu_recurrent_layout<Cell, T>;
        if (back_version == now && now != 0) return;
        layout::pack_back(parameters + recurrent_layout<Cell>::weight_hh,
                          back.reserve(static_cast<std::size_t>(layout::gate_row) * layout::padded));
        back_version = now;
    }
};

// What one direction of a recurrent layer keeps between forward and backward, and its room to work in.
template <class Cell, class T>
struct cpu_recurrent_memory {
    cpu_recurrent_weights<Cell, T> weights;
    cpu_buffer<T> input_gates;                             // [distinct, gate_row]
    cpu_buffer<T> kept;                                    // [rows, kept_row]
    cpu_buffer<T> running;                                 // [states - 1, batch, padded]: the states but h, now
    cpu_buffer<T> zeros;                                   // [batch, hidden]: the initial h where none is given
    cpu_buffer<T> gate_gradient, recurrent_gate_gradient;  // [rows, gate_row]; the second where gates are not shared
    cpu_buffer<T> distinct_gradient;                       // [distinct, gate_row]
    cpu_buffer<T> state_gradient;                          // [states, batch, padded]
    cpu_buffer<T> hidden_before;                           // [rows, hidden]
    cpu_buffer<T> unit_gradient;                           // [shards, unit_count, padded]
    cpu_buffer<T> input_product, hidden_product;           // [gate_row, inputs] and [gate_row, hidden]
    cpu_buffer<T> input_weight;                            // [gate_row, inputs]: weight_ih in the kernel's order
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
    [[nodiscard]] bool exists(int t) const { return t >= 0 && t < steps(); }
    // Rows of step t that go on from `previous(t)`; the others start from the initial state.
    [[nodiscard]] int continuing(int t) const { return exists(previous(t)) ? std::min(size(t), size(previous(t))) : 0; }

    // Calls f(t, first, last, continues) for the sequences [begin, end) at each step, in the order of the visits or
    // against it: those that go on from the step before, then those that start.
    void visit(bool against, int begin, int end, auto&& f) const {
        for (int v = 0; v < steps(); ++v) {
            int const t = at(against ? steps() - 1 - v : v), going = continuing(t), last = std::min(end, size(t));
            if (begin < std::min(going, last)) f(t, begin, std::min(going, last), true);
            if (std::max(begin, going) < last) f(t, std::max(begin, going), last, false);
        }
    }
};

// Sequences are cut into shards of this many, whatever the number of threads: a sum over a batch is a sum over its
// shards.
inline constexpr int sequences_per_shard = 8;

}  // namespace sequent
