// A recurrent layer in one direction as plainly as it can be written: one sequence at a time, loops over numbers, in
// double, with the `precise` activations.
#pragma once

#include <array>
#include <vector>

#include "sequent/backend/backend.hpp"

namespace sequent_tests {

// One sequence, forward and back. states: [state][unit]. Parameters and their gradient: recurrent_layout<Cell>.
template <class Cell>
struct plain_recurrent {
    using weights = sequent::recurrent_layout<Cell>;
    static constexpr int inputs = Cell::input_size, hidden = Cell::hidden_size, gates = Cell::gate_count,
                         kinds = Cell::state_count, units = Cell::unit_count;
    using states = std::array<std::array<double, static_cast<std::size_t>(hidden)>, static_cast<std::size_t>(kinds)>;

    std::vector<double> const& parameters;
    sequent::direction way;

    // What a step remembers for the way back.
    struct step {
        states before, after;
        std::array<sequent::numbers<double, Cell::saved_count>, static_cast<std::size_t>(hidden)> saved;
    };
    std::vector<step> steps{};  // in the order of visits

    static std::size_t at(std::ptrdiff_t n) { return static_cast<std::size_t>(n); }

    // x: [length, inputs]. Returns the outputs, [length, hidden], and leaves the final states in `state`.
    std::vector<double> forward(std::vector<double> const& x, states& state) {
        int const length = static_cast<int>(x.size()) / inputs;
        std::vector<double> output(at(length * hidden));
        steps.clear();
        for (int visit = 0; visit < length; ++visit) {
            int const t = way == sequent::direction::forward ? visit : length - 1 - visit;
            step now{state, {}, {}};
            for (int u = 0; u < hidden; ++u) {
                sequent::numbers<double, gates> x_gates, h_gates;
                for (int g = 0; g < gates; ++g) {
                    int const row = g * hidden + u;
                    x_gates[g] = parameters[at(weights::bias_ih + row)];
                    for (int k = 0; k < inputs; ++k)
                        x_gates[g] += parameters[at(weights::weight_ih + row * inputs + k)] * x[at(t * inputs + k)];
                    h_gates[g] = parameters[at(weights::bias_hh + row)];
                    for (int k = 0; k < hidden; ++k)
                        h_gates[g] += parameters[at(weights::weight_hh + row * hidden + k)] * state[0][at(k)];
                }
                sequent::numbers<double, kinds> before, after;
                for (int s = 0; s < kinds; ++s) before[s] = state[at(s)][at(u)];
                Cell::template step<sequent::precise>(x_gates, h_gates, before, unit(u), after, now.saved[at(u)]);
                for (int s = 0; s < kinds; ++s) now.after[at(s)][at(u)] = after[s];
                output[at(t * hidden + u)] = after[0];
            }
            state = now.after;
            steps.push_back(now);
        }
        return output;
    }

    // After forward(x): adds to parameter_gradient, turns `gradient` from that of the final states into that of the
    // initial ones, and returns that of x.
    std::vector<double> backward(std::vector<double> const& x, std::vector<double> const& output_gradient,
                                 states& gradient, std::vector<double>& parameter_gradient) const {
        int const length = static_cast<int>(steps.size());
        std::vector<double> x_gradient(x.size());
        for (int visit = length - 1; visit >= 0; --visit) {
            int const t = way == sequent::direction::forward ? visit : length - 1 - visit;
            step const& now = steps[at(visit)];
            std::array<double, static_cast<std::size_t>(hidden)> through_product{};
            for (int u = 0; u < hidden; ++u) {
                sequent::numbers<double, kinds> before, after, d_state;
                for (int s = 0; s < kinds; ++s) {
                    before[s] = now.before[at(s)][at(u)], after[s] = now.after[at(s)][at(u)];
                    d_state[s] = gradient[at(s)][at(u)] + (s == 0 ? output_gradient[at(t * hidden + u)] : 0);
                }
                sequent::numbers<double, gates> d_x, d_h;
                sequent::numbers<double, units> d_unit{};
                Cell::template step_backward<sequent::precise>(now.saved[at(u)], before, after, unit(u), d_state, d_x,
                                                               d_h, d_unit);
                for (int s = 0; s < kinds; ++s) gradient[at(s)][at(u)] = d_state[s];
                for (int p = 0; p < units; ++p)
                    parameter_gradient[at(weights::unit + p * weights::unit_stride + u)] += d_unit[p];
                for (int g = 0; g < gates; ++g) {
                    int const row = g * hidden + u;
                    parameter_gradient[at(weights::bias_ih + row)] += d_x[g];
                    parameter_gradient[at(weights::bias_hh + row)] += d_h[g];
                    for (int k = 0; k < inputs; ++k) {
                        parameter_gradient[at(weights::weight_ih + row * inputs + k)] += d_x[g] * x[at(t * inputs + k)];
                        x_gradient[at(t * inputs + k)] +=
                            d_x[g] * parameters[at(weights::weight_ih + row * inputs + k)];
                    }
                    for (int k = 0; k < hidden; ++k) {
                        parameter_gradient[at(weights::weight_hh + row * hidden + k)] += d_h[g] * now.before[0][at(k)];
                        through_product[at(k)] += d_h[g] * parameters[at(weights::weight_hh + row * hidden + k)];
                    }
                }
            }
            for (int k = 0; k < hidden; ++k) gradient[0][at(k)] += through_product[at(k)];
        }
        return x_gradient;
    }

    [[nodiscard]] sequent::numbers<double, units> unit(int u) const {
        sequent::numbers<double, units> values;
        for (int p = 0; p < units; ++p) values[p] = parameters[at(weights::unit + p * weights::unit_stride + u)];
        return values;
    }
};

}  // namespace sequent_tests
