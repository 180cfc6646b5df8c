#include "sequent/backend/cpu/recurrent_backward.hpp"

#include "cell/coupled_lstm.hpp"
#include "kernel_check.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class Cell, class T, class Isa = default_isa>
void check_backward() {
    check_kernel<Cell, T, kernel_passes::forward_and_backward, Isa>(kernel_rows::indexed);
    check_kernel<Cell, T, kernel_passes::forward_and_backward, Isa>(kernel_rows::one_by_one);
}

template <template <int, int> class Cell>
void check_sizes() {
    check_backward<Cell<4, 1>, double>();
    check_backward<Cell<4, 3>, double>();
    check_backward<Cell<4, 7>, double>();
    check_backward<Cell<4, 16>, double>();
    check_backward<Cell<4, 17>, double>();
    check_backward<Cell<4, 33>, double>();
    check_backward<Cell<4, 1>, float>();
    check_backward<Cell<4, 17>, float>();
    check_backward<Cell<4, 33>, float>();
}

template <int Input, int Hidden>
using rnn_tanh = elman<Input, Hidden>;
template <int Input, int Hidden>
using rnn_relu = elman<Input, Hidden, nonlinearity::relu>;

}  // namespace

TEST_CASE("recurrent_backward: every size as plain loops, lstm") { check_sizes<lstm>(); }
TEST_CASE("recurrent_backward: every size as plain loops, gru") { check_sizes<gru>(); }
TEST_CASE("recurrent_backward: every size as plain loops, elman") {
    check_sizes<rnn_tanh>();
    check_backward<rnn_relu<4, 17>, double>();
    check_backward<rnn_relu<4, 17>, float>();
}
TEST_CASE("recurrent_backward: weights in more than one piece") {
    check_backward<lstm<70, 68>, double>();
    check_backward<lstm<70, 68>, float>();
    check_backward<gru<70, 136>, double>();
}
TEST_CASE("recurrent_backward: numbers of the units, such as peepholes") {
    check_backward<coupled_lstm<4, 17>, double>();
    check_backward<coupled_lstm<4, 17>, float>();
}

#if defined(__x86_64__)
TEST_CASE("recurrent_backward: on another instruction set than the default") {
    check_backward<lstm<4, 7>, double, xsimd::sse2>();
    check_backward<gru<4, 17>, float, xsimd::sse2>();
}
#endif
