// The backward pass of a recurrent layer, a tile of the batch from its last visit to its first in one block. The
// transposed weights stay in registers; the gates' gradients of a step pass through shared memory to the product that
// makes the gradient of h before it, which each lane receives for the units and rows that it owns. One barrier a step.
#pragma once

#include "one_block.hpp"

namespace sequent {

template <class Warp, class Cell, precision Precision, int Rows = 8>
class one_block_backward {
    static constexpr precision format = backward_format(Precision);
    using layout = one_block_layout<Cell, Precision, Rows>;
    using block = recurrent_layout<Cell>;
    static constexpr int hidden = layout::hidden, gates = layout::gates, states = layout::states;
    static constexpr int groups = layout::groups, slots = layout::slots, elements = layout::elements;
    static constexpr int units = Cell::unit_count, saved_count = Cell::saved_count;
    using product = stationary_product<Warp, format, 1, gates * layout::padded, Rows, 4>;
    template <class T, int N>
    using reg = typename Warp::template reg<T, N>;

    // What a step reads of a lane's rows, places as layout::place has them.
    struct row_values {
        reg<float, saved_count * elements> saved;
        reg<float, states * elements> before, after;
        reg<float, elements> output_gradient;
    };

  public:
    static constexpr int rows = Rows, warps = layout::warps, threads = layout::threads;
    static constexpr int weight_registers = product::weight_registers;
    static constexpr int shared_bytes = 2 * product::operand_bytes + warps * groups * product::weight_bytes;
    using arguments = one_block_arguments<Cell>;

    [[nodiscard]] SEQUENT_DEVICE int steps() const { return order_.steps; }

