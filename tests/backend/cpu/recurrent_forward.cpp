#include "sequent/backend/cpu/recurrent_forward.hpp"

#include "kernel_check.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// In float, sizes that the test of recurrent_backward has in double alone. Nothing is kept for a backward pass.
template <template <int, int> class Cell>
void check_sizes() {
    auto const size = [&]<int Hidden>() {
        check_kernel<Cell<4, Hidden>, float, kernel_passes::forward>(kernel_rows::one_by_one);
        check_kernel<Cell<4, Hidden>, float, kernel_passes::forward>(kernel_rows::indexed);
    };
    size.template operator()<3>();
    size.template operator()<7>();
    size.template operator()<16>();
}

template <int Input, int Hidden>
using rnn_tanh = elman<Input, Hidden>;
template <int Input, int Hidden>
using rnn_relu = elman<Input, Hidden, nonlinearity::relu>;

}  // namespace

TEST_CASE("recurrent_forward: sizes as plain loops, lstm") { check_sizes<lstm>(); }
TEST_CASE("recurrent_forward: sizes as plain loops, gru") { check_sizes<gru>(); }
TEST_CASE("recurrent_forward: sizes as plain loops, elman") {
    check_sizes<rnn_tanh>();
    check_sizes<rnn_relu>();
}
