// A cell's step_backward against central differences of its step, in double.
#pragma once

#include <cmath>

#include "catch.hpp"
#include "sequent/cell/cell.hpp"
#include "sequent/core/random.hpp"

namespace sequent_tests {

// Fills numbers with values in [-range, range), each call with others.
struct random_numbers {
    sequent::random_stream stream;
    std::uint64_t next = 0;

    template <class Number, int Count>
    void fill(sequent::numbers<Number, Count>& values, double range) {
        for (int j = 0; j < Count; ++j)
            values[j] = Number(range * (2 * static_cast<double>(stream.uniform(next++)) - 1));
    }
};

// At many points: every derivative of sum(cotangent * states after the step). Gates lie within [-2, 2), and at least
// 1e-3 away from a kink of relu.
template <sequent::cell Cell>
void check_step_backward() {
    using sequent::numbers, sequent::precise;
    using gates = numbers<double, Cell::gate_count>;
    using states = numbers<double, Cell::state_count>;
    using units = numbers<double, Cell::unit_count>;
    random_numbers random{{1, 2}};
    constexpr double step = 1e-5;
    double worst = 0;
    int compared = 0;
    for (int point = 0; point < 100; ++point) {
        gates x, h;
        states before, after, cotangent;
        units unit;
        numbers<double, Cell::saved_count> saved;
        random.fill(x, 1), random.fill(h, 1), random.fill(before, 1), random.fill(cotangent, 1), random.fill(unit, 1);
        for (int g = 0; g < Cell::gate_count; ++g)
            if (std::abs(x[g] + h[g]) < 1e-3) x[g] += 0.1;
        Cell::template step<precise>(x, h, before, unit, after, saved);
        states gradient = cotangent;
        gates x_gradient, h_gradient;
        units unit_gradient{};
        for (int u = 0; u < Cell::unit_count; ++u) unit_gradient[u] = 0.5;  // it is added to
        Cell::template step_backward<precise>(saved, before, after, unit, gradient, x_gradient, h_gradient,
                                              unit_gradient);

        auto const loss = [&] {
            states reached;
            numbers<double, Cell::saved_count> ignored;
            Cell::template step<precise>(x, h, before, unit, reached, ignored);
            double sum = 0;
            for (int s = 0; s < Cell::state_count; ++s) sum += cotangent[s] * reached[s];
            return sum;
        };
        auto const compare = [&](double& variable, double analytic) {
            double const value = variable;
            variable = value + step;
            double const above = loss();
            variable = value - step;
            double const below = loss();
            variable = value;
            worst = std::max(worst, std::abs((above - below) / (2 * step) - analytic));
            ++compared;
        };
        for (int g = 0; g < Cell::gate_count; ++g) {
            compare(x[g], x_gradient[g]);
            compare(h[g], h_gradient[g]);
            if (Cell::shared_gates) CHECK(x_gradient[g] == h_gradient[g]);
        }
        // The part of h's gradient that flows through the recurrent product is the layer's.
        for (int s = 0; s < Cell::state_count; ++s) compare(before[s], gradient[s]);
        for (int u = 0; u < Cell::unit_count; ++u) compare(unit[u], unit_gradient[u] - 0.5);
    }
    CHECK(compared == 100 * (2 * Cell::gate_count + Cell::state_count + Cell::unit_count));
    CHECK(worst < 1e-9);
}

}  // namespace sequent_tests