    SEQUENT_DEVICE void start(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        int const first = warp.block_x() * Rows, batch = all.shape.batch;
        order_ = {all.shape.offsets, all.shape.lengths[first], run.way != direction::forward};
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp.index(), lane, group), i = first + layout::row(lane, slot);
            SEQUENT_UNROLL for (int p = 0; p < units; ++p) {
                set_pair(unit_, lane, (group * units + p) * 2,
                         load_pair<hidden>(run.parameters + block::unit + p * block::unit_stride, u));
                set_pair(unit_gradient_, lane, (group * units + p) * 2, {0, 0});
            }
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) {
                bool const given = i < batch && !run.final_gradient[s].empty();
                set_pair(gradient_[s][group], lane, slot * 2,
                         given ? load_pair<hidden>(run.final_gradient[s].row(i), u) : float_pair{0, 0});
            }
            length_(lane, slot) = i < batch ? all.shape.lengths[i] : 0;
        });
        row_values values;
        load_rows(warp, all, 0, order_.offset(0), order_.offset(1), values);
        cells(warp, all, 0, order_.offset(0), values);
        float const* const weight = run.parameters + block::weight_hh;
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].load(
            warp, own(warp, group), [&](int, int n, int k) {
                int const column = (warp.index() * groups + group) * 8 + n, g = k / layout::padded,
                          u = k % layout::padded;
                return column < hidden && u < hidden ? weight[(g * hidden + u) * hidden + column] : 0.0f;
            });
        load_rows(warp, all, 1, order_.offset(1), order_.offset(2), values_);
        SEQUENT_UNROLL for (int n = 0; n < 3; ++n) offset_[n] = order_.offset(n + 1);
    }

    // The gradient of h before a visit, from one buffer of gates' gradients; then the next visit's into the other. What
    // the visit after that reads is asked for ahead of time.
    SEQUENT_DEVICE void step(Warp& warp, arguments const& all, int visit) {
        row_values next;
        if (layout::early) load_rows(warp, all, visit + 2, offset_[1], offset_[2], next);
        SEQUENT_UNROLL for (int group = 0; group < groups; ++group) product_[group].multiply(
            warp, visit % 2 * product::operand_bytes, own(warp, group), gradient_[0][group]);
        cells(warp, all, visit + 1, offset_[0], values_);
        if (!layout::early) load_rows(warp, all, visit + 2, offset_[1], offset_[2], next);
        values_ = next;
        offset_[0] = offset_[1], offset_[1] = offset_[2], offset_[2] = order_.offset(visit + 4);
    }

    SEQUENT_DEVICE void finish(Warp& warp, arguments const& all) {
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = warp.block_x() * Rows + layout::row(lane, slot);
            SEQUENT_UNROLL for (int s = 0; s < states; ++s) if (i < all.shape.batch && !run.initial_gradient[s].empty())
                store_pair<hidden>(run.initial_gradient[s].row(i), layout::unit(warp.index(), lane, group),
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
            float* const to = run.unit_gradient + std::ptrdiff_t{warp.block_x()} * units * hidden;
            warp.lanes([&](int lane) {
                SEQUENT_UNROLL for (int group = 0; group < groups; ++group)
                    SEQUENT_UNROLL for (int p = 0; p < units; ++p) if (lane < 4)
                        store_pair<hidden>(to + p * hidden, layout::unit(warp.index(), lane, group),
                                           get_pair(unit_gradient_, lane, (group * units + p) * 2));
            });
        }
    }

  private:
    // The byte of shared memory where a group's weights begin, behind both buffers of gates' gradients.
    static SEQUENT_DEVICE int own(Warp const& warp, int group) {
        return 2 * product::operand_bytes + (warp.index() * groups + group) * product::weight_bytes;
    }

    // What the cell's backward step reads at a visit; the visit's step begins at row `offset`, the step before it,
    // which is visited next, at `offset_before`.
    SEQUENT_DEVICE void load_rows(Warp& warp, arguments const& all, int visit, int offset, int offset_before,
                                  row_values& to) const {
        auto const& run = all.runs[warp.block_y()];
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const i = warp.block_x() * Rows + layout::row(lane, slot), u = layout::unit(warp.index(), lane, group);
            bool const active = order_.active(visit, length_(lane, slot)),
                       continues = order_.active(visit + 1, length_(lane, slot));
            auto const kept = [&](int row, int k) {
                return load_pair<hidden>(run.kept + std::ptrdiff_t{row} * one_block_run<Cell>::kept_row + k * hidden,
                                         u);
            };
            auto const state = [&](int row, int s) {
                return s == 0 ? load_pair<hidden>(run.output.row(row), u) : kept(row, saved_count + s - 1);
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
                        before = load_pair<hidden>(run.initial[s].row(i), u);
                }
                set_pair(to.before, lane, layout::place(s, group, slot), before);
                set_pair(to.after, lane, layout::place(s, group, slot), after);
            }
            set_pair(to.output_gradient, lane, layout::place(0, group, slot),
                     active && !run.output_gradient.empty() ? load_pair<hidden>(run.output_gradient.row(offset + i), u)
                                                            : float_pair{0, 0});
        });
    }

    // The derivatives of the cell's equations at a visit. Rows that take no part hand zeros to the product.
    SEQUENT_DEVICE void cells(Warp& warp, arguments const& all, int visit, int offset, row_values const& values) {
        auto const& run = all.runs[warp.block_y()];
        int const buffer = visit % 2 * product::operand_bytes;
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            int const u = layout::unit(warp.index(), lane, group);
            numbers<float, gates> x_gradient[2]{}, h_gradient[2]{};
            if (order_.active(visit, length_(lane, slot))) {
                SEQUENT_UNROLL for (int column = 0; column < 2; ++column)
                    cell_step(lane, group, slot, column, values, x_gradient[column], h_gradient[column]);
                std::ptrdiff_t const row = offset + warp.block_x() * Rows + layout::row(lane, slot);
                SEQUENT_UNROLL for (int g = 0; g < gates; ++g) {
                    std::ptrdiff_t const at = row * gates * hidden + g * hidden;
                    store_pair<hidden>(run.gate_gradient + at, u, {x_gradient[0][g], x_gradient[1][g]});
                    if constexpr (!Cell::shared_gates)
                        store_pair<hidden>(run.recurrent_gate_gradient + at, u, {h_gradient[0][g], h_gradient[1][g]});
                }
                if (run.hidden_before != nullptr)
                    store_pair<hidden>(run.hidden_before + row * hidden, u,
                                       get_pair(values.before, lane, layout::place(0, group, slot)));
            }
            SEQUENT_UNROLL for (int g = 0; g < gates; ++g) {
                float_pair pair{h_gradient[0][g], h_gradient[1][g]};
                if (hidden % 16 != 0) pair = {u < hidden ? pair.first : 0, u + 1 < hidden ? pair.second : 0};
                product::put(warp, lane, buffer, layout::row(lane, slot), g * layout::padded + u, pair);
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

}  // namespace sequent
