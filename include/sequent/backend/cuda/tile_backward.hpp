// The backward pass of a recurrent layer, a tile of the batch from its last visit to its first in one block or a
// cluster of blocks. The transposed weights stay in registers; the gates' gradients of a step pass through shared
// memory to the product that makes the gradient of h before it, which each lane receives for the units and rows that it
// owns. In one block a barrier ends a step. In a cluster a block multiplies the gates of its own units, which gives a
// part of the gradient of all h; each lane sends the parts to the lanes like it in the blocks that own them, and adds
// what it receives in the order of the blocks. Where there are many blocks each has few warps, and a warp would have
// too many products: helpers, which own no units, make half of them.
#pragma once

#include "tile.hpp"

namespace sequent {

template <class Warp, class Cell, precision Precision, int Rows, int Blocks>
class tile_backward {
    static constexpr precision format = backward_format(Precision);
    using layout = tile_layout<Cell, Precision, Rows, Blocks>;
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = layout::hidden, gates = layout::gates, states = layout::states;
    static constexpr int groups = layout::groups, slots = layout::slots, elements = layout::elements;
    static constexpr int units = Cell::unit_count, saved_count = Cell::saved_count;
    // Warps that make the products of the same units, each those of as many blocks: the owner, then its helper.
    static constexpr int teams = Blocks > 8 ? 2 : 1, owners = layout::warps, tiles = Blocks / teams;
    // A tile for each block, of those of its units that the owner's lanes own there.
    using product = stationary_product<Warp, format, tiles, gates * layout::own, Rows,
                                       Blocks == 1   ? 4
                                       : Blocks == 2 ? 2
                                                     : 1,
                                       layout::weight_registers>;
    template <class T, int N>
    using reg = typename Warp::template reg<T, N>;

    // What a step reads of a lane's rows, places as layout::place has them.
    struct row_values {
        reg<float, saved_count * elements> saved;
        reg<float, states * elements> before, after;
        reg<float, elements> output_gradient;
    };

  public:
    static constexpr int rows = Rows, warps = teams * owners, threads = 32 * warps, blocks = Blocks;
    static constexpr int weight_registers = product::weight_registers;

  private:
    // Shared memory: both buffers of gates' gradients, [operand rows, gates * own] each; the warps' weights; in a
    // cluster two buffers of parts of h's gradient, [blocks, owners' threads] pairs each.
    static constexpr int weights_at = 2 * product::operand_bytes;
    static constexpr int parts_at = weights_at + warps * groups * product::weight_bytes;
    static constexpr int end = parts_at + (Blocks == 1 ? 0 : 2 * Blocks * layout::threads * 8);

  public:
    using exchange =
        std::conditional_t<Blocks == 1, no_exchange,
                           cluster_exchange<end, (Blocks - 1) * layout::threads * 8, (teams - 1) * owners>>;
    static constexpr int shared_bytes = end + exchange::barriers_bytes;
    static constexpr bool receives = true;  // after each step of a cluster, and before a barrier of the block
    using arguments = tile_arguments<Cell>;

    [[nodiscard]] SEQUENT_DEVICE int steps() const { return order_.steps; }

    SEQUENT_DEVICE void start(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        int const first = layout::tile(warp) * Rows;
        order_ = {all.shape.offsets, all.shape.lengths[first], run.way != direction::forward};
        if (!helps(warp)) start_units(warp, all);
        float const* const weight = run.parameters + block::weight_hh;
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].load(
            warp, own(warp, group), [&](int tile, int n, int k) {
                int const column = (first_tile(warp) + tile) * layout::own + (owner(warp) * groups + group) * 8 + n,
                          g = k / layout::own, u = layout::rank(warp) * layout::own + k % layout::own;
                return column < hidden && u < hidden ? weight[(g * hidden + u) * hidden + column] : 0.0f;
            });
        if constexpr (Blocks > 1) exchange::start(warp);
        if (helps(warp)) return;
        load_rows(warp, all, 1, order_.offset(1), order_.offset(2), values_);
        SEQUENT_UNROLL for (int n = 0; n < 3; ++n) offset_[n] = order_.offset(n + 1);
    }

