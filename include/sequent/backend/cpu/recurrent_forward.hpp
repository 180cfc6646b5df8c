// The forward pass of one direction of a recurrent layer on the CPU: the inputs' products for all distinct rows, then
// the steps on the shrinking (or, in reverse, growing) prefix of the batch.
#pragma once

#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_forward {
    using layout = cpu_recurrent_layout<Cell, T, Isa>;
    using weights = recurrent_layout<Cell>;
    using number = simd<T, Isa>;
    static constexpr int width = layout::width, gates = layout::gates, states = layout::states, hidden = layout::hidden;
    static constexpr int vectors = layout::panel_vectors;

  public:
    template <class Run>
    static void run(packing const& shape, indexed_rows<T> const& input, keep kept, Run const& run) {
        auto& memory = *run.memory;
        memory.ready_for_backward = kept == keep::for_backward;
        pack(run.parameters, memory);
        project(input, memory);
        start(shape, run, memory);
        step_order const order{shape, run.way};
        for (int visit = 0; visit < order.steps(); ++visit) {
            int const t = order.at(visit), going = order.continuing(t), all = order.size(t);
            matrix_view<T const> const initial = initial_hidden(shape, run, memory);
            if (going > 0) {
                T const* const before = run.output.row(order.offset(order.previous(t)));
                step(order.offset(t), 0, going, before, run.output.stride, input, kept, run, memory);
            }
            if (all > going) step(order.offset(t), going, all, initial.data, initial.stride, input, kept, run, memory);
        }
        finish(shape, order, run, memory);
    }

  private:
    template <class Memory>
    static void pack(T const* parameters, Memory& memory) {
        layout::pack_gates(parameters + weights::weight_ih, parameters + weights::bias_ih, layout::inputs,
                           memory.input_panels.reserve(layout::packed_size(layout::inputs)));
        layout::pack_gates(parameters + weights::weight_hh, parameters + weights::bias_hh, hidden,
                           memory.hidden_panels.reserve(layout::packed_size(hidden)));
    }

    // input_gates = W_ih x + b_ih for every distinct row.
    template <class Memory>
    static void project(indexed_rows<T> const& input, Memory& memory) {
        constexpr int depth = layout::inputs, panel_size = depth * vectors * width;
        T* const out = memory.input_gates.reserve(static_cast<std::size_t>(input.rows.rows) * layout::gate_row);
        T const* const panels = memory.input_panels.data();
        T const* const bias = panels + static_cast<std::ptrdiff_t>(depth) * layout::gate_row;
        for_tiles<tile_rows<Isa, vectors>>(0, input.rows.rows, [&]<int R>(std::integral_constant<int, R>, int first) {
            for (int p = 0; p < layout::panels; ++p) {
                number sum[R][vectors];
                for (int r = 0; r < R; ++r)
                    for (int v = 0; v < vectors; ++v)
                        sum[r][v] = number::load_aligned(bias + (p * vectors + v) * width);
                panel_product<R, vectors, T, Isa>(sum, input.rows.row(first), input.rows.stride,
                                                  panels + static_cast<std::ptrdiff_t>(p) * panel_size, depth);
                for (int r = 0; r < R; ++r) {
                    T* const row = out + static_cast<std::ptrdiff_t>(first + r) * layout::gate_row;
                    for (int v = 0; v < vectors; ++v) sum[r][v].store_aligned(row + (p * vectors + v) * width);
                }
            }
        });
    }

    template <class Run, class Memory>
    static void start(packing const& shape, Run const& run, Memory& memory) {
        std::size_t const batch = static_cast<std::size_t>(shape.batch());
        memory.kept.reserve(memory.ready_for_backward ? static_cast<std::size_t>(shape.rows()) * layout::kept_row : 0);
        T* const running = memory.running.reserve((states - 1) * batch * layout::padded);
        std::fill_n(running, (states - 1) * batch * layout::padded, T(0));
        for (int s = 1; s < states; ++s)
            if (!run.initial[s].empty())
                for (std::size_t i = 0; i < batch; ++i)
                    std::copy_n(run.initial[s].row(static_cast<int>(i)), hidden,
                                running + (static_cast<std::size_t>(s - 1) * batch + i) * layout::padded);
        if (run.initial[0].empty()) std::fill_n(memory.zeros.reserve(batch * hidden), batch * hidden, T(0));
    }

    template <class Run, class Memory>
    static matrix_view<T const> initial_hidden(packing const& shape, Run const& run, Memory const& memory) {
        if (!run.initial[0].empty()) return run.initial[0];
        return {memory.zeros.data(), shape.batch(), hidden};
    }

    // Sequences [begin, end) of the sorted order at one step, whose rows start at `offset`. h_before: row i belongs to
    // sequence i.
    template <class Run, class Memory>
    static void step(int offset, int begin, int end, T const* h_before, std::ptrdiff_t stride,
                     indexed_rows<T> const& input, keep kept, Run const& run, Memory& memory) {
        for_tiles<tile_rows<Isa, vectors>>(begin, end, [&]<int R>(std::integral_constant<int, R>, int first) {
            for (int p = 0; p < layout::panels; ++p) {
                number sum[R][vectors];
                T const* const panels = memory.hidden_panels.data();
                T const* const bias = panels + static_cast<std::ptrdiff_t>(hidden) * layout::gate_row;
                for (int r = 0; r < R; ++r)
                    for (int v = 0; v < vectors; ++v)
                        sum[r][v] = number::load_aligned(bias + (p * vectors + v) * width);
                panel_product<R, vectors, T, Isa>(sum, h_before + first * stride, stride,
                                                  panels + static_cast<std::ptrdiff_t>(p) * hidden * vectors * width,
                                                  hidden);
                for (int b = 0; b < layout::panel_blocks; ++b) {
                    int const block = p * layout::panel_blocks + b;
                    for (int r = 0; r < R; ++r) {
                        int const i = first + r, row = offset + i;
                        number const* const h_gates = sum[r] + b * gates;
                        T const* const before = h_before + i * stride;
                        if (layout::tail == width || block + 1 < layout::blocks)
                            unit_block<width>(block, i, row, h_gates, before, input, kept, run, memory);
                        else
                            unit_block<layout::tail>(block, i, row, h_gates, before, input, kept, run, memory);
                    }
                }
            }
        });
    }

    // The cell's equations for one block of units of one row; Count of them are real.
    template <int Count, class Run, class Memory>
    SEQUENT_HD static void unit_block(int block, int i, int row, number const* h_sum, T const* h_before,
                                      indexed_rows<T> const& input, keep kept, Run const& run, Memory& memory) {
        int const source = input.index.empty() ? row : input.index[static_cast<std::size_t>(row)];
        T const* const x_row = memory.input_gates.data() + static_cast<std::ptrdiff_t>(source) * layout::gate_row;
        numbers<number, gates> x, h;
        for (int g = 0; g < gates; ++g) {
            x[g] = number::load_aligned(x_row + (block * gates + g) * width);
            h[g] = h_sum[g];
        }
        numbers<number, states> before, after;
        numbers<number, Cell::unit_count> unit;
        numbers<number, Cell::saved_count> saved;
        before[0] = load_first<Count, T, Isa>(h_before + block * width);
        T* running[states];
        for (int s = 1; s < states; ++s) {
            std::ptrdiff_t const batch =
                static_cast<std::ptrdiff_t>(memory.running.size()) / ((states - 1) * layout::padded);
            running[s] = memory.running.data() + ((s - 1) * batch + i) * layout::padded + block * width;
            before[s] = number::load_aligned(running[s]);
        }
        for (int u = 0; u < Cell::unit_count; ++u)
            unit[u] =
                load_first<Count, T, Isa>(run.parameters + weights::unit + u * weights::unit_stride + block * width);

        Cell::template step<Math>(x, h, before, unit, after, saved);

        store_first<Count, T, Isa>(run.output.row(row) + block * width, after[0]);
        for (int s = 1; s < states; ++s) after[s].store_aligned(running[s]);
        if (kept == keep::nothing) return;
        T* out = memory.kept.data() + static_cast<std::ptrdiff_t>(row) * layout::kept_row +
                 block * layout::kept_block * width;
        for (int k = 0; k < Cell::saved_count; ++k, out += width) saved[k].store_aligned(out);
        for (int s = 1; s < states; ++s, out += width) after[s].store_aligned(out);
    }

    // The states after each sequence's last step; of an empty sequence, its initial states.
    template <class Run, class Memory>
    static void finish(packing const& shape, step_order const& order, Run const& run, Memory const& memory) {
        int const batch = shape.batch();
        for (int i = 0; i < batch; ++i) {
            if (!run.final[0].empty()) {
                int const length = shape.lengths()[static_cast<std::size_t>(i)];
                int const last = order.way == direction::forward ? length - 1 : 0;
                T const* const from =
                    length > 0 ? run.output.row(shape.row(last, i)) : initial_hidden(shape, run, memory).row(i);
                std::copy_n(from, hidden, run.final[0].row(i));
            }
            for (int s = 1; s < states; ++s)
                if (!run.final[s].empty())
                    std::copy_n(memory.running.data() +
                                    (static_cast<std::ptrdiff_t>(s - 1) * batch + i) * layout::padded,
                                hidden, run.final[s].row(i));
        }
    }
};

}  // namespace sequent
