#include "sequent/cell/gru.hpp"

#include "backend/cuda/on_device.hpp"
#include "check_step.hpp"
#include "golden_cell.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

static_assert(cell<gru<3, 5>>);
static_assert(std::is_same_v<gru<3, 5>::with_input<7>, gru<7, 5>>);

TEST_CASE("gru: the equations, one unit") {
    auto const sigmoid = [](double a) { return 1 / (1 + std::exp(-a)); };
    numbers<double, 3> const x{{0.3, -0.7, 1.1}}, h{{-0.5, 0.4, 0.6}};
    numbers<double, 1> const before{{0.8}};
    numbers<double, 1> after;
    numbers<double, 4> saved;
    gru<1, 1>::step<precise>(x, h, before, {}, after, saved);
    double const r = sigmoid(0.3 - 0.5), z = sigmoid(-0.7 + 0.4);
    double const n = std::tanh(1.1 + r * 0.6);  // the reset gate acts on the recurrent part alone
    CHECK(after[0] == Approx((1 - z) * n + z * 0.8).epsilon(1e-15));
}

TEST_CASE("gru: derivatives of a step") { check_step_backward<gru<1, 1>>(); }

TEST_CASE("gru: every network, batch and state as PyTorch's, in double") { check_golden_cell<gru, double>("gru"); }

TEST_CASE("gru: every network, batch and state as PyTorch's, in float") { check_golden_cell<gru, float>("gru"); }

TEST_CASE("gru: errors in float at most four times PyTorch's own") { check_golden_float<gru>("gru"); }

TEST_CASE("gru: as PyTorch's on the emulated machine, step by step and in one block") {
    using cell = gru<8, 16>;
    check_golden_networks<cell, float, emulated_with<precision::f32, strategy::general>>("gru", 4e-6);
    check_golden_networks<cell, float, emulated_with<precision::f32x3, strategy::one_block>>("gru", 1e-4);
}
