#include "sequent/cell/elman.hpp"

#include "backend/cuda/on_device.hpp"
#include "check_step.hpp"
#include "golden_cell.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

static_assert(cell<rnn_tanh<3, 5>> && cell<rnn_relu<3, 5>>);
static_assert(std::is_same_v<rnn_relu<3, 5>::with_input<7>, rnn_relu<7, 5>>);

TEST_CASE("elman: the equations, one unit") {
    numbers<double, 1> after, saved;
    elman<1, 1>::step<precise>(numbers<double, 1>{{0.3}}, numbers<double, 1>{{-0.5}}, {}, {}, after, saved);
    CHECK(after[0] == Approx(std::tanh(0.3 - 0.5)).epsilon(1e-15));
    rnn_relu<1, 1>::step<precise>(numbers<double, 1>{{0.3}}, numbers<double, 1>{{-0.5}}, {}, {}, after, saved);
    CHECK(after[0] == 0);
    rnn_relu<1, 1>::step<precise>(numbers<double, 1>{{0.75}}, numbers<double, 1>{{-0.5}}, {}, {}, after, saved);
    CHECK(after[0] == 0.25);
}

TEST_CASE("elman: derivatives of a step") {
    check_step_backward<rnn_tanh<1, 1>>();
    check_step_backward<rnn_relu<1, 1>>();
}

TEST_CASE("elman: relu has no gradient at zero, as PyTorch's") {
    numbers<double, 1> after, saved, gradient{{1}}, x_gradient, h_gradient;
    numbers<double, 0> none;
    rnn_relu<1, 1>::step<precise>(numbers<double, 1>{{0.5}}, numbers<double, 1>{{-0.5}}, {}, {}, after, saved);
    rnn_relu<1, 1>::step_backward<precise>(saved, {}, after, {}, gradient, x_gradient, h_gradient, none);
    CHECK(x_gradient[0] == 0);
}

TEST_CASE("elman: every network, batch and state as PyTorch's, tanh in double") {
    check_golden_cell<rnn_tanh, double>("rnn_tanh");
}
TEST_CASE("elman: every network, batch and state as PyTorch's, tanh in float") {
    check_golden_cell<rnn_tanh, float>("rnn_tanh");
}
TEST_CASE("elman: every network, batch and state as PyTorch's, relu in double") {
    check_golden_cell<rnn_relu, double>("rnn_relu");
}
TEST_CASE("elman: every network, batch and state as PyTorch's, relu in float") {
    check_golden_cell<rnn_relu, float>("rnn_relu");
}

TEST_CASE("elman: errors in float at most four times PyTorch's own") { check_golden_float<rnn_tanh>("rnn_tanh"); }

TEST_CASE("elman: as PyTorch's on the emulated machine, step by step and in one block") {
    using cell = rnn_tanh<8, 16>;
    check_golden_networks<cell, float, emulated_with<precision::f32, strategy::general>>("rnn_tanh", 4e-6);
    check_golden_networks<cell, float, emulated_with<precision::f32x3, strategy::one_block>>("rnn_tanh", 1e-4);
}
