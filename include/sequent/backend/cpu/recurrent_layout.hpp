// How the CPU stores a recurrent layer while it works: units in blocks of 64 bytes, whole cache lines, the gates of a
// block side by side, where the cell's equations find them. The layout is the same for every instruction set.
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
    static constexpr int padded = blocks * lanes;                // units, the last block filled up
    static constexpr int gate_row = gates * padded;              // one row: [block, gate, lane]
    static constexpr int gate_block = gates * lanes;             // one row of one block
    static constexpr int kept = Cell::saved_count + states - 1;  // saved values and states but h, for one unit
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

    // weight [gates * hidden, columns] -> its transpose in panels [block of columns, place of the gate, lane].
    static constexpr std::size_t back_size(int columns) {
        return static_cast<std::size_t>(gate_row) * static_cast<std::size_t>((columns + lanes - 1) / lanes * lanes);
    }
    static void pack_back(T const* weight, int columns, T* to) {
        for (int first = 0; first < columns; first += lanes, to += std::ptrdiff_t{gate_row} * lanes) {
            std::fill_n(to, std::ptrdiff_t{gate_row} * lanes, T(0));
            for (int g = 0; g < gates; ++g)
                for (int u = 0; u < hidden; ++u)
                    std::copy_n(weight + std::ptrdiff_t{g * hidden + u} * columns + first,
                                std::min(lanes, columns - first), to + std::ptrdiff_t{place(g, u)} * lanes);
        }
    }

    // What there is for each row stands block by block, [block, rows, numbers of a unit, lane], so that the work on one
    // block passes through memory in order: where a row of a block begins.
    static constexpr std::ptrdiff_t at(int block, int rows, int row, int vectors) {
        return (std::ptrdiff_t{block} * rows + row) * vectors * lanes;
    }
    // Row `row` of a matrix whose columns come in blocks: [block of columns, rows, lane].
    template <int Columns>
    static void put_columns(T const* from, int rows, int row, T* to) {
        constexpr int whole = Columns / lanes, left = Columns % lanes;
        auto const out = [=](int b) { return to + (std::ptrdiff_t{b} * rows + row) * lanes; };
        for (int b = 0; b < whole; ++b) std::copy_n(from + b * lanes, lanes, out(b));
        if (left > 0) std::fill_n(std::copy_n(from + whole * lanes, left, out(whole)), lanes - left, T(0));
    }
    // weight [gates * hidden, columns] += rows [gate, lane of a block], `stride` apart.
    static void add_gates(T const* rows, int block, int stride, int columns, T* weight) {
        for (int g = 0; g < gates; ++g)
            for (int lane = 0; lane < units_in(block); ++lane) {
                T const* const from = rows + std::ptrdiff_t{g * lanes + lane} * stride;
                T* const to = weight + std::ptrdiff_t{g * hidden + block * lanes + lane} * columns;
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

    // Where group q has gate g in a gate row, its part of what there is for a row, and its first unit in a padded row.
    static constexpr int gate(int q, int g) {
        return ((q / parts) * layout::gates + g) * layout::lanes + (q % parts) * width;
    }
    static constexpr std::ptrdiff_t at(int q, int rows, int row, int vectors) {
        return layout::at(q / parts, rows, row, vectors) + q % parts * width;
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
        panel_product<R, S, G, T, Isa>(sum, x + k, stride, 1, from, layout::gates * layout::lanes, layout::lanes, n);
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

    // Groups, and gates of each, that a tile of products() has side by side; groups of a set are finished together.
    static constexpr int S = divisor_up_to(count, parts > 1 ? 2 : std::max(4 / layout::gates, 1));
    static constexpr int G = divisor_up_to(layout::gates, (simd_registers<Isa> == 32 ? 4 : 3) / S);
    static constexpr int set = std::max(S, parts);

    // bias + W x for the rows [begin, end) of x and all groups, to place(row, q, g); then finish(row, q).
    template <int Depth>
    static void products(int begin, int end, T const* x, std::ptrdiff_t stride, T const* panels, auto const& place,
                         auto const& finish) {
        T const* const bias = panels + std::ptrdiff_t{Depth} * layout::gate_row;
        panel_products<T, Isa, S, G, layout::gates, Depth, layout::lanes>(
            begin, end, count, place, [&](int, int q, int g) { return simd<T, Isa>::load_aligned(bias + gate(q, g)); },
            [&]<int R>(simd<T, Isa>(&sum)[R][S * G], int row, int q, int g, int k, int last) {
                add_product<R, S, G>(sum, x + row * stride, stride, panels, Depth, q, g, k, last - k);
            },
            finish);
    }
};

// A layer's weights in the kernels' order, made anew when the parameters have changed.
template <class Cell, class T>
struct cpu_recurrent_weights {
    using layout = cpu_recurrent_layout<Cell, T>;
    using block = recurrent_layout<Cell>;
    cpu_buffer<T> input, hidden;                  // by pack_gates
    cpu_buffer<T> input_back, back;               // by pack_back
    std::uint64_t version = 0, back_version = 0;  // of the parameters they were made from; 0: none

    void update(T const* parameters, std::uint64_t now) {
        if (version == now && now != 0) return;
        layout::pack_gates(parameters + block::weight_ih, parameters + block::bias_ih, layout::inputs,
                           input.reserve(layout::packed_size(layout::inputs)));
        layout::pack_gates(parameters + block::weight_hh, parameters + block::bias_hh, layout::hidden,
                           hidden.reserve(layout::packed_size(layout::hidden)));
        version = now;
    }
    void update_back(T const* parameters, std::uint64_t now) {
        if (back_version == now && now != 0) return;
        layout::pack_back(parameters + block::weight_ih, layout::inputs,
                          input_back.reserve(layout::back_size(layout::inputs)));
        layout::pack_back(parameters + block::weight_hh, layout::hidden,
                          back.reserve(layout::back_size(layout::hidden)));
        back_version = now;
    }
};

// What one direction of a recurrent layer keeps between forward and backward, and its room to work in.
template <class Cell, class T>
struct cpu_recurrent_memory {
    cpu_recurrent_weights<Cell, T> weights;
    cpu_buffer<T> input_gates;                             // [block, distinct, gate, lane]
    cpu_buffer<T> kept;                                    // [block, rows, saved value or state but h, lane]
    cpu_buffer<T> running;                                 // [states - 1, batch, padded]: the states but h, now
    cpu_buffer<T> zeros;                                   // [batch, hidden]: the initial h where none is given
    cpu_buffer<T> gate_gradient, recurrent_gate_gradient;  // [block, rows, gate, lane]; the second: not shared gates'
    cpu_buffer<T> distinct_gradient;                       // [block, distinct, gate, lane]
    cpu_buffer<T> state_gradient;                          // [states, batch, padded]
    cpu_buffer<T> hidden_before, input_columns;            // [block, rows or distinct, lane]: the other factors
    cpu_buffer<T> unit_gradient;                           // [shards, unit_count, padded]
    cpu_buffer<T> product;                                 // [block, gate, lane, columns]: room for one
};

// The order in which a direction visits the steps, and who comes before and after whom.
struct step_order {
    packing const& shape;
    direction way;

    [[nodiscard]] int at(int visit) const { return way == direction::forward ? visit : shape.steps() - 1 - visit; }
    [[nodiscard]] int size(int t) const { return shape.batch_sizes()[static_cast<std::size_t>(t)]; }
    [[nodiscard]] int offset(int t) const { return shape.offsets()[static_cast<std::size_t>(t)]; }
    [[nodiscard]] int previous(int t) const { return way == direction::forward ? t - 1 : t + 1; }
    [[nodiscard]] bool exists(int t) const { return t >= 0 && t < shape.steps(); }
    // Rows of step t that go on from `previous(t)`; the others start from the initial state.
    [[nodiscard]] int continuing(int t) const { return exists(previous(t)) ? std::min(size(t), size(previous(t))) : 0; }

    // Calls f(t, first, last, continues) for the sequences [begin, end) at each step, in the order of the visits or
    // against it: those that go on from the step before, then those that start.
    void visit(bool against, int begin, int end, auto&& f) const {
        for (int v = 0; v < shape.steps(); ++v) {
            int const t = at(against ? shape.steps() - 1 - v : v), going = continuing(t), last = std::min(end, size(t));
            if (begin < std::min(going, last)) f(t, begin, std::min(going, last), true);
            if (std::max(begin, going) < last) f(t, std::max(begin, going), last, false);
        }
    }
};

// Sequences are cut into shards of this many, however many threads: a sum over a batch is a sum over its shards.
inline constexpr int sequences_per_shard = 8;

}  // namespace sequent
