// The forward pass of a recurrent layer, a tile of the batch from its first step to its last in one block. Weights stay
// in registers; h passes from step to step through shared memory, all states in registers. One barrier a step.
#pragma once

#include "one_block.hpp"

namespace sequent {

template <class Warp, class Cell, precision Format, int Rows = 8>
class one_block_forward {
    using layout = one_block_layout<Cell, Format, Rows>;
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = layout::hidden, gates = layout::gates, states = layout::states;
    static constexpr int groups = layout::groups, slots = layout::slots, elements = layout::elements;
    using product = stationary_product<Warp, Format, gates, layout::padded, Rows, layout::chains>;
    template <class T, int N>
    using reg = typename Warp::template reg<T, N>;

  public:
    static constexpr int rows = Rows, warps = layout::warps, threads = layout::threads;
    static constexpr int weight_registers = product::weight_registers;
    static constexpr int shared_bytes =
        2 * product::operand_bytes + warps * groups * product::weight_bytes + gates * layout::padded * 4;
    using arguments = one_block_arguments<Cell>;

    [[nodiscard]] SEQUENT_DEVICE int steps() const { return order_.steps; }

    SEQUENT_DEVICE void start(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        int const first = warp.block_x() * Rows, batch = all.shape.batch;
        order_ = {all.shape.offsets, all.shape.lengths[first], run.way == direction::forward};
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp.index(), lane, group), i = first + layout::row(lane, slot);
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g) if (lane < 4 && slot == 0) warp.store(
                lane, bias(warp, lane, group, g), load_pair<hidden>(run.parameters + block::bias_hh + g * hidden, u));
            SEQUENT_UNROLL for (int p = 0; p < Cell::unit_count; ++p)
                set_pair(unit_, lane, (group * Cell::unit_count + p) * 2,
                         load_pair<hidden>(run.parameters + block::unit + p * block::unit_stride, u));
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
                bool const given = i < batch && !run.initial[s].empty();
                set_pair(state_, lane, layout::place(s, group, slot),
                         given ? load_pair<hidden>(run.initial[s].row(i), u) : float_pair{0, 0});
            }
            put_hidden(warp, lane, 0, group, slot);
            length_(lane, slot) = i < batch ? all.shape.lengths[i] : 0;
            source_(lane, slot) = source(all, lane, slot, 0, i, order_.offset(0));
        });
        float const* const weight = run.parameters + block::weight_hh;
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].load(
            warp, own(warp, group), [&](int g, int n, int k) {
                int const u = (warp.index() * groups + group) * 8 + n;
                return u < hidden && k < hidden ? weight[(g * hidden + u) * hidden + k] : 0.0f;
            });
        load_input(warp, run, input_);
        find_sources(warp, all, 1, order_.offset(1));
        offset_ahead_ = order_.offset(2);
    }

    // Reads h from one buffer and writes the next one into the other. What later steps need is asked for ahead of time:
    // the input of the next one, the row of that after it, and where the rows begin of the one after that.
    SEQUENT_DEVICE void step(Warp& warp, arguments const& all, int visit) {
        auto const& run = all.runs[warp.block_y()];
        int const row = order_.offset(visit) + warp.block_x() * Rows;
        reg<float, gates * elements> input_next;
        if (layout::early) load_input(warp, run, input_next);

        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) {
            typename product::sums sums;
            layout::each_row(warp, [&](int lane, int slot) {
                SEQUENT_UNROLL for (int g = 0; g < gates; ++g)
                    set_pair(sums, lane, (g * slots + slot) * 2,
                             warp.template load<float_pair>(lane, bias(warp, lane, group, g)));
            });
            product_[group].multiply(warp, visit % 2 * product::operand_bytes, own(warp, group), sums);
            layout::each_row(warp, [&](int lane, int slot) {
                if (order_.active(visit, length_(lane, slot)))
                    cell_step(warp, lane, group, slot, row + layout::row(lane, slot), sums, run);
                put_hidden(warp, lane, (visit + 1) % 2 * product::operand_bytes, group, slot);
            });
        }
        if (!layout::early) load_input(warp, run, input_next);
        input_ = input_next;
        find_sources(warp, all, visit + 2, offset_ahead_);
        offset_ahead_ = order_.offset(visit + 3);
    }

    SEQUENT_DEVICE void finish(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = warp.block_x() * Rows + layout::row(lane, slot);
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) if (i < all.shape.batch && !run.final[s].empty())
                store_pair<hidden>(run.final[s].row(i), layout::unit(warp.index(), lane, group),
                                   get_pair(state_, lane, layout::place(s, group, slot)));
        });
    }

  private:
    // The byte of shared memory where a group's weights begin, behind both buffers of h.
    static SEQUENT_DEVICE int own(Warp const& warp, int group) {
        return 2 * product::operand_bytes + (warp.index() * groups + group) * product::weight_bytes;
    }

    // Behind those: bias_hh, [gates, padded].
    static SEQUENT_DEVICE int bias(Warp const& warp, int lane, int group, int g) {
        return 2 * product::operand_bytes + warps * groups * product::weight_bytes +
               (g * layout::padded + layout::unit(warp.index(), lane, group)) * 4;
    }

    // The row of input_gates that a lane's sequence i reads at a visit; -1 where it takes no part.
    SEQUENT_DEVICE int source(arguments const& all, int lane, int slot, int visit, int i, int offset) const {
        if (!order_.active(visit, length_(lane, slot))) return -1;
        return all.shape.index == nullptr ? offset + i : all.shape.index[offset + i];
    }
    SEQUENT_DEVICE void find_sources(Warp& warp, arguments const& all, int visit, int offset) {
        layout::each_row(warp, [&](int lane, int slot) {
            source_(lane, slot) =
                source(all, lane, slot, visit, warp.block_x() * Rows + layout::row(lane, slot), offset);
        });
    }
    SEQUENT_DEVICE void load_input(Warp& warp, one_block_run<Cell> const& run, reg<float, gates * elements>& to) const {
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const from = source_(lane, slot), u = layout::unit(warp.index(), lane, group);
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g)
                set_pair(to, lane, layout::place(g, group, slot),
                         from < 0 ? float_pair{0, 0} : load_pair<hidden>(run.input_gates.row(from) + g * hidden, u));
        });
    }

    // h of a pair, 0 where there is no such unit, into the buffer that the next product reads.
    SEQUENT_DEVICE void put_hidden(Warp& warp, int lane, int buffer, int group, int slot) const {
        int const u = layout::unit(warp.index(), lane, group);
        float_pair pair = get_pair(state_, lane, layout::place(0, group, slot));
        if (hidden % 16 != 0) pair = {u < hidden ? pair.first : 0, u + 1 < hidden ? pair.second : 0};
        product::put(warp, lane, buffer, layout::row(lane, slot), u, pair);
    }

    // The cell's equations for two units of one row.
    SEQUENT_DEVICE void cell_step(Warp& warp, int lane, int group, int slot, int row,
                                  typename product::sums const& sums, one_block_run<Cell> const& run) {
        numbers<float, Cell::saved_count> saved[2];
        SEQUENT_UNROLL for (int column = 0; column < 2; ++column) {
            numbers<float, gates> x, h;
            numbers<float, states> before, after;
            numbers<float, Cell::unit_count> unit;
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g) {
                x[g] = input_(lane, layout::place(g, group, slot) + column);
                h[g] = sums(lane, (g * slots + slot) * 2 + column);
            }
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) before[s] =
                state_(lane, layout::place(s, group, slot) + column);
            SEQUENT_UNROLL for (int p = 0; p < Cell::unit_count; ++p) unit[p] =
                unit_(lane, (group * Cell::unit_count + p) * 2 + column);
            Cell::template step<activations<Format>>(x, h, before, unit, after, saved[column]);
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) state_(lane, layout::place(s, group, slot) + column) =
                after[s];
        }
        int const u = layout::unit(warp.index(), lane, group);
        auto const state = [&](int s) { return get_pair(state_, lane, layout::place(s, group, slot)); };
        store_pair<hidden>(run.output.row(row), u, state(0));
        if (run.kept == nullptr) return;
        float* const kept = run.kept + std::ptrdiff_t{row} * one_block_run<Cell>::kept_row;
        SEQUENT_UNROLL for (int k = 0; k < Cell::saved_count; ++k)
            store_pair<hidden>(kept + k * hidden, u, {saved[0][k], saved[1][k]});
        SEQUENT_UNROLL for (int s = 1; s < states; ++s)
            store_pair<hidden>(kept + (Cell::saved_count + s - 1) * hidden, u, state(s));
    }

    product product_[groups];
    tile_schedule order_;
    int offset_ahead_;                                // of the first row, three visits ahead
    reg<int, slots> length_, source_;                 // source: of the row that the visit after next reads
    reg<float, Cell::unit_count * groups * 2> unit_;  // [group][parameter][column]
    reg<float, states * elements> state_;             // layout::place
    reg<float, gates * elements> input_;              // layout::place
};

}  // namespace sequent
