#include "sequent/cell/lstm.hpp"

#include "backend/cuda/on_device.hpp"
#include "check_step.hpp"
#include "golden_cell.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

static_assert(cell<lstm<3, 5>>);
static_assert(std::is_same_v<lstm<3, 5>::with_input<7>, lstm<7, 5>>);

TEST_CASE("lstm: the equations, one unit") {
    auto const sigmoid = [](double a) { return 1 / (1 + std::exp(-a)); };
    numbers<double, 4> const x{{0.3, -0.7, 1.1, 0.2}}, h{{-0.5, 0.4, 0.6, -1.2}};
    numbers<double, 2> const before{{99, 0.8}};  // h acts through the gates alone
    numbers<double, 2> after;
    numbers<double, 5> saved;
    lstm<1, 1>::step<precise>(x, h, before, {}, after, saved);
    double const c = sigmoid(-0.7 + 0.4) * 0.8 + sigmoid(0.3 - 0.5) * std::tanh(1.1 + 0.6);
    CHECK(after[1] == Approx(c).epsilon(1e-15));
    CHECK(after[0] == Approx(sigmoid(0.2 - 1.2) * std::tanh(c)).epsilon(1e-15));
}

TEST_CASE("lstm: derivatives of a step") { check_step_backward<lstm<1, 1>>(); }

TEST_CASE("lstm: every network, batch and state as PyTorch's, in double") { check_golden_cell<lstm, double>("lstm"); }

TEST_CASE("lstm: every network, batch and state as PyTorch's, in float") { check_golden_cell<lstm, float>("lstm"); }

TEST_CASE("lstm: errors in float at most four times PyTorch's own") { check_golden_float<lstm>("lstm"); }

TEST_CASE("lstm: as PyTorch's on the emulated machine, step by step and in one block") {
    using cell = lstm<8, 16>;
    check_golden_networks<cell, float, emulated_with<precision::f32, strategy::general>>("lstm", 4e-6);
    check_golden_networks<cell, float, emulated_with<precision::f32x3, strategy::one_block>>("lstm", 1e-4);
}
