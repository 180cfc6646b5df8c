// The forward pass of a recurrent layer, a tile of the batch from its first step to its last in one block or a cluster
// of blocks. Weights stay in registers; h passes from step to step through shared memory, all states in registers. In
// one block a barrier ends a step. In a cluster each warp sends its units' h to all other blocks, 16 bytes at a time,
// and waits until all of h has come. Two buffers are enough: whoever writes into one has all h of the step before, so
// each warp has read what stood there.
#pragma once

#include "tile.hpp"

namespace sequent {

template <class Warp, class Cell, precision Format, int Rows, int Blocks>
class tile_forward {
    using layout = tile_layout<Cell, Format, Rows, Blocks>;
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = layout::hidden, gates = layout::gates, states = layout::states;
    static constexpr int groups = layout::groups, slots = layout::slots, elements = layout::elements;
    using product =
        stationary_product<Warp, Format, gates, layout::padded, Rows, layout::chains, layout::weight_registers>;
    template <class T, int N>
    using reg = typename Warp::template reg<T, N>;

  public:
    static constexpr int rows = Rows, warps = layout::warps, threads = layout::threads, blocks = Blocks;
    static constexpr int weight_registers = product::weight_registers;

  private:
    // Shared memory: both buffers of h, [operand rows, padded] each; the warps' weights; bias_hh, [gates, own].
    static constexpr int weights_at = 2 * product::operand_bytes;
    static constexpr int bias_at = weights_at + warps * groups * product::weight_bytes;
    static constexpr int end = bias_at + gates * layout::own * 4;

  public:
    using exchange = std::conditional_t<
        Blocks == 1, no_exchange,
        cluster_exchange<end, (Blocks - 1) * product::operand_rows * layout::own * product::number_bytes, warps>>;
    static constexpr int shared_bytes = end + exchange::barriers_bytes;
    static constexpr bool receives = false;
    using arguments = tile_arguments<Cell>;

    [[nodiscard]] SEQUENT_DEVICE int steps() const { return order_.steps; }

