// The backward pass of one direction of a recurrent layer on the CPU (backpropagation through time, Werbos 1990): the
// steps in reverse make the gates' gradients, then whole-sequence products make those of the weights and inputs. Sums
// over rows are cut by shape alone, so threads change no bit.
#pragma once

#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_backward {
    using layout = cpu_recurrent_layout<Cell, T>;
    using groups = cpu_unit_groups<Cell, T, Isa>;
    using block = recurrent_layout<Cell>;
    using number = simd<T, Isa>;
    static constexpr int width = groups::width, gates = layout::gates, states = layout::states, hidden = layout::hidden;
    static constexpr int lanes = layout::lanes, parts = groups::parts;
    static constexpr int gate_row = layout::gate_row, gate_block = layout::gate_block, inputs = layout::inputs;
    static constexpr int padded_inputs = (inputs + lanes - 1) / lanes * lanes;
    // SIMD numbers that hold so many columns, and how many of them a tile has side by side.
    static constexpr int numbers_in(int columns) { return (columns + width - 1) / width; }
    static constexpr int streams(int columns) { return divisor_up_to(numbers_in(columns), parts > 1 ? 2 : 4); }

  public:
    // Blocks of units whose weights' gradients one piece makes: those of about 256 gates, for the caches.
    static constexpr int blocks = layout::blocks, blocks_per_piece = std::max(256 / gate_block, 1);
    static int shards(packing const& shape) { return (shape.batch() + sequences_per_shard - 1) / sequences_per_shard; }

    // Packs changed weights, makes room and sets the states' gradients to those of the final states.
    static void prepare(packing const& shape, indexed_rows<T> const& input, auto const& run) {
        auto& memory = *run.memory;
        std::size_t const rows = std::size_t(shape.rows()), batch = std::size_t(shape.batch());
        std::size_t const most = std::max(rows, std::size_t(input.rows.rows));
        memory.weights.update_back(run.parameters, run.version);
        memory.gate_gradient.reserve(rows * gate_row);
        if (!Cell::shared_gates) memory.recurrent_gate_gradient.reserve(rows * gate_row);
        if (!input.index.empty()) memory.distinct_gradient.reserve(most * gate_row);
        memory.hidden_before.reserve(rows * layout::padded);
        T* const columns = memory.input_columns.reserve(most * padded_inputs);
        for (int r = 0; r < input.rows.rows; ++r)
            layout::template put_columns<inputs>(input.rows.row(r), input.rows.rows, r, columns);
        memory.product.reserve(std::max(layout::back_size(inputs), layout::back_size(hidden)));
        std::size_t const units = static_cast<std::size_t>(shards(shape)) * Cell::unit_count * layout::padded;
        std::fill_n(memory.unit_gradient.reserve(units), units, T(0));
        std::size_t const all = states * batch * layout::padded;
        std::fill_n(memory.state_gradient.reserve(all), all, T(0));
        for (int s = 0; s < states; ++s)
            if (!run.final_gradient[s].empty())
                for (int i = 0; i < shape.batch(); ++i)
                    std::copy_n(run.final_gradient[s].row(i), hidden, state_gradient(run, shape.batch(), s, i));
    }

    // The sequences [begin, end), whole shards, from their last step to their first: the gates' gradients of all rows.
    static void steps(packing const& shape, int begin, int end, auto const& run) {
        step_order const order{shape, run.way};
        order.visit(true, begin, end,
                    [&](int t, int first, int last, bool continues) { step(order, t, first, last, continues, run); });
    }

    // Gradients of the initial states and of the per-unit parameters.
    static void finish(packing const& shape, auto const& run) {
        for (int s = 0; s < states; ++s)
            if (!run.initial_gradient[s].empty())
                for (int i = 0; i < shape.batch(); ++i)
                    std::copy_n(state_gradient(run, shape.batch(), s, i), hidden, run.initial_gradient[s].row(i));
        for (int shard = 0; shard < shards(shape); ++shard)
            for (int u = 0; u < Cell::unit_count; ++u)
                for (int j = 0; j < hidden; ++j)
                    run.parameter_gradient[block::unit + u * block::unit_stride + j] += unit_gradient(run, shard, u)[j];
    }

    // weight_ih, weight_hh and their biases, the gates of the blocks [begin, end): sums over all rows of (gate's
    // gradient)^T input.
    static void weights(packing const& shape, indexed_rows<T> const& input, int begin, int end, auto const& run) {
        auto& memory = *run.memory;
        int const rows = shape.rows(), distinct = input.rows.rows;
        T* const room =
            memory.product.data() + std::ptrdiff_t{begin} * gate_block * std::max(padded_inputs, layout::padded);
        T const *const recurrent = recurrent_gates(memory), *const from_input = memory.gate_gradient.data();
        add_products<hidden>(recurrent, memory.hidden_before.data(), rows, begin, end, room,
                             run.parameter_gradient + block::weight_hh);
        for (int b = begin; b < end; ++b) {
            std::ptrdiff_t const at = layout::at(b, rows, 0, gates);
            add_sums(recurrent + at, rows, b, run.parameter_gradient + block::bias_hh);
            add_sums(from_input + at, rows, b, run.parameter_gradient + block::bias_ih);
            if (input.index.empty()) continue;
            // Equal words share a row: sum their gates' gradients first, in the rows' order.
            T* const sums = memory.distinct_gradient.data() + layout::at(b, distinct, 0, gates);
            std::fill_n(sums, std::ptrdiff_t{distinct} * gate_block, T(0));
            for (int r = 0; r < rows; ++r) {
                T* const to = sums + std::ptrdiff_t{input.index[static_cast<std::size_t>(r)]} * gate_block;
                for (int j = 0; j < gate_block; ++j) to[j] += from_input[at + std::ptrdiff_t{r} * gate_block + j];
            }
        }
        add_products<inputs>(distinct_gates(input, memory), memory.input_columns.data(), distinct, begin, end, room,
                             run.parameter_gradient + block::weight_ih);
    }

    // The gradients of the distinct input rows [begin, end), [distinct, inputs]: overwritten or (accumulate) added to.
    static void inputs_of(indexed_rows<T> const& input, int begin, int end, auto const& run,
                          matrix_view<T> input_gradient, bool accumulate) {
        constexpr int S = streams(inputs), set_row = std::max(S, parts) * width, passing = 64;
        T const* const gate_rows = distinct_gates(input, *run.memory);
        alignas(64) T room[passing * set_row];
        for (int top = begin; top < end; top += passing) {
            auto const place = [&](int row, int q, int) { return room + (row - top) * set_row + q * width % set_row; };
            panel_products<T, Isa, S, 1, 1, gate_row, lanes>(
                top, std::min(top + passing, end), numbers_in(inputs), place,
                [](int, int, int) { return number(T(0)); },
                [&](auto& sum, int row, int q, int, int k, int last) {
                    add_back<S>(sum, gate_rows, input.rows.rows, row, run.memory->weights.input_back.data(), q, k,
                                last);
                },
                [&](int row, int q) {
                    T const* const from = place(row, q, 0);
                    T* const to = input_gradient.row(row) + groups::unit(q);
                    for (int j = 0; j < std::min(width, inputs - groups::unit(q)); ++j)
                        to[j] = accumulate ? to[j] + from[j] : from[j];
                });
        }
    }

  private:
    static constexpr auto nothing = [](int, int) {};
    static T* state_gradient(auto const& run, int batch, int s, int i) {
        return run.memory->state_gradient.data() + (std::ptrdiff_t{s} * batch + i) * layout::padded;
    }
    static T* unit_gradient(auto const& run, int shard, int u) {
        return run.memory->unit_gradient.data() + (std::ptrdiff_t{shard} * Cell::unit_count + u) * layout::padded;
    }
    static T* recurrent_gates(auto& memory) {
        return Cell::shared_gates ? memory.gate_gradient.data() : memory.recurrent_gate_gradient.data();
    }
    static T const* distinct_gates(indexed_rows<T> const& input, auto const& memory) {
        return input.index.empty() ? memory.gate_gradient.data() : memory.distinct_gradient.data();
    }

    // Sequences [begin, end) at step t. Their states' gradients already stand in state_gradient: from the step after,
    // or the final states' where t is a sequence's last.
    static void step(step_order const& order, int t, int begin, int end, bool continues, auto const& run) {
        packing const& shape = order.shape;
        int const offset = order.offset(t), offset_before = continues ? order.offset(order.previous(t)) : -1;
        auto const before = [&](int i) { return continues ? offset_before + i : -1; };
        for (int i = begin; i < end; ++i)
            layout::template put_columns<hidden>(continues                ? run.output.row(before(i))
                                                 : run.initial[0].empty() ? run.memory->zeros.data()
                                                                          : run.initial[0].row(i),
                                                 shape.rows(), offset + i, run.memory->hidden_before.data());
        for (int q = 0; q < groups::count; ++q)
            for (int i = begin; i < end; ++i)
                if (groups::tail == width || q + 1 < groups::count)
                    units<width>(q, i, offset + i, before(i), shape, run);
                else
                    units<groups::tail>(q, i, offset + i, before(i), shape, run);
        // Gradient of h before: its elementwise part, plus U^T (gates' gradients).
        constexpr int S = streams(hidden);
        T* const h = state_gradient(run, shape.batch(), 0, 0);
        auto const place = [&](int i, int q, int) { return h + std::ptrdiff_t{i} * layout::padded + q * width; };
        panel_products<T, Isa, S, 1, 1, gate_row, lanes>(
            begin, end, groups::count, place, [&](auto... at) { return number::load_aligned(place(at...)); },
            [&](auto& sum, int i, int q, int, int k, int last) {
                add_back<S>(sum, recurrent_gates(*run.memory), shape.rows(), offset + i,
                            run.memory->weights.back.data(), q, k, last);
            },
            nothing);
    }

    // sum += the gradients of the gate places k, ..., last - 1 of R rows times panels of pack_back, numbers q, ...;
    // leaves out the padding. gate_rows: [block, rows, gate, lane].
    template <int S, int R>
    SEQUENT_HD static void add_back(number (&sum)[R][S], T const* gate_rows, int rows, int row, T const* panels, int q,
                                    int k, int last) {
        constexpr bool whole = hidden % lanes == 0;
        while (k < last) {
            int const unit_block = k / gate_block,
                      next = whole ? std::min(last, (unit_block + 1) * gate_block) : k + lanes;
            T const* from[S];
            for (int s = 0; s < S; ++s)
                from[s] = panels + (std::ptrdiff_t{(q + s) / parts} * gate_row + k) * lanes + (q + s) % parts * width;
            panel_product<R, S, 1, T, Isa>(sum, gate_rows + layout::at(unit_block, rows, row, gates) + k % gate_block,
                                           gate_block, 1, from, lanes, 0,
                                           whole ? next - k : layout::units_in(unit_block));
            k = next;
        }
    }

    // The derivatives of the cell's equations for group q of one row; Count of its units are real.
    template <int Count>
    SEQUENT_HD static void units(int q, int i, int row, int row_before, packing const& shape, auto const& run) {
        numbers<number, Cell::saved_count> saved;
        numbers<number, states> before, after, gradient;
        numbers<number, Cell::unit_count> unit, d_unit;
        numbers<number, gates> x_gradient, h_gradient;
        int const column = groups::unit(q), batch = shape.batch();
        auto const at = [&](int r, int count) { return groups::at(q, shape.rows(), r, count); };
        T const* const kept = run.memory->kept.data() + at(row, layout::kept);
        unrolled<Cell::saved_count>([&](int k) { saved[k] = number::load_aligned(kept + k * lanes); });
        after[0] = load_first<Count, T, Isa>(run.output.row(row) + column);
        for (int s = 1; s < states; ++s) after[s] = number::load_aligned(kept + (Cell::saved_count + s - 1) * lanes);
        before[0] = number::load_aligned(run.memory->hidden_before.data() + at(row, 1));
        for (int s = 1; s < states; ++s)
            before[s] = row_before >= 0 ? number::load_aligned(run.memory->kept.data() + at(row_before, layout::kept) +
                                                               (Cell::saved_count + s - 1) * lanes)
                        : run.initial[s].empty() ? number(T(0))
                                                 : load_first<Count, T, Isa>(run.initial[s].row(i) + column);
        for (int s = 0; s < states; ++s) gradient[s] = number::load_aligned(state_gradient(run, batch, s, i) + column);
        if (!run.output_gradient.empty())
            gradient[0] = gradient[0] + load_first<Count, T, Isa>(run.output_gradient.row(row) + column);
        for (int u = 0; u < Cell::unit_count; ++u) {
            unit[u] = load_first<Count, T, Isa>(run.parameters + block::unit + u * block::unit_stride + column);
            d_unit[u] = number::load_aligned(unit_gradient(run, i / sequences_per_shard, u) + column);
        }

        Cell::template step_backward<Math>(saved, before, after, unit, gradient, x_gradient, h_gradient, d_unit);

        T* const x_out = run.memory->gate_gradient.data() + at(row, gates);
        T* const h_out = recurrent_gates(*run.memory) + at(row, gates);
        unrolled<gates>([&](int g) {
            x_gradient[g].store_aligned(x_out + g * lanes);
            if (!Cell::shared_gates) h_gradient[g].store_aligned(h_out + g * lanes);
        });
        for (int s = 0; s < states; ++s) gradient[s].store_aligned(state_gradient(run, batch, s, i) + column);
        for (int u = 0; u < Cell::unit_count; ++u)
            d_unit[u].store_aligned(unit_gradient(run, i / sequences_per_shard, u) + column);
    }

    // The rows of weight [gates * hidden, Columns] that belong to the blocks [begin, end) += gate_rows^T x. gate_rows:
    // [block, rows, gate, lane], x: [block of columns, rows, lane]. Rows are taken in pieces that stay in the nearer
    // caches; a sum runs over all of them in their order.
    template <int Columns>
    static void add_products(T const* gate_rows, T const* x, int rows, int begin, int end, T* room, T* weight) {
        constexpr int S = streams(Columns), row = (Columns + lanes - 1) / lanes * lanes, piece = 128;
        if (rows == 0) return;
        for (int first = 0; first < rows; first += piece)
            for (int b = begin; b < end; ++b) {
                T* const sums = room + std::ptrdiff_t{b - begin} * gate_block * row;
                T const* const from_gates = gate_rows + layout::at(b, rows, first, gates);
                auto const at = [&](int place, int q, int) { return sums + place * row + groups::unit(q); };
                panel_products<T, Isa, S, 1, 1, 1, lanes>(
                    0, gate_block, numbers_in(Columns), at,
                    [&](auto... here) { return first == 0 ? number(T(0)) : number::load_aligned(at(here...)); },
                    [&]<int R>(number(&sum)[R][S], int place, int q, int, int, int) {
                        T const* from[S];
                        for (int s = 0; s < S; ++s) from[s] = x + groups::at(q + s, rows, first, 1);
                        panel_product<R, S, 1, T, Isa>(sum, from_gates + place, 1, gate_block, from, lanes, 0,
                                                       std::min(piece, rows - first));
                    },
                    nothing);
            }
        for (int b = begin; b < end; ++b)
            layout::add_gates(room + std::ptrdiff_t{b - begin} * gate_block * row, b, row, Columns, weight);
    }

    // The numbers of bias [gates * hidden] that belong to a block of units += the sums of gate_rows over the rows.
    static void add_sums(T const* gate_rows, int rows, int unit_block, T* bias) {
        alignas(64) T sums[gate_block] = {};
        for (int r = 0; r < rows; ++r)
            for (int j = 0; j < gate_block; ++j) sums[j] += gate_rows[std::ptrdiff_t{r} * gate_block + j];
        layout::add_gates(sums, unit_block, 1, 1, bias);
    }
};

}  // namespace sequent
