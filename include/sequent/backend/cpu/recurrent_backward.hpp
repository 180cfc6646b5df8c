// The backward pass of one direction of a recurrent layer on the CPU (backpropagation through time, Werbos 1990): the
// steps in reverse make the gates' gradients, then whole-sequence products make those of the weights and inputs.
#pragma once

#include "eigen.hpp"
#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_backward {
    using layout = cpu_recurrent_layout<Cell, T, Isa>;
    using weights = recurrent_layout<Cell>;
    using number = simd<T, Isa>;
    static constexpr int width = layout::width, gates = layout::gates, states = layout::states, hidden = layout::hidden;
    static constexpr int vectors = layout::back_vectors;
    static constexpr int row_of_gates = layout::gate_row;

  public:
    // input_gradient: [distinct, inputs], overwritten or (accumulate) added to; empty: not wanted.
    template <class Run>
    static void run(packing const& shape, indexed_rows<T> const& input, Run const& run, matrix_view<T> input_gradient,
                    bool accumulate) {
        auto& memory = *run.memory;
        std::size_t const rows = static_cast<std::size_t>(shape.rows());
        layout::pack_back(run.parameters + weights::weight_hh,
                          memory.back_panels.reserve(static_cast<std::size_t>(row_of_gates) * layout::padded));
        memory.gate_gradient.reserve(rows * row_of_gates);
        if (!Cell::shared_gates) memory.recurrent_gate_gradient.reserve(rows * row_of_gates);
        std::fill_n(memory.unit_gradient.reserve(Cell::unit_count * layout::padded), Cell::unit_count * layout::padded,
                    T(0));
        start(shape, run, memory);
        step_order const order{shape, run.way};
        for (int visit = order.steps() - 1; visit >= 0; --visit) {
            int const t = order.at(visit), going = order.continuing(t), all = order.size(t);
            if (going > 0) step(order, t, 0, going, true, run, memory);
            if (all > going) step(order, t, going, all, false, run, memory);
        }
        finish(shape, run, memory);
        hidden_weights(shape, order, run, memory);
        input_weights(shape, input, run, input_gradient, accumulate, memory);
    }

  private:
    template <class Memory>
    static T* state_gradient(Memory& memory, int batch, int s, int i) {
        return memory.state_gradient.data() + (static_cast<std::ptrdiff_t>(s) * batch + i) * layout::padded;
    }

    template <class Run, class Memory>
    static void start(packing const& shape, Run const& run, Memory& memory) {
        std::size_t const size =
            static_cast<std::size_t>(states) * static_cast<std::size_t>(shape.batch()) * layout::padded;
        std::fill_n(memory.state_gradient.reserve(size), size, T(0));
        for (int s = 0; s < states; ++s)
            if (!run.final_gradient[s].empty())
                for (int i = 0; i < shape.batch(); ++i)
                    std::copy_n(run.final_gradient[s].row(i), hidden, state_gradient(memory, shape.batch(), s, i));
    }

    // Sequences [begin, end) at step t. Their state gradients already stand in state_gradient: from the step after, or
    // the final states' where t is a sequence's last.
    template <class Run, class Memory>
    static void step(step_order const& order, int t, int begin, int end, bool continues, Run const& run,
                     Memory& memory) {
        constexpr int rows = tile_rows<Isa, vectors>;
        int const batch = order.shape.batch(), offset = order.offset(t);
        int const offset_before = continues ? order.offset(order.previous(t)) : -1;
        for_tiles<rows>(begin, end, [&]<int R>(std::integral_constant<int, R>, int first) {
            for (int r = 0; r < R; ++r) {
                int const i = first + r, before = continues ? offset_before + i : -1;
                for (int block = 0; block < layout::blocks; ++block) {
                    if (layout::tail == width || block + 1 < layout::blocks)
                        unit_block<width>(block, i, offset + i, before, batch, run, memory);
                    else
                        unit_block<layout::tail>(block, i, offset + i, before, batch, run, memory);
                }
            }
            // gradient of h before = its elementwise part + U^T (gates' gradients)
            T const* const gate_rows =
                recurrent_gates(memory) + static_cast<std::ptrdiff_t>(offset + first) * row_of_gates;
            for (int p = 0; p < layout::back_panels; ++p) {
                number sum[R][vectors];
                for (int r = 0; r < R; ++r)
                    for (int v = 0; v < vectors; ++v)
                        sum[r][v] = number::load_aligned(state_gradient(memory, batch, 0, first + r) +
                                                         (p * vectors + v) * width);
                panel_product<R, vectors, T, Isa>(sum, gate_rows, row_of_gates,
                                                  memory.back_panels.data() +
                                                      static_cast<std::ptrdiff_t>(p) * row_of_gates * vectors * width,
                                                  row_of_gates);
                for (int r = 0; r < R; ++r)
                    for (int v = 0; v < vectors; ++v)
                        sum[r][v].store_aligned(state_gradient(memory, batch, 0, first + r) +
                                                (p * vectors + v) * width);
            }
        });
    }

    template <class Memory>
    static T* recurrent_gates(Memory& memory) {
        return Cell::shared_gates ? memory.gate_gradient.data() : memory.recurrent_gate_gradient.data();
    }

    // The derivatives of the cell's equations for one block of units of one row.
    template <int Count, class Run, class Memory>
    SEQUENT_HD static void unit_block(int block, int i, int row, int row_before, int batch, Run const& run,
                                      Memory& memory) {
        numbers<number, Cell::saved_count> saved;
        numbers<number, states> before, after, gradient;
        numbers<number, Cell::unit_count> unit, unit_gradient;
        numbers<number, gates> x_gradient, h_gradient;
        int const column = block * width;
        T const* kept = memory.kept.data() + static_cast<std::ptrdiff_t>(row) * layout::kept_row +
                        block * layout::kept_block * width;
        for (int k = 0; k < Cell::saved_count; ++k, kept += width) saved[k] = number::load_aligned(kept);
        after[0] = load_first<Count, T, Isa>(run.output.row(row) + column);
        for (int s = 1; s < states; ++s, kept += width) after[s] = number::load_aligned(kept);

        number const zero(T(0));
        if (row_before >= 0) {
            before[0] = load_first<Count, T, Isa>(run.output.row(row_before) + column);
            T const* const from = memory.kept.data() + static_cast<std::ptrdiff_t>(row_before) * layout::kept_row +
                                  (block * layout::kept_block + Cell::saved_count) * width;
            for (int s = 1; s < states; ++s) before[s] = number::load_aligned(from + (s - 1) * width);
        } else {
            for (int s = 0; s < states; ++s)
                before[s] = run.initial[s].empty() ? zero : load_first<Count, T, Isa>(run.initial[s].row(i) + column);
        }
        for (int s = 0; s < states; ++s)
            gradient[s] = number::load_aligned(state_gradient(memory, batch, s, i) + column);
        if (!run.output_gradient.empty())
            gradient[0] = gradient[0] + load_first<Count, T, Isa>(run.output_gradient.row(row) + column);
        for (int u = 0; u < Cell::unit_count; ++u) {
            unit[u] = load_first<Count, T, Isa>(run.parameters + weights::unit + u * weights::unit_stride + column);
            unit_gradient[u] = number::load_aligned(memory.unit_gradient.data() + u * layout::padded + column);
        }

        Cell::template step_backward<Math>(saved, before, after, unit, gradient, x_gradient, h_gradient, unit_gradient);

        T* const x_out = memory.gate_gradient.data() + static_cast<std::ptrdiff_t>(row) * row_of_gates + column * gates;
        T* const h_out = recurrent_gates(memory) + static_cast<std::ptrdiff_t>(row) * row_of_gates + column * gates;
        for (int g = 0; g < gates; ++g) {
            x_gradient[g].store_aligned(x_out + g * width);
            if (!Cell::shared_gates) h_gradient[g].store_aligned(h_out + g * width);
        }
        for (int s = 0; s < states; ++s) gradient[s].store_aligned(state_gradient(memory, batch, s, i) + column);
        for (int u = 0; u < Cell::unit_count; ++u)
            unit_gradient[u].store_aligned(memory.unit_gradient.data() + u * layout::padded + column);
    }

    template <class Run, class Memory>
    static void finish(packing const& shape, Run const& run, Memory& memory) {
        for (int s = 0; s < states; ++s)
            if (!run.initial_gradient[s].empty())
                for (int i = 0; i < shape.batch(); ++i)
                    std::copy_n(state_gradient(memory, shape.batch(), s, i), hidden, run.initial_gradient[s].row(i));
        for (int u = 0; u < Cell::unit_count; ++u)
            for (int j = 0; j < hidden; ++j)
                run.parameter_gradient[weights::unit + u * weights::unit_stride + j] +=
                    memory.unit_gradient[static_cast<std::size_t>(u * layout::padded + j)];
    }

    // weight_hh += (gates' gradients)^T h before, bias_hh += their sum, over all rows.
    template <class Run, class Memory>
    static void hidden_weights(packing const& shape, step_order const& order, Run const& run, Memory& memory) {
        T* const before = memory.hidden_before.reserve(static_cast<std::size_t>(shape.rows()) * hidden);
        for (int t = 0; t < order.steps(); ++t)
            for (int i = 0; i < order.size(t); ++i) {
                T* const to = before + static_cast<std::ptrdiff_t>(order.offset(t) + i) * hidden;
                if (i < order.continuing(t))
                    std::copy_n(run.output.row(order.offset(order.previous(t)) + i), hidden, to);
                else if (!run.initial[0].empty())
                    std::copy_n(run.initial[0].row(i), hidden, to);
                else
                    std::fill_n(to, hidden, T(0));
            }
        matrix_view<T const> const gate_rows(recurrent_gates(memory), shape.rows(), row_of_gates);
        add_weights(gate_rows, {before, shape.rows(), hidden}, run.parameter_gradient + weights::weight_hh,
                    run.parameter_gradient + weights::bias_hh, memory);
    }

    template <class Run, class Memory>
    static void input_weights(packing const& shape, indexed_rows<T> const& input, Run const& run,
                              matrix_view<T> input_gradient, bool accumulate, Memory& memory) {
        matrix_view<T const> gate_rows(memory.gate_gradient.data(), shape.rows(), row_of_gates);
        if (!input.index.empty()) {  // equal words share a row: sum their gates' gradients first, in the rows' order
            std::size_t const size = static_cast<std::size_t>(input.rows.rows) * row_of_gates;
            T* const sums = memory.distinct_gradient.reserve(size);
            std::fill_n(sums, size, T(0));
            for (int r = 0; r < shape.rows(); ++r) {
                T* const to =
                    sums + static_cast<std::ptrdiff_t>(input.index[static_cast<std::size_t>(r)]) * row_of_gates;
                T const* const from = gate_rows.row(r);
                for (int j = 0; j < row_of_gates; ++j) to[j] += from[j];
            }
            gate_rows = {sums, input.rows.rows, row_of_gates};
        }
        add_weights(gate_rows, input.rows, run.parameter_gradient + weights::weight_ih,
                    run.parameter_gradient + weights::bias_ih, memory);
        if (input_gradient.empty()) return;
        T* const weight = memory.product.reserve(static_cast<std::size_t>(row_of_gates) * layout::inputs);
        std::fill_n(weight, static_cast<std::size_t>(row_of_gates) * layout::inputs, T(0));
        for (int g = 0; g < gates; ++g)
            for (int u = 0; u < hidden; ++u)
                std::copy_n(run.parameters + weights::weight_ih +
                                static_cast<std::ptrdiff_t>(g * hidden + u) * layout::inputs,
                            layout::inputs, weight + static_cast<std::ptrdiff_t>(layout::place(g, u)) * layout::inputs);
        eigen_product<T>(gate_rows, {weight, row_of_gates, layout::inputs}, input_gradient, accumulate);
    }

    template <class Memory>
    static void add_weights(matrix_view<T const> gate_rows, matrix_view<T const> x, T* weight, T* bias,
                            Memory& memory) {
        T* const product =
            memory.product.reserve(static_cast<std::size_t>(row_of_gates) * static_cast<std::size_t>(x.columns));
        eigen_product_of_transpose<T>(gate_rows, x, {product, row_of_gates, x.columns});
        layout::add_gate_rows(product, x.columns, weight);
        number sum[layout::gates * layout::blocks];
        for (auto& s : sum) s = number(T(0));
        for (int r = 0; r < gate_rows.rows; ++r)
            for (int v = 0; v < layout::gates * layout::blocks; ++v)
                sum[v] += number::load_aligned(gate_rows.row(r) + v * width);
        alignas(64) T sums[row_of_gates];
        for (int v = 0; v < layout::gates * layout::blocks; ++v) sum[v].store_aligned(sums + v * width);
        layout::add_gate_rows(sums, 1, bias);
    }
};

}  // namespace sequent
