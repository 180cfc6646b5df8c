#include "sequent/backend/cpu/recurrent_forward.hpp"

#include "kernel_check.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// Sizes on both sides of every SIMD width; inputs of another size than the units.
template <template <int, int> class Cell, class T>
void check_forward() {
    auto const size = [&]<int Hidden>() {
        check_kernel<Cell<4, Hidden>, T>(direction::forward, input_rows::one_by_one, pass_direction::forward);
        check_kernel<Cell<4, Hidden>, T>(direction::reverse, input_rows::indexed, pass_direction::forward);
    };
    size.template operator()<1>();
    size.template operator()<3>();
    size.template operator()<7>();
    size.template operator()<16>();
    size.template operator()<17>();
    size.template operator()<33>();
}

template <int Input, int Hidden>
using rnn_tanh = elman<Input, Hidden>;
template <int Input, int Hidden>
using rnn_relu = elman<Input, Hidden, nonlinearity::relu>;

}  // namespace

TEST_CASE("recurrent_forward: every size as plain loops, lstm") {
    check_forward<lstm, double>();
    check_forward<lstm, float>();
}
TEST_CASE("recurrent_forward: every size as plain loops, gru") {
    check_forward<gru, double>();
    check_forward<gru, float>();
}
TEST_CASE("recurrent_forward: every size as plain loops, elman") {
    check_forward<rnn_tanh, double>();
    check_forward<rnn_tanh, float>();
    check_forward<rnn_relu, double>();
    check_forward<rnn_relu, float>();
}
