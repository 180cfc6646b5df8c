// The kernels of tiles on emulated blocks and clusters against plain loops over Cell::step in double, which round the
// factors of the recurrent product where the kernels do.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "sequent/backend/cuda/tile.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

namespace sequent_tests {

using sequent::precision;

inline constexpr float poison = std::numeric_limits<float>::quiet_NaN();

[[nodiscard]] constexpr std::size_t at(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

// Relative error, as the length of the difference over the length of what is expected.
template <class Actual>
[[nodiscard]] double difference(std::vector<Actual> const& actual, std::vector<double> const& expected) {
    REQUIRE(actual.size() == expected.size());
    double error = 0, size = 0;
    for (std::size_t n = 0; n < actual.size(); ++n) {
        double const d = static_cast<double>(actual[n]) - expected[n];
        error += d * d, size += expected[n] * expected[n];
    }
    return std::sqrt(error / std::max(size, 1e-30));
}

[[nodiscard]] constexpr double tolerance(precision format) {
    switch (format) {
    case precision::f32:
        return 1e-6;
    case precision::f32x3:
        return 3e-5;
    case precision::tf32:
        return 1e-3;
    case precision::f16:
        return 3e-3;
    case precision::bf16:
        return 1e-2;
    }
    return 0;
}
[[nodiscard]] constexpr double gradient_tolerance(precision format) {
    return 3 * tolerance(sequent::backward_format(format));
}

// A layer in both directions over one packed batch: what goes in, as floats, and what should come out, in double.
// States: [kind][batch, H] in the sorted order.
template <class Cell>
struct tile_case {
    using weights = sequent::recurrent_layout<Cell>;
    static constexpr int hidden = Cell::hidden_size, gates = Cell::gate_count, kinds = Cell::state_count,
                         saved = Cell::saved_count, units = Cell::unit_count, gate_row = gates * hidden,
                         kept_row = sequent::tile_run<Cell>::kept_row;

    struct direction_data {
        std::vector<float> parameters, input_gates, initial, output_gradient, final_gradient;
        std::vector<double> output, kept, final;
        std::vector<double> gate_gradient, recurrent_gate_gradient, hidden_before, initial_gradient, unit_gradient;
    };

    precision format;
    sequent::packing shape;
    int distinct;
    std::vector<int> index;  // empty: every row reads its own
    std::array<direction_data, 2> data;

    // Without given states, initial states are zeros and there are no gradients but the output's.
    tile_case(precision with, std::vector<int> const& lengths, bool indexed, bool states_given)
        : format(with), shape(lengths), distinct(indexed ? 5 : shape.rows()) {
        for (int r = 0; indexed && r < shape.rows(); ++r) index.push_back(r * 7 % distinct);
        for (std::size_t d = 0; d < 2; ++d) {
            auto const random = [&](std::ptrdiff_t n, std::uint64_t stream, double range) {
                std::vector<float> values(at(n));
                for (std::size_t k = 0; k < values.size(); ++k)
                    values[k] = static_cast<float>(
                        range * (2 * static_cast<double>(sequent::random_stream{7, 10 * d + stream}.uniform(k)) - 1));
                return values;
            };
            std::ptrdiff_t const state_size = states_given ? std::ptrdiff_t{kinds} * shape.batch() * hidden : 0;
            data[d].parameters = random(weights::size, 1, 1.5 / std::sqrt(hidden));
            data[d].input_gates = random(std::ptrdiff_t{distinct} * gate_row, 2, 1.5);
            data[d].initial = random(state_size, 3, 1);
            data[d].output_gradient = random(std::ptrdiff_t{shape.rows()} * hidden, 4, 1);
            data[d].final_gradient = random(state_size, 5, 1);
            run(data[d], d == 0);
        }
    }

    [[nodiscard]] std::size_t state_at(int s, int i, int u) const {
        return at((std::ptrdiff_t{s} * shape.batch() + i) * hidden + u);
    }
    [[nodiscard]] double factor(precision in, double value) const {
        return in == precision::f32 ? value : static_cast<double>(sequent::rounded(in, static_cast<float>(value)));
    }

    void run(direction_data& d, bool ascending) const {
        auto const rows = shape.rows(), batch = shape.batch();
        d.output.resize(at(rows * hidden)), d.kept.resize(at(rows * kept_row)),
            d.final.resize(at(kinds * batch * hidden));
        d.gate_gradient.resize(at(rows * gate_row)), d.recurrent_gate_gradient = d.gate_gradient;
        d.hidden_before.resize(at(rows * hidden)), d.initial_gradient = d.final;
        d.unit_gradient.resize(at(units * hidden));
        std::vector<double> forward_weight(at(gate_row * hidden)), backward_weight = forward_weight;
        for (std::size_t n = 0; n < forward_weight.size(); ++n) {
            double const w = static_cast<double>(d.parameters[at(weights::weight_hh) + n]);
            forward_weight[n] = factor(format, w), backward_weight[n] = factor(sequent::backward_format(format), w);
        }
        for (int i = 0; i < batch; ++i) sequence(d, i, ascending, forward_weight, backward_weight);
    }

    void sequence(direction_data& d, int i, bool ascending, std::vector<double> const& forward_weight,
                  std::vector<double> const& backward_weight) const {
        using states = std::array<std::array<double, at(hidden)>, at(kinds)>;
        struct step {
            int row;
            states before, after;
            std::array<sequent::numbers<double, saved>, at(hidden)> kept;
        };
        int const length = shape.lengths()[at(i)];
        states now{};
        if (!d.initial.empty())
            for (int s = 0; s < kinds; ++s)
                for (int u = 0; u < hidden; ++u) now[at(s)][at(u)] = static_cast<double>(d.initial[state_at(s, i, u)]);
        auto const unit = [&](int u) {
            sequent::numbers<double, units> values;
            for (int p = 0; p < units; ++p)
                values[p] = static_cast<double>(d.parameters[at(weights::unit + p * weights::unit_stride + u)]);
            return values;
        };
        std::vector<step> steps;
        for (int visit = 0; visit < length; ++visit) {
            step one{shape.row(ascending ? visit : length - 1 - visit, i), now, {}, {}};
            int const source = index.empty() ? one.row : index[at(one.row)];
            for (int u = 0; u < hidden; ++u) {
                sequent::numbers<double, gates> x, h;
                sequent::numbers<double, kinds> before, after;
                for (int g = 0; g < gates; ++g) {
                    x[g] = static_cast<double>(d.input_gates[at(source * gate_row + g * hidden + u)]);
                    h[g] = static_cast<double>(d.parameters[at(weights::bias_hh + g * hidden + u)]);
                    for (int k = 0; k < hidden; ++k)
                        h[g] += forward_weight[at((g * hidden + u) * hidden + k)] * factor(format, now[0][at(k)]);
                }
                for (int s = 0; s < kinds; ++s) before[s] = now[at(s)][at(u)];
                Cell::template step<sequent::precise>(x, h, before, unit(u), after, one.kept[at(u)]);
                for (int s = 0; s < kinds; ++s) one.after[at(s)][at(u)] = after[s];
                d.output[at(one.row * hidden + u)] = after[0], d.hidden_before[at(one.row * hidden + u)] = before[0];
                for (int k = 0; k < saved; ++k) d.kept[at(one.row * kept_row + k * hidden + u)] = one.kept[at(u)][k];
                for (int s = 1; s < kinds; ++s)
                    d.kept[at(one.row * kept_row + (saved + s - 1) * hidden + u)] = after[s];
            }
            now = one.after;
            steps.push_back(one);
        }
        states gradient{};
        for (int s = 0; s < kinds; ++s)
            for (int u = 0; u < hidden; ++u) {
                d.final[state_at(s, i, u)] = now[at(s)][at(u)];
                if (!d.final_gradient.empty())
                    gradient[at(s)][at(u)] = static_cast<double>(d.final_gradient[state_at(s, i, u)]);
            }
        for (int visit = length; visit-- > 0;) {
            step const& one = steps[at(visit)];
            std::vector<double> product(at(hidden));
            for (int u = 0; u < hidden; ++u) {
                sequent::numbers<double, kinds> before, after, d_state;
                sequent::numbers<double, gates> d_x, d_h;
                sequent::numbers<double, units> d_unit{};
                for (int s = 0; s < kinds; ++s)
                    before[s] = one.before[at(s)][at(u)], after[s] = one.after[at(s)][at(u)],
                    d_state[s] = gradient[at(s)][at(u)];
                d_state[0] += static_cast<double>(d.output_gradient[at(one.row * hidden + u)]);
                Cell::template step_backward<sequent::precise>(one.kept[at(u)], before, after, unit(u), d_state, d_x,
                                                               d_h, d_unit);
                for (int s = 0; s < kinds; ++s) gradient[at(s)][at(u)] = d_state[s];
                for (int p = 0; p < units; ++p) d.unit_gradient[at(p * hidden + u)] += d_unit[p];
                for (int g = 0; g < gates; ++g) {
                    d.gate_gradient[at(one.row * gate_row + g * hidden + u)] = d_x[g];
                    d.recurrent_gate_gradient[at(one.row * gate_row + g * hidden + u)] = d_h[g];
                    for (int k = 0; k < hidden; ++k)
                        product[at(k)] += factor(sequent::backward_format(format), d_h[g]) *
                                          backward_weight[at((g * hidden + u) * hidden + k)];
                }
            }
            for (int k = 0; k < hidden; ++k) gradient[0][at(k)] += product[at(k)];
        }
        for (int s = 0; s < kinds; ++s)
            for (int u = 0; u < hidden; ++u) d.initial_gradient[state_at(s, i, u)] = gradient[at(s)][at(u)];
    }
};

// The buffers of both kernels, poisoned, and the arguments that point to them. Outputs of the two directions stand side
// by side, as a bidirectional layer's do.
template <class Cell>
struct tile_buffers {
    using expected = tile_case<Cell>;
    struct direction_buffers {
        std::vector<float> kept, final, gate_gradient, recurrent_gate_gradient, hidden_before, initial_gradient,
            unit_gradient;
    };
    std::vector<float> output;
    std::array<direction_buffers, 2> of;
    sequent::tile_arguments<Cell> arguments;

    tile_buffers(expected const& from, int tile_rows) {
        int const rows = from.shape.rows(), batch = from.shape.batch(), hidden = Cell::hidden_size;
        int const tiles = (batch + tile_rows - 1) / tile_rows;
        auto const room = [](std::ptrdiff_t n) { return std::vector<float>(at(n), poison); };
        output = room(std::ptrdiff_t{rows} * 2 * hidden);
        arguments.shape = {batch, from.shape.lengths().data(), from.shape.offsets().data(),
                           from.index.empty() ? nullptr : from.index.data()};
        for (std::size_t d = 0; d < 2; ++d) {
            auto& b = of[d];
            auto const& given = from.data[d];
            b.kept = room(std::ptrdiff_t{rows} * expected::kept_row);
            b.final = b.initial_gradient = room(std::ptrdiff_t{Cell::state_count} * batch * hidden);
            b.gate_gradient = b.recurrent_gate_gradient = room(std::ptrdiff_t{rows} * expected::gate_row);
            b.hidden_before = room(std::ptrdiff_t{rows} * hidden);
            b.unit_gradient = room(std::ptrdiff_t{tiles} * Cell::unit_count * hidden);
            auto& run = arguments.runs[static_cast<int>(d)];
            run.way = d == 0 ? sequent::direction::forward : sequent::direction::reverse;
            run.parameters = given.parameters.data();
            run.input_gates = {given.input_gates.data(), from.distinct, expected::gate_row};
            run.output = sequent::matrix_view<float>(output.data(), rows, 2 * hidden)
                             .column_block(static_cast<int>(d) * hidden, hidden);
            run.output_gradient = {given.output_gradient.data(), rows, hidden};
            run.kept = b.kept.data(), run.gate_gradient = b.gate_gradient.data();
            run.recurrent_gate_gradient = b.recurrent_gate_gradient.data();
            run.hidden_before = b.hidden_before.data(), run.unit_gradient = b.unit_gradient.data();
            for (int s = 0; s < Cell::state_count; ++s) {
                auto const state = [&](auto& values) {
                    return sequent::matrix_view(values.data() + std::ptrdiff_t{s} * batch * hidden, batch, hidden);
                };
                run.final[s] = state(b.final), run.initial_gradient[s] = state(b.initial_gradient);
                if (given.initial.empty()) continue;
                run.initial[s] = state(given.initial), run.final_gradient[s] = state(given.final_gradient);
            }
        }
    }
    // The output of one direction.
    [[nodiscard]] std::vector<float> output_of(std::size_t d) const {
        std::vector<float> values;
        auto const& view = arguments.runs[static_cast<int>(d)].output;
        for (int r = 0; r < view.rows; ++r) values.insert(values.end(), view.row(r), view.row(r) + view.columns);
        return values;
    }
};

// Lengths of 1, 9 and 16 sequences; zeros, a tile that is empty, a tile that is shorter than the one before.
inline std::vector<std::vector<int>> const batches_of_lengths = {
    {4}, {2, 5, 0, 1, 5, 3, 0, 2, 1}, {3, 1, 2, 6, 0, 2, 1, 4, 4, 1, 5, 3, 2, 6, 1, 0}, {0, 0, 3, 0, 2, 0, 0, 0, 0}};

template <int Input, int Hidden>
using elman_tanh = sequent::elman<Input, Hidden, sequent::nonlinearity::tanh>;
template <int Input, int Hidden>
using elman_relu = sequent::elman<Input, Hidden, sequent::nonlinearity::relu>;

// f<cell, format, rows of a tile, blocks>(lengths, n), the n-th time, in one block: all sizes in the default format,
// and those where another format differs from it.
template <template <int, int> class Cell, precision Format, class F>
void one_block_cases(F const& f) {
    auto const with = [&]<int Hidden, int Rows> {
        for (std::size_t n = 0; n < batches_of_lengths.size(); ++n)
            f.template operator()<Cell<1, Hidden>, Format, Rows, 1>(batches_of_lengths[n], n);
    };
    if constexpr (Format == precision::f32x3) {
        with.template operator()<1, 8>();
        with.template operator()<5, 8>();
        with.template operator()<16, 8>();
        with.template operator()<64, 8>();
    } else if constexpr (Format == precision::f32) {
        with.template operator()<5, 8>();
        with.template operator()<32, 16>();
    } else if constexpr (Format == precision::tf32) {
        with.template operator()<12, 8>();
    } else if constexpr (Format == precision::bf16) {
        with.template operator()<40, 16>();
    } else {
        with.template operator()<32, 8>();
    }
}

// The same in clusters: sizes that their blocks share evenly, and that leave units over.
template <template <int, int> class Cell, precision Format, class F>
void cluster_cases(F const& f) {
    std::size_t n = 0;
    auto const with = [&]<int Hidden, int Blocks>(std::vector<int> const& lengths) {
        f.template operator()<Cell<1, Hidden>, Format, 8, Blocks>(lengths, n++);
    };
    if constexpr (Format == precision::f32x3) {
        for (auto const& lengths : batches_of_lengths) with.template operator()<40, 2>(lengths);
        with.template operator()<96, 2>({2, 0, 1});
        with.template operator()<128, 4>({3});
        with.template operator()<192, 8>({1, 2});
        with.template operator()<256, 8>({0, 2});
    } else if constexpr (Format == precision::f32) {
        with.template operator()<33, 2>(batches_of_lengths[1]);
        with.template operator()<96, 2>({2, 0, 1});
    } else if constexpr (Format == precision::tf32) {
        with.template operator()<64, 4>(batches_of_lengths[1]);
    } else if constexpr (Format == precision::bf16) {
        with.template operator()<128, 2>(batches_of_lengths[1]);
        with.template operator()<192, 4>({2, 3});
        with.template operator()<256, 4>({1, 3});
    } else {
        with.template operator()<100, 2>({3, 0, 4});
    }
}

// The largest, whose weights leave the least room.
template <class F>
void largest_cluster_cases(F const& f) {
    using namespace sequent;
    f.template operator()<lstm<1, 384>, precision::f32x3, 8, 8>(std::vector{2}, 0);
    f.template operator()<lstm<1, 512>, precision::f32x3, 8, 16>(std::vector{0, 2}, 0);
    f.template operator()<gru<1, 512>, precision::f32x3, 8, 16>(std::vector{2, 1}, 0);
    f.template operator()<gru<1, 401>, precision::tf32, 8, 16>(std::vector{1, 2}, 1);
}

// Either in every format.
template <template <int, int> class Cell, class F>
void one_block_formats(F const& f) {
    one_block_cases<Cell, precision::f32>(f);
    one_block_cases<Cell, precision::f32x3>(f);
    one_block_cases<Cell, precision::tf32>(f);
    one_block_cases<Cell, precision::bf16>(f);
    one_block_cases<Cell, precision::f16>(f);
}
template <template <int, int> class Cell, class F>
void cluster_formats(F const& f) {
    cluster_cases<Cell, precision::f32>(f);
    cluster_cases<Cell, precision::f32x3>(f);
    cluster_cases<Cell, precision::tf32>(f);
    cluster_cases<Cell, precision::bf16>(f);
    cluster_cases<Cell, precision::f16>(f);
}

// A body for all tiles and both directions, in one block or in clusters, every time in another order.
template <class Body>
void launch(int tiles, typename Body::arguments const& arguments) {
    static std::uint64_t seed = 0;
    ++seed;
    if constexpr (Body::blocks == 1)
        sequent::emulate<Body>(tiles, 2, arguments, seed);
    else
        sequent::emulate_clusters<Body>(tiles, 2, arguments, seed);
}

}  // namespace sequent_tests