    SEQUENT_DEVICE void start(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        int const first = layout::tile(warp) * Rows, batch = all.shape.batch;
        order_ = {all.shape.offsets, all.shape.lengths[first], run.way == direction::forward};
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp, lane, group), i = first + layout::row(lane, slot);
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g) if (lane < 4 && slot == 0) warp.store(
                lane, bias(warp, lane, group, g), layout::load(run.parameters + block::bias_hh + g * hidden, u));
            SEQUENT_UNROLL for (int p = 0; p < Cell::unit_count; ++p)
                set_pair(unit_, lane, (group * Cell::unit_count + p) * 2,
                         layout::load(run.parameters + block::unit + p * block::unit_stride, u));
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
                bool const given = i < batch && !run.initial[s].empty();
                set_pair(state_, lane, layout::place(s, group, slot),
                         given ? layout::load(run.initial[s].row(i), u) : float_pair{0, 0});
            }
            put_initial(warp, run, lane, group, slot, i < batch ? i : -1);
            length_(lane, slot) = i < batch ? all.shape.lengths[i] : 0;
            source_(lane, slot) = source(all, lane, slot, 0, i, order_.offset(0));
        });
        float const* const weight = run.parameters + block::weight_hh;
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].load(
            warp, own(warp, group), [&](int g, int n, int k) {
                int const u = layout::rank(warp) * layout::own + (warp.index() * groups + group) * 8 + n;
                return u < hidden && k < hidden ? weight[(g * hidden + u) * hidden + k] : 0.0f;
            });
        if constexpr (Blocks > 1) exchange::start(warp);
        load_input(warp, run, input_);
        find_sources(warp, all, 1, order_.offset(1));
        offset_ahead_ = order_.offset(2);
    }

    // Reads h from one buffer and writes the next one into the other. What later steps need is asked for ahead of time:
    // the input of the next one, the row of that after it, and where the rows begin of the one after that.
    SEQUENT_DEVICE void step(Warp& warp, arguments const& all, int visit) {
        auto const& run = all.runs[warp.block_y()];
        int const row = order_.offset(visit) + layout::tile(warp) * Rows;
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
        if constexpr (Blocks > 1) send_hidden(warp, visit);
        if (!layout::early) load_input(warp, run, input_next);
        input_ = input_next;
        find_sources(warp, all, visit + 2, offset_ahead_);
        offset_ahead_ = order_.offset(visit + 3);
    }

    SEQUENT_DEVICE void finish(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = layout::tile(warp) * Rows + layout::row(lane, slot);
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) if (i < all.shape.batch && !run.final[s].empty())
                layout::store(run.final[s].row(i), layout::unit(warp, lane, group),
                              get_pair(state_, lane, layout::place(s, group, slot)));
        });
    }

  private:
    static SEQUENT_DEVICE int own(Warp const& warp, int group) {
        return weights_at + (warp.index() * groups + group) * product::weight_bytes;
    }
    static SEQUENT_DEVICE int bias(Warp const& warp, int lane, int group, int g) {
        return bias_at + (g * layout::own + layout::own_unit(warp.index(), lane, group)) * 4;
    }

    // The row of input_gates that a lane's sequence i reads at a visit; -1 where it takes no part.
    SEQUENT_DEVICE int source(arguments const& all, int lane, int slot, int visit, int i, int offset) const {
        if (!order_.active(visit, length_(lane, slot))) return -1;
        return all.shape.index == nullptr ? offset + i : all.shape.index[offset + i];
    }
    SEQUENT_DEVICE void find_sources(Warp& warp, arguments const& all, int visit, int offset) {
        layout::each_row(warp, [&](int lane, int slot) {
            source_(lane, slot) =
                source(all, lane, slot, visit, layout::tile(warp) * Rows + layout::row(lane, slot), offset);
        });
    }
    SEQUENT_DEVICE void load_input(Warp& warp, tile_run<Cell> const& run, reg<float, gates * elements>& to) const {
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const from = source_(lane, slot), u = layout::unit(warp, lane, group);
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g)
                set_pair(to, lane, layout::place(g, group, slot),
                         from < 0 ? float_pair{0, 0} : layout::load(run.input_gates.row(from) + g * hidden, u));
        });
    }

    // h of a pair, 0 where there is no such unit, into the buffer that the next product reads.
    SEQUENT_DEVICE void put_hidden(Warp& warp, int lane, int buffer, int group, int slot) const {
        int const u = layout::unit(warp, lane, group);
        product::put(warp, lane, buffer, layout::row(lane, slot), u,
                     layout::masked(get_pair(state_, lane, layout::place(0, group, slot)), u));
    }
    // The initial h of sequence i, of this block's units and of those like them of the others; -1: zeros.
    SEQUENT_DEVICE void put_initial(Warp& warp, tile_run<Cell> const& run, int lane, int group, int slot, int i) const {
        if constexpr (Blocks == 1) {
            put_hidden(warp, lane, 0, group, slot);
        } else {
            for (int rank = 0; rank < Blocks; ++rank) {
                int const u = rank * layout::own + layout::own_unit(warp.index(), lane, group);
                bool const given = i >= 0 && !run.initial[0].empty();
                product::put(warp, lane, 0, layout::row(lane, slot), u,
                             given ? layout::load(run.initial[0].row(i), u) : float_pair{0, 0});
            }
        }
    }
    // What this warp has put for the next step, to the same place in all other blocks.
    SEQUENT_DEVICE void send_hidden(Warp& warp, int visit) const {
        constexpr int row_pieces = groups * 8 * product::number_bytes / 16, pieces = product::operand_rows * row_pieces;
        int const first = (visit + 1) % 2 * product::operand_bytes +
                          (layout::rank(warp) * layout::own + warp.index() * groups * 8) * product::number_bytes;
        warp.sync();
        warp.lanes([&](int lane) {
            SEQUENT_UNROLL for (int n = 0; n < (pieces * (Blocks - 1) + 31) / 32; ++n) {
                int const piece = (n * 32 + lane) % pieces, other = (n * 32 + lane) / pieces;
                int const at = first + piece / row_pieces * product::row_bytes + piece % row_pieces * 16;
                if (other < Blocks - 1)
                    warp.store_async(lane, other + (other >= layout::rank(warp)), at,
                                     warp.template load<word_quad>(lane, at), exchange::barrier(visit));
            }
        });
        exchange::arrive(warp, visit);
    }

    // The cell's equations for two units of one row.
    SEQUENT_DEVICE void cell_step(Warp& warp, int lane, int group, int slot, int row,
                                  typename product::sums const& sums, tile_run<Cell> const& run) {
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
        int const u = layout::unit(warp, lane, group);
        auto const state = [&](int s) { return get_pair(state_, lane, layout::place(s, group, slot)); };
        layout::store(run.output.row(row), u, state(0));
        if (run.kept == nullptr) return;
        float* const kept = run.kept + std::ptrdiff_t{row} * tile_run<Cell>::kept_row;
        SEQUENT_UNROLL for (int k = 0; k < Cell::saved_count; ++k)
            layout::store(kept + k * hidden, u, {saved[0][k], saved[1][k]});
        SEQUENT_UNROLL for (int s = 1; s < states; ++s)
            layout::store(kept + (Cell::saved_count + s - 1) * hidden, u, state(s));
    }

    product product_[groups];
    tile_schedule order_;
    int offset_ahead_;                                // of the first row, three visits ahead
    reg<int, slots> length_, source_;                 // source: of the row that the visit after next reads
    reg<float, Cell::unit_count * groups * 2> unit_;  // [group][parameter][column]
    reg<float, states * elements> state_;             // layout::place
    reg<float, gates * elements> input_;              // layout::place
};

template <class Warp, class Cell, precision Format, int Rows = 8>
using one_block_forward = tile_forward<Warp, Cell, Format, Rows, 1>;
template <class Warp, class Cell, precision Format, int Blocks>
using cluster_forward = tile_forward<Warp, Cell, Format, 8, Blocks>;

}  // namespace sequent
