// The forward pass of one direction of a recurrent layer on the CPU: the inputs' products for all distinct rows, then
// the steps on the shrinking (or, in reverse, growing) prefix of the batch. Rows and sequences are independent of each
// other, so any cut of them gives the same bits.
#pragma once

#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_forward {
    using layout = cpu_recurrent_layout<Cell, T>;
    using groups = cpu_unit_groups<Cell, T, Isa>;
    using number = simd<T, Isa>;
    static constexpr int width = groups::width, gates = layout::gates, states = layout::states, hidden = layout::hidden;
    static constexpr int rows_at_once = 64;  // that pass by a slab of weights

  public:
    // Packs changed weights, makes room and sets the states that sequences start from.
    static void prepare(packing const& shape, indexed_rows<T> const& input, keep kept, auto const& run) {
        auto& memory = *run.memory;
        std::size_t const rows = std::size_t(shape.rows()), batch = std::size_t(shape.batch());
        memory.weights.update(run.parameters, run.version);
        memory.input_gates.reserve(static_cast<std::size_t>(input.rows.rows) * layout::gate_row,
                                   rows * layout::gate_row);
        memory.kept.reserve(kept == keep::for_backward ? rows * layout::kept * layout::padded : 0);
        T* const running = memory.running.reserve((states - 1) * batch * layout::padded);
        std::fill_n(running, (states - 1) * batch * layout::padded, T(0));
        for (int s = 1; s < states; ++s)
            if (!run.initial[s].empty())
                for (std::size_t i = 0; i < batch; ++i)
                    std::copy_n(run.initial[s].row(static_cast<int>(i)), hidden,
                                running + (static_cast<std::size_t>(s - 1) * batch + i) * layout::padded);
        if (run.initial[0].empty()) std::fill_n(memory.zeros.reserve(batch * hidden), batch * hidden, T(0));
    }

    // input_gates = W_ih x + b_ih for the distinct rows [begin, end).
    static void project(indexed_rows<T> const& input, int begin, int end, auto const& run) {
        int const rows = input.rows.rows;
        T* const out = run.memory->input_gates.data();
        for (int top = begin; top < end; top += rows_at_once)
            groups::template products<layout::inputs>(
                top, std::min(top + rows_at_once, end), input.rows.data, input.rows.stride,
                run.memory->weights.input.data(),
                [&](int row, int q, int g) { return out + groups::at(q, rows, row, gates) + g * layout::lanes; },
                [](int, int) {});
    }

    // The sequences [begin, end) of the sorted order, from their first step to their last.
    static void steps(packing const& shape, indexed_rows<T> const& input, keep kept, int begin, int end,
                      auto const& run) {
        step_order const order{shape, run.way};
        matrix_view<T const> const initial = initial_hidden(shape, run);
        order.visit(false, begin, end, [&](int t, int first, int last, bool continues) {
            T const* const before = continues ? run.output.row(order.offset(order.previous(t))) : initial.data;
            step(order.offset(t), first, last, before, continues ? run.output.stride : initial.stride, shape, input,
                 kept, run);
        });
    }

    // The states after each sequence's last step; of an empty sequence, its initial states.
    static void finish(packing const& shape, auto const& run) {
        int const batch = shape.batch();
        for (int i = 0; i < batch; ++i) {
            if (!run.final[0].empty()) {
                int const length = shape.lengths()[static_cast<std::size_t>(i)];
                int const last = run.way == direction::forward ? length - 1 : 0;
                T const* const from =
                    length > 0 ? run.output.row(shape.row(last, i)) : initial_hidden(shape, run).row(i);
                std::copy_n(from, hidden, run.final[0].row(i));
            }
            for (int s = 1; s < states; ++s)
                if (!run.final[s].empty())
                    std::copy_n(run.memory->running.data() + (std::ptrdiff_t{s - 1} * batch + i) * layout::padded,
                                hidden, run.final[s].row(i));
        }
    }

  private:
    static matrix_view<T const> initial_hidden(packing const& shape, auto const& run) {
        if (!run.initial[0].empty()) return run.initial[0];
        return {run.memory->zeros.data(), shape.batch(), hidden};
    }

    // Sequences [begin, end) at one step, whose rows start at `offset`. h_before: row i belongs to sequence i.
    static void step(int offset, int begin, int end, T const* h_before, std::ptrdiff_t stride, packing const& shape,
                     indexed_rows<T> const& input, keep kept, auto const& run) {
        constexpr int set = groups::set, set_row = set / groups::parts * layout::gate_block;
        alignas(64) T room[rows_at_once * set_row];
        for (int top = begin; top < end; top += rows_at_once) {
            auto const at = [&](int i, int q, int g) { return room + (i - top) * set_row + groups::gate(q % set, g); };
            groups::template products<hidden>(
                top, std::min(top + rows_at_once, end), h_before, stride, run.memory->weights.hidden.data(), at,
                [&](int i, int q) {
                    if (groups::tail == width || q + 1 < groups::count)
                        units<width>(q, i, offset + i, at(i, q, 0), h_before + i * stride, shape, input, kept, run);
                    else
                        units<groups::tail>(q, i, offset + i, at(i, q, 0), h_before + i * stride, shape, input, kept,
                                            run);
                });
        }
    }

    // The cell's equations for group q of one row; Count of its units are real.
    template <int Count>
    SEQUENT_HD static void units(int q, int i, int row, T const* h_sum, T const* h_before, packing const& shape,
                                 indexed_rows<T> const& input, keep kept, auto const& run) {
        using block = recurrent_layout<Cell>;
        int const source = input.index.empty() ? row : input.index[static_cast<std::size_t>(row)];
        T const* const x_sum = run.memory->input_gates.data() + groups::at(q, input.rows.rows, source, gates);
        numbers<number, gates> x, h;
        unrolled<gates>([&](int g) {
            x[g] = number::load_aligned(x_sum + g * layout::lanes);
            h[g] = number::load_aligned(h_sum + g * layout::lanes);
        });
        numbers<number, states> before, after;
        numbers<number, Cell::unit_count> unit;
        numbers<number, Cell::saved_count> saved;
        before[0] = load_first<Count, T, Isa>(h_before + groups::unit(q));
        auto const running = [&](int s) {  // asked for s > 0 only: without such states there is no memory for them
            return run.memory->running.data() + (std::ptrdiff_t{s - 1} * shape.batch() + i) * layout::padded +
                   groups::unit(q);
        };
        for (int s = 1; s < states; ++s) before[s] = number::load_aligned(running(s));
        for (int u = 0; u < Cell::unit_count; ++u)
            unit[u] =
                load_first<Count, T, Isa>(run.parameters + block::unit + u * block::unit_stride + groups::unit(q));

        Cell::template step<Math>(x, h, before, unit, after, saved);

        store_first<Count, T, Isa>(run.output.row(row) + groups::unit(q), after[0]);
        for (int s = 1; s < states; ++s) after[s].store_aligned(running(s));
        if (kept == keep::nothing) return;
        T* const out = run.memory->kept.data() + groups::at(q, shape.rows(), row, layout::kept);
        unrolled<layout::kept>([&](int k) {
            (k < Cell::saved_count ? saved[k] : after[k - Cell::saved_count + 1])
                .store_aligned(out + k * layout::lanes);
        });
    }
};

}  // namespace sequent
