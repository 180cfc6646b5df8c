// One step of a recurrent layer for one sequence: what streaming needs. The sums run in the same order as those of a
// whole packed batch, so the states have the same bits.
#pragma once

#include "activation.hpp"
#include "recurrent_layout.hpp"

namespace sequent {

template <class Cell, class T, class Isa, class Math>
class cpu_recurrent_step {
    using layout = cpu_recurrent_layout<Cell, T>;
    using groups = cpu_unit_groups<Cell, T, Isa>;
    using number = simd<T, Isa>;
    static constexpr int width = groups::width, gates = layout::gates, states = layout::states;
    static constexpr int inputs = layout::inputs, hidden = layout::hidden;
    static constexpr int streams = divisor_up_to(groups::count, (simd_registers<Isa> - 4) / gates);
    // Weights beyond a first-level cache: every other step goes the other way, to begin with what is left there.
    static constexpr bool large = (layout::packed_size(inputs) + layout::packed_size(hidden)) * sizeof(T) > 32768;

  public:
    // x: [inputs]. before, after: [states, padded], two different places; lanes beyond the hidden size are of no
    // meaning.
    static void run(cpu_recurrent_weights<Cell, T> const& weights, T const* parameters, T const* x, T const* before,
                    T* after) noexcept {
        bool const back = large && after < before;
        for (int i = 0; i < groups::count; i += streams) {
            int const q = back ? groups::count - streams - i : i;
            number x_sum[1][streams * gates], h_sum[1][streams * gates];
            if (!back) groups::template product<1, streams>(x_sum, x, 0, weights.input.data(), inputs, q);
            groups::template product<1, streams>(h_sum, before, 0, weights.hidden.data(), hidden, q);
            if (back) groups::template product<1, streams>(x_sum, x, 0, weights.input.data(), inputs, q);
            for (int s = 0; s < streams; ++s)
                units(q + s, x_sum[0] + s * gates, h_sum[0] + s * gates, parameters, before, after);
        }
    }

  private:
    SEQUENT_HD static void units(int q, number const* x_sum, number const* h_sum, T const* parameters, T const* before,
                                 T* after) {
        using block = recurrent_layout<Cell>;
        numbers<number, gates> x, h;
        numbers<number, states> old, now;
        numbers<number, Cell::unit_count> unit;
        numbers<number, Cell::saved_count> saved;
        unrolled<gates>([&](int g) { x[g] = x_sum[g], h[g] = h_sum[g]; });
        for (int s = 0; s < states; ++s) old[s] = number::load_aligned(before + s * layout::padded + groups::unit(q));
        for (int u = 0; u < Cell::unit_count; ++u) {
            T const* const from = parameters + block::unit + u * block::unit_stride + groups::unit(q);
            unit[u] = q + 1 < groups::count ? load_first<width, T, Isa>(from) : load_first<groups::tail, T, Isa>(from);
        }
        Cell::template step<Math>(x, h, old, unit, now, saved);
        for (int s = 0; s < states; ++s) now[s].store_aligned(after + s * layout::padded + groups::unit(q));
    }
};

}  // namespace sequent
