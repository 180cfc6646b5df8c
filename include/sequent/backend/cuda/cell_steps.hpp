// One step of a cell on the device, there and back, as functions of the sequence and the unit: the path for layers of
// any size makes each step by a product and one of these.
#pragma once

#include <type_traits>

#include "../backend.hpp"
#include "activation.hpp"
#include "device_plan.hpp"

namespace sequent {

namespace detail {

template <precision Format, class T>
using device_math = std::conditional_t<std::is_same_v<T, float>, activations<Format>, precise>;

// Visits of a direction to the steps of a batch, made to a round number: a visit to no step does nothing. So what is
// launched depends on the batch's size and on this number alone, and the machine knows it when it comes again.
inline int visits_of(packing const& shape) { return round_up(shape.steps(), 8); }
// One of them, as the device finds the sequences that take part in it.
struct visit {
    sequence_places places;
    int number;
    int ascending;  // 1, or 0 for the reverse direction

    // Where sequence i's numbers of this visit are, or, with back = 1, of the one before it; -1: it takes no part.
    [[nodiscard]] SEQUENT_HD std::ptrdiff_t row(int i, int back) const {
        int const t = ascending != 0 ? number - back : places.lengths[0] - 1 - number + back;
        return number >= back && t >= 0 && t < places.lengths[i] ? std::ptrdiff_t{places.offsets[t]} + i : -1;
    }
};
// A matrix whose number of rows is not told.
template <class T>
struct any_rows {
    T* data;  // null: there is none
    std::ptrdiff_t stride;
    template <class U>
    explicit any_rows(matrix_view<U> const& from) : data(from.data), stride(from.stride) {}
    SEQUENT_HD T& operator()(std::ptrdiff_t row, int column) const { return data[row * stride + column]; }
};

// Unit u of sequence i makes the step of a visit.
template <class Cell, class T, class Math>
struct cell_forward {
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = Cell::hidden_size, gate_row = Cell::gate_count * hidden;
    T const* parameters;
    T const* input_gates;
    int const* index;
    T const* recurrent_gates;
    T* running;
    visit now;
    std::ptrdiff_t batch;
    any_rows<T> output;
    T* kept;  // null: nothing is

    SEQUENT_HD void operator()(int i, int u) const {
        std::ptrdiff_t const row = now.row(i, 0);
        if (row < 0) return;
        T const* const from = input_gates + (index == nullptr ? row : index[row]) * gate_row + u;
        numbers<T, Cell::gate_count> x, h;
        numbers<T, Cell::state_count> before, after;
        numbers<T, Cell::unit_count> unit;
        numbers<T, Cell::saved_count> saved;
        for (int g = 0; g < Cell::gate_count; ++g) {
            x[g] = from[g * hidden];
            h[g] = recurrent_gates[std::ptrdiff_t{i} * gate_row + g * hidden + u] +
                   parameters[block::bias_hh + g * hidden + u];
        }
        for (int s = 0; s < Cell::state_count; ++s) before[s] = running[(s * batch + i) * hidden + u];
        for (int p = 0; p < Cell::unit_count; ++p) unit[p] = parameters[block::unit + p * block::unit_stride + u];
        Cell::template step<Math>(x, h, before, unit, after, saved);
        for (int s = 0; s < Cell::state_count; ++s) running[(s * batch + i) * hidden + u] = after[s];
        output(row, u) = after[0];
        if (kept == nullptr) return;
        T* const to = kept + row * (Cell::saved_count + Cell::state_count - 1) * hidden + u;
        for (int k = 0; k < Cell::saved_count; ++k) to[k * hidden] = saved[k];
        for (int s = 1; s < Cell::state_count; ++s) to[(Cell::saved_count + s - 1) * hidden] = after[s];
    }
};

// The derivatives of the step that unit u of sequence i made in a visit. Those of its recurrent gates are put in
// step_gradient too, where the product that follows reads them: zeros where the sequence takes no part.
template <class Cell, class T, class Math>
struct cell_backward {
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = Cell::hidden_size, gate_row = Cell::gate_count * hidden;
    static constexpr int kept_row = (Cell::saved_count + Cell::state_count - 1) * hidden;
    T const* parameters;
    numbers<matrix_view<T const>, Cell::state_count> initial;
    any_rows<T const> output, output_gradient;
    T const* kept;
    visit now;
    std::ptrdiff_t batch;
    T *running, *gate_gradient, *recurrent_gate_gradient, *step_gradient, *hidden_before, *unit_gradient;

    SEQUENT_HD void operator()(int i, int u) const {
        std::ptrdiff_t const row = now.row(i, 0), row_before = now.row(i, 1);
        T* const to_product = step_gradient + std::ptrdiff_t{i} * gate_row + u;
        if (row < 0) {
            for (int g = 0; g < Cell::gate_count; ++g) to_product[g * hidden] = T(0);
            return;
        }
        numbers<T, Cell::saved_count> saved;
        numbers<T, Cell::state_count> before, after, gradient;
        numbers<T, Cell::unit_count> unit, d_unit;
        numbers<T, Cell::gate_count> d_x, d_h;
        for (int k = 0; k < Cell::saved_count; ++k) saved[k] = kept[row * kept_row + k * hidden + u];
        for (int s = 0; s < Cell::state_count; ++s) {
            after[s] = state(row, s, u);
            before[s] = row_before >= 0 ? state(row_before, s, u) : initial[s].empty() ? T(0) : initial[s](i, u);
            gradient[s] = running[place(s, i, u)];
        }
        if (output_gradient.data != nullptr) gradient[0] += output_gradient(row, u);
        for (int p = 0; p < Cell::unit_count; ++p) {
            unit[p] = parameters[block::unit + p * block::unit_stride + u];
            d_unit[p] = unit_gradient[place(p, i, u)];
        }
        Cell::template step_backward<Math>(saved, before, after, unit, gradient, d_x, d_h, d_unit);
        for (int g = 0; g < Cell::gate_count; ++g) {
            gate_gradient[row * gate_row + g * hidden + u] = d_x[g];
            if (!Cell::shared_gates) recurrent_gate_gradient[row * gate_row + g * hidden + u] = d_h[g];
            to_product[g * hidden] = Cell::shared_gates ? d_x[g] : d_h[g];
        }
        hidden_before[row * hidden + u] = before[0];
        for (int s = 0; s < Cell::state_count; ++s) running[place(s, i, u)] = gradient[s];
        for (int p = 0; p < Cell::unit_count; ++p) unit_gradient[place(p, i, u)] = d_unit[p];
    }

  private:
    SEQUENT_HD std::ptrdiff_t place(int k, int i, int u) const { return (k * batch + i) * hidden + u; }
    SEQUENT_HD T state(std::ptrdiff_t row, int s, int u) const {
        return s == 0 ? output(row, u) : kept[row * kept_row + (Cell::saved_count + s - 1) * hidden + u];
    }
};

}  // namespace detail

}  // namespace sequent
