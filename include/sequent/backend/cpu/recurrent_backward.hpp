// The backward pass of one direction of a recurrent layer on the CPU (backpropagation through time, Werbos 1990): the
// steps in reverse make the gates' gradients, then whole-sequence products make those of the weights and inputs. Sums
// over rows are cut by shape alone, so threads change no bit.
#pragma once

#include "eigen.hpp"
#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_backward {
    using layout = cpu_recurrent_layout<Cell, T>;
    using groups = cpu_unit_groups<Cell, T, Isa>;
    using block = recurrent_layout<Cell>;
    using number = simd<T, Isa>;
    static constexpr int width = groups::width, gates = layout::gates, states = layout::states, hidden = layout::hidden;
    static constexpr int gate_row = layout::gate_row, inputs = layout::inputs;
    static constexpr int streams = divisor_up_to(groups::count, groups::parts > 1 ? 2 : 4);

  public:
    // Gate rows per piece of a weight's gradient, and distinct rows per piece of the input's.
    static constexpr int slab = 256;
    static constexpr int slabs = (gate_row + slab - 1) / slab;
    static constexpr int input_rows_per_piece = 256;
    static int shards(packing const& shape) { return (shape.batch() + sequences_per_shard - 1) / sequences_per_shard; }

    // Packs changed weights, makes room and sets the states' gradients to those of the final states.
    static void prepare(packing const& shape, indexed_rows<T> const& input, auto const& run) {
        auto& memory = *run.memory;
        std::size_t const rows = static_cast<std::size_t>(shape.rows()),
                          batch = static_cast<std::size_t>(shape.batch());
        memory.weights.update_back(run.parameters, run.version);
        memory.gate_gradient.reserve(rows * gate_row);
        if (!Cell::shared_gates) memory.recurrent_gate_gradient.reserve(rows * gate_row);
        if (!input.index.empty())
            memory.distinct_gradient.reserve(static_cast<std::size_t>(input.rows.rows) * gate_row, rows * gate_row);
        memory.hidden_before.reserve(rows * hidden);
        memory.input_product.reserve(static_cast<std::size_t>(gate_row) * inputs);
        memory.hidden_product.reserve(static_cast<std::size_t>(gate_row) * hidden);
        std::size_t const units = static_cast<std::size_t>(shards(shape)) * Cell::unit_count * layout::padded;
        std::fill_n(memory.unit_gradient.reserve(units), units, T(0));
        std::fill_n(memory.state_gradient.reserve(states * batch * layout::padded), states * batch * layout::padded,
                    T(0));
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

    // weight_ih, weight_hh and their biases, the gate rows of one slab: sums over all rows of (gate's gradient)^T
    // input.
    static void weights(packing const& shape, indexed_rows<T> const& input, int piece, auto const& run) {
        auto& memory = *run.memory;
        int const first = piece * slab, count = std::min(slab, gate_row - first);
        matrix_view<T const> const recurrent(recurrent_gates(memory), shape.rows(), gate_row);
        add(recurrent, {memory.hidden_before.data(), shape.rows(), hidden}, first, count, memory.hidden_product.data(),
            run.parameter_gradient + block::weight_hh, run.parameter_gradient + block::bias_hh);
        if (!input.index.empty()) {  // equal words share a row: sum their gates' gradients first, in the rows' order
            for (int u = 0; u < input.rows.rows; ++u)
                std::fill_n(memory.distinct_gradient.data() + std::ptrdiff_t{u} * gate_row + first, count, T(0));
            for (int r = 0; r < shape.rows(); ++r) {
                std::ptrdiff_t const u = input.index[static_cast<std::size_t>(r)];
                T* const to = memory.distinct_gradient.data() + u * gate_row + first;
                T const* const from = memory.gate_gradient.data() + std::ptrdiff_t{r} * gate_row + first;
                for (int j = 0; j < count; ++j) to[j] += from[j];
            }
        }
        add(distinct_gates(shape, input, memory), input.rows, first, count, memory.input_product.data(),
            run.parameter_gradient + block::weight_ih, run.parameter_gradient + block::bias_ih);
    }

    // weight_ih in the kernel's order, for inputs_of.
    static void prepare_inputs(auto const& run) {
        T* const to = run.memory->input_weight.reserve(static_cast<std::size_t>(gate_row) * inputs);
        std::fill_n(to, static_cast<std::size_t>(gate_row) * inputs, T(0));
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u)
                std::copy_n(run.parameters + block::weight_ih + std::ptrdiff_t{g * hidden + u} * inputs, inputs,
                            to + std::ptrdiff_t{layout::place(g, u)} * inputs);
    }

    // The gradients of the distinct input rows of one piece, [distinct, inputs]: overwritten or (accumulate) added to.
    static void inputs_of(packing const& shape, indexed_rows<T> const& input, int piece, auto const& run,
                          matrix_view<T> input_gradient, bool accumulate) {
        int const first = piece * input_rows_per_piece, count = std::min(input_rows_per_piece, input.rows.rows - first);
        matrix_view<T const> const weight(run.memory->input_weight.data(), gate_row, inputs);
        eigen_product<T>({distinct_gates(shape, input, *run.memory).row(first), count, gate_row}, weight,
                         {input_gradient.row(first), count, inputs, input_gradient.stride}, accumulate);
    }

  private:
    static T* state_gradient(auto const& run, int batch, int s, int i) {
        return run.memory->state_gradient.data() + (std::ptrdiff_t{s} * batch + i) * layout::padded;
    }
    static T* unit_gradient(auto const& run, int shard, int u) {
        return run.memory->unit_gradient.data() + (std::ptrdiff_t{shard} * Cell::unit_count + u) * layout::padded;
    }
    static T* recurrent_gates(auto& memory) {
        return Cell::shared_gates ? memory.gate_gradient.data() : memory.recurrent_gate_gradient.data();
    }
    static matrix_view<T const> distinct_gates(packing const& shape, indexed_rows<T> const& input, auto const& memory) {
        if (input.index.empty()) return {memory.gate_gradient.data(), shape.rows(), gate_row};
        return {memory.distinct_gradient.data(), input.rows.rows, gate_row};
    }

    // Sequences [begin, end) at step t. Their states' gradients already stand in state_gradient: from the step after,
    // or the final states' where t is a sequence's last.
    static void step(step_order const& order, int t, int begin, int end, bool continues, auto const& run) {
        int const batch = order.shape.batch(), offset = order.offset(t);
        int const offset_before = continues ? order.offset(order.previous(t)) : -1;
        for (int i = begin; i < end; ++i) {
            int const before = continues ? offset_before + i : -1;
            keep_hidden_before(i, offset + i, before, run);
            for (int q = 0; q < groups::count; ++q)
                if (groups::tail == width || q + 1 < groups::count)
                    units<width>(q, i, offset + i, before, batch, run);
                else
                    units<groups::tail>(q, i, offset + i, before, batch, run);
            clear_padding(offset + i, run);
        }
        // Gradient of h before: its elementwise part, plus U^T (gates' gradients).
        T const* const gate_rows = recurrent_gates(*run.memory) + std::ptrdiff_t{offset} * gate_row;
        auto const place = [&](int i, int q, int) { return state_gradient(run, batch, 0, i) + groups::unit(q); };
        panel_products<T, Isa, streams, 1, 1, gate_row, layout::lanes>(
            begin, end, groups::count, place, [](int, int) {},
            [&]<int R>(number(&sum)[R][streams], int i, int q, int, int k, int last) {
                add_product(sum, gate_rows + std::ptrdiff_t{i} * gate_row, run.memory->weights.back.data(), q, k, last);
            },
            [](int, int) {});
    }

    // sum += the gradients of the gate places k, ..., last - 1 of R rows times U, groups q, ...; leaves out the
    // padding.
    template <int R>
    SEQUENT_HD static void add_product(number (&sum)[R][streams], T const* gate_rows, T const* panels, int q, int k,
                                       int last) {
        constexpr bool whole = hidden % layout::lanes == 0;
        for (int const piece = whole ? last - k : layout::lanes; k < last; k += piece) {
            T const* from[streams];
            for (int s = 0; s < streams; ++s)
                from[s] = panels + (std::ptrdiff_t{(q + s) / groups::parts} * gate_row + k) * layout::lanes +
                          ((q + s) % groups::parts) * width;
            panel_product<R, streams, 1, T, Isa>(sum, gate_rows + k, gate_row, from, layout::lanes, 0,
                                                 whole ? piece : layout::units_in(k / layout::lanes / gates));
        }
    }

    // Groups of padding alone, which the inputs' product reads: zero, for 0 times what stood there may be NaN.
    static void clear_padding(int row, auto const& run) {
        T* const to = run.memory->gate_gradient.data() + std::ptrdiff_t{row} * gate_row;
        for (int q = groups::count; q < layout::padded / width; ++q)
            for (int g = 0; g < gates; ++g) number(T(0)).store_aligned(to + groups::gate(q, g));
    }

    static void keep_hidden_before(int i, int row, int row_before, auto const& run) {
        T* const to = run.memory->hidden_before.data() + std::ptrdiff_t{row} * hidden;
        if (row_before >= 0)
            std::copy_n(run.output.row(row_before), hidden, to);
        else if (!run.initial[0].empty())
            std::copy_n(run.initial[0].row(i), hidden, to);
        else
            std::fill_n(to, hidden, T(0));
    }

    // The derivatives of the cell's equations for group q of one row; Count of its units are real.
    template <int Count>
    SEQUENT_HD static void units(int q, int i, int row, int row_before, int batch, auto const& run) {
        numbers<number, Cell::saved_count> saved;
        numbers<number, states> before, after, gradient;
        numbers<number, Cell::unit_count> unit, d_unit;
        numbers<number, gates> x_gradient, h_gradient;
        int const column = groups::unit(q);
        T const* const kept = run.memory->kept.data() + std::ptrdiff_t{row} * layout::kept_row;
        T const* const kept_before = run.memory->kept.data() + std::ptrdiff_t{row_before} * layout::kept_row;
        for (int k = 0; k < Cell::saved_count; ++k) saved[k] = number::load_aligned(kept + groups::kept(q, k));
        after[0] = load_first<Count, T, Isa>(run.output.row(row) + column);
        for (int s = 1; s < states; ++s)
            after[s] = number::load_aligned(kept + groups::kept(q, Cell::saved_count + s - 1));
        before[0] = load_first<Count, T, Isa>(run.memory->hidden_before.data() + std::ptrdiff_t{row} * hidden + column);
        for (int s = 1; s < states; ++s)
            before[s] = row_before >= 0 ? number::load_aligned(kept_before + groups::kept(q, Cell::saved_count + s - 1))
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

        T* const x_out = run.memory->gate_gradient.data() + std::ptrdiff_t{row} * gate_row;
        T* const h_out = recurrent_gates(*run.memory) + std::ptrdiff_t{row} * gate_row;
        for (int g = 0; g < gates; ++g) {
            x_gradient[g].store_aligned(x_out + groups::gate(q, g));
            if (!Cell::shared_gates) h_gradient[g].store_aligned(h_out + groups::gate(q, g));
        }
        for (int s = 0; s < states; ++s) gradient[s].store_aligned(state_gradient(run, batch, s, i) + column);
        for (int u = 0; u < Cell::unit_count; ++u)
            d_unit[u].store_aligned(unit_gradient(run, i / sequences_per_shard, u) + column);
    }

    // weight += (columns [first, first + count) of gate_rows)^T x, bias += their sums over the rows.
    static void add(matrix_view<T const> gate_rows, matrix_view<T const> x, int first, int count, T* room, T* weight,
                    T* bias) {
        matrix_view<T const> const some = gate_rows.column_block(first, count);
        eigen_product_of_transpose<T>(some, x, {room + std::ptrdiff_t{first} * x.columns, count, x.columns});
        layout::add_gate_rows(room, first, first + count, x.columns, weight);
        alignas(64) T sums[gate_row] = {};
        for (int r = 0; r < some.rows; ++r) {
            T const* const row = some.row(r);
            for (int j = 0; j < count; ++j) sums[first + j] += row[j];
        }
        layout::add_gate_rows(sums, first, first + count, 1, bias);
    }
};

}  // namespace sequent