    // The gradient of h before a visit, from one buffer of gates' gradients; then the next visit's into the other. What
    // the visit after that reads is asked for ahead of time. In a cluster, only this block's part of the former.
    SEQUENT_DEVICE void step(Warp& warp, arguments const& all, int visit) {
        if constexpr (Blocks == 1) {
            step_alone(warp, all, visit);
        } else {
            send_parts(warp, visit);
        }
    }
    // The rest of a cluster's step, once all parts are here.
    SEQUENT_DEVICE void receive(Warp& warp, arguments const& all, int visit) {
        if (helps(warp)) return;
        warp.lanes([&](int lane) {
            float_pair sum = get_pair(gradient_[0][0], lane, 0);
            SEQUENT_UNROLL for (int rank = 0; rank < Blocks; ++rank) {
                auto const part = warp.template load<float_pair>(lane, part_at(warp, lane, visit, rank));
                sum.first += part.first, sum.second += part.second;
            }
            set_pair(gradient_[0][0], lane, 0, sum);
        });
        cells(warp, all, visit + 1, offset_[0], values_);
        load_rows(warp, all, visit + 2, offset_[1], offset_[2], values_);
        advance(visit);
    }

    SEQUENT_DEVICE void finish(Warp& warp, arguments const& all) {
        if (helps(warp)) return;
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = layout::tile(warp) * Rows + layout::row(lane, slot);
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) if (i < all.shape.batch && !run.initial_gradient[s].empty())
                layout::store(run.initial_gradient[s].row(i), layout::unit(warp, lane, group),
                              get_pair(gradient_[s][group], lane, slot * 2));
        });
        if constexpr (units > 0) {
            // Lanes 4, 8 and 16 apart own other rows and the same units.
            SEQUENT_UNROLL for (int mask = 4; mask < 32; mask *= 2) {
                reg<float, units* groups* 2> other = unit_gradient_;
                Warp::shfl_xor(other, mask);
                warp.lanes([&](int lane) {
                    SEQUENT_UNROLL for (int n = 0; n < units * groups * 2; ++n) unit_gradient_(lane, n) +=
                        other(lane, n);
                });
            }
            float* const to = run.unit_gradient + std::ptrdiff_t{layout::tile(warp)} * units * hidden;
            warp.lanes([&](int lane) {
                SEQUENT_UNROLL for (int group = 0; group < groups; ++group)
                    SEQUENT_UNROLL for (int p = 0; p < units; ++p) if (lane < 4)
                        layout::store(to + p * hidden, layout::unit(warp, lane, group),
                                      get_pair(unit_gradient_, lane, (group * units + p) * 2));
            });
        }
    }

  private:
    // Whether this warp owns no units; the owner that it helps, or itself; the first block whose part it makes.
    static SEQUENT_DEVICE bool helps(Warp const& warp) { return teams > 1 && warp.index() >= owners; }
    static SEQUENT_DEVICE int owner(Warp const& warp) { return warp.index() - (helps(warp) ? owners : 0); }
    static SEQUENT_DEVICE int first_tile(Warp const& warp) { return helps(warp) ? tiles : 0; }

    SEQUENT_DEVICE void start_units(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        int const first = layout::tile(warp) * Rows, batch = all.shape.batch;
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp, lane, group), i = first + layout::row(lane, slot);
            SEQUENT_UNROLL for (int p = 0; p < units; ++p) {
                set_pair(unit_, lane, (group * units + p) * 2,
                         layout::load(run.parameters + block::unit + p * block::unit_stride, u));
                set_pair(unit_gradient_, lane, (group * units + p) * 2, {0, 0});
            }
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
                bool const given = i < batch && !run.final_gradient[s].empty();
                set_pair(gradient_[s][group], lane, slot * 2,
                         given ? layout::load(run.final_gradient[s].row(i), u) : float_pair{0, 0});
            }
            length_(lane, slot) = i < batch ? all.shape.lengths[i] : 0;
        });
        row_values values;
        load_rows(warp, all, 0, order_.offset(0), order_.offset(1), values);
        cells(warp, all, 0, order_.offset(0), values);
    }

    SEQUENT_DEVICE void step_alone(Warp& warp, arguments const& all, int visit) {
        row_values next;
        if (layout::early) load_rows(warp, all, visit + 2, offset_[1], offset_[2], next);
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].multiply(
            warp, visit % 2 * product::operand_bytes, own(warp, group), gradient_[0][group]);
        cells(warp, all, visit + 1, offset_[0], values_);
        if (!layout::early) load_rows(warp, all, visit + 2, offset_[1], offset_[2], next);
        values_ = next;
        advance(visit);
    }
    SEQUENT_DEVICE void send_parts(Warp& warp, int visit) const {
        typename product::sums sums;
        warp.lanes([&](int lane) {
            SEQUENT_UNROLL for (int tile = 0; tile < tiles; ++tile) set_pair(sums, lane, tile * 2, {0, 0});
        });
        product_[0].multiply(warp, visit % 2 * product::operand_bytes, own(warp, 0), sums);
        int const mine = layout::rank(warp), first = first_tile(warp);
        warp.lanes([&](int lane) {
            SEQUENT_UNROLL for (int tile = 0; tile < tiles; ++tile) {
                float_pair const part = get_pair(sums, lane, tile * 2);
                int const at = part_at(warp, lane, visit, mine), rank = first + tile;
                if (rank == mine)
                    warp.store(lane, at, part);
                else
                    warp.store_async(lane, rank, at, part, exchange::barrier(visit));
            }
        });
        if constexpr (teams > 1) {  // the owner may read what its helper has stored here
            warp.sync();
            if (helps(warp)) exchange::arrive(warp, visit);
        }
    }
    // Where a part from a block stands, of the units that a lane owns or helps with.
    static SEQUENT_DEVICE int part_at(Warp const& warp, int lane, int visit, int from) {
        return parts_at + (((visit % 2 * Blocks + from) * owners + owner(warp)) * 32 + lane) * 8;
    }
    SEQUENT_DEVICE void advance(int visit) {
        offset_[0] = offset_[1], offset_[1] = offset_[2], offset_[2] = order_.offset(visit + 4);
    }

    static SEQUENT_DEVICE int own(Warp const& warp, int group) {
        return weights_at + (warp.index() * groups + group) * product::weight_bytes;
    }

    // What the cell's backward step reads at a visit; the visit's step begins at row `offset`, the step before it,
    // which is visited next, at `offset_before`.
    SEQUENT_DEVICE void load_rows(Warp& warp, arguments const& all, int visit, int offset, int offset_before,
                                  row_values& to) const {
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = layout::tile(warp) * Rows + layout::row(lane, slot), u = layout::unit(warp, lane, group);
            bool const active = order_.active(visit, length_(lane, slot)),
                       continues = order_.active(visit + 1, length_(lane, slot));
            auto const kept = [&](int row, int k) {
                return layout::load(run.kept + std::ptrdiff_t{row} * tile_run<Cell>::kept_row + k * hidden, u);
            };
            auto const state = [&](int row, int s) {
                return s == 0 ? layout::load(run.output.row(row), u) : kept(row, saved_count + s - 1);
            };
            SEQUENT_UNROLL for (int k = 0; k < saved_count; ++k) set_pair(
                to.saved, lane, layout::place(k, group, slot), active ? kept(offset + i, k) : float_pair{0, 0});
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
                float_pair before{0, 0}, after{0, 0};
                if (active) {
                    after = state(offset + i, s);
                    if (continues)
                        before = state(offset_before + i, s);
                    else if (!run.initial[s].empty())
                        before = layout::load(run.initial[s].row(i), u);
                }
                set_pair(to.before, lane, layout::place(s, group, slot), before);
                set_pair(to.after, lane, layout::place(s, group, slot), after);
            }
            set_pair(to.output_gradient, lane, layout::place(0, group, slot),
                     active && !run.output_gradient.empty() ? layout::load(run.output_gradient.row(offset + i), u)
                                                            : float_pair{0, 0});
        });
    }

    // The derivatives of the cell's equations at a visit. Rows that take no part hand zeros to the product.
    SEQUENT_DEVICE void cells(Warp& warp, arguments const& all, int visit, int offset, row_values const& values) {
        auto const& run = all.runs[warp.block_y()];
        int const buffer = visit % 2 * product::operand_bytes;
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp, lane, group);
            numbers<float, gates> x_gradient[2]{}, h_gradient[2]{};
            if (order_.active(visit, length_(lane, slot))) {
                SEQUENT_UNROLL for (int column = 0; column < 2; ++column)
                    cell_step(lane, group, slot, column, values, x_gradient[column], h_gradient[column]);
                std::ptrdiff_t const row = offset + layout::tile(warp) * Rows + layout::row(lane, slot);
                SEQUENT_UNROLL for (int g = 0; g < gates; ++g) {
                    std::ptrdiff_t const at = row * gates * hidden + g * hidden;
                    layout::store(run.gate_gradient + at, u, {x_gradient[0][g], x_gradient[1][g]});
                    if constexpr (!Cell::shared_gates)
                        layout::store(run.recurrent_gate_gradient + at, u, {h_gradient[0][g], h_gradient[1][g]});
                }
                if (run.hidden_before != nullptr)
                    layout::store(run.hidden_before + row * hidden, u,
                                  get_pair(values.before, lane, layout::place(0, group, slot)));
            }
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g) {
                product::put(warp, lane, buffer, layout::row(lane, slot),
                             g * layout::own + layout::own_unit(warp.index(), lane, group),
                             layout::masked({h_gradient[0][g], h_gradient[1][g]}, u));
            }
        });
    }

    SEQUENT_DEVICE void cell_step(int lane, int group, int slot, int column, row_values const& values,
                                  numbers<float, gates>& x_gradient, numbers<float, gates>& h_gradient) {
        numbers<float, saved_count> saved;
        numbers<float, states> before, after, gradient;
        numbers<float, units> unit, d_unit;
        SEQUENT_UNROLL for (int k = 0; k < saved_count; ++k) saved[k] =
            values.saved(lane, layout::place(k, group, slot) + column);
        SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
            before[s] = values.before(lane, layout::place(s, group, slot) + column);
            after[s] = values.after(lane, layout::place(s, group, slot) + column);
            gradient[s] = gradient_[s][group](lane, slot * 2 + column);
        }
        gradient[0] += values.output_gradient(lane, layout::place(0, group, slot) + column);
        SEQUENT_UNROLL for (int p = 0; p < units; ++p) {
            unit[p] = unit_(lane, (group * units + p) * 2 + column);
            d_unit[p] = unit_gradient_(lane, (group * units + p) * 2 + column);
        }
        Cell::template step_backward<activations<Precision>>(saved, before, after, unit, gradient, x_gradient,
                                                             h_gradient, d_unit);
        SEQUENT_UNROLL for (int s = 0; s < states; ++s) gradient_[s][group](lane, slot * 2 + column) = gradient[s];
        SEQUENT_UNROLL for (int p = 0; p < units; ++p) unit_gradient_(lane, (group * units + p) * 2 + column) =
            d_unit[p];
    }

    product product_[groups];
    tile_schedule order_;
    int offset_[3];  // of the first rows one, two and three visits ahead
    reg<int, slots> length_;
    reg<float, units * groups * 2> unit_, unit_gradient_;  // [group][parameter][column]
    typename product::sums gradient_[states][groups];      // of the loss to each state; h's is also the product's sum
    row_values values_;                                    // of the next visit
};

template <class Warp, class Cell, precision Format, int Rows = 8>
using one_block_backward = tile_backward<Warp, Cell, Format, Rows, 1>;
template <class Warp, class Cell, precision Format, int Blocks>
using cluster_backward = tile_backward<Warp, Cell, Format, 8, Blocks>;

}  // namespace sequent
