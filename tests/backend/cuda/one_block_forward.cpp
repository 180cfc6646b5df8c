#include "sequent/backend/cuda/one_block_forward.hpp"

#include "cell/coupled_lstm.hpp"
#include "one_block_check.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class Cell, precision Format, int Rows = 8>
void check(std::vector<int> const& lengths, bool indexed, bool states_given) {
    one_block_case<Cell> const expected(Format, lengths, indexed, states_given);
    one_block_buffers<Cell> buffers(expected, Rows);
    using body = one_block_forward<emulated_warp, Cell, Format, Rows>;
    int const tiles = (expected.shape.batch() + Rows - 1) / Rows;
    emulate<body>(tiles, 2, buffers.arguments, lengths.size());
    INFO(name(Format) << ", hidden " << Cell::hidden_size << ", batch " << lengths.size());
    for (std::size_t d = 0; d < 2; ++d) {
        CHECK(difference(buffers.output_of(d), expected.data[d].output) <= tolerance(Format));
        CHECK(difference(buffers.of[d].final, expected.data[d].final) <= tolerance(Format));
        CHECK(difference(buffers.of[d].kept, expected.data[d].kept) <= tolerance(Format));
    }
}

template <template <int, int> class Cell, precision Format>
void check_sizes() {
    each_size<Format>([]<int Hidden, int Rows> {
        for (std::size_t n = 0; n < batches_of_lengths.size(); ++n)
            check<Cell<1, Hidden>, Format, Rows>(batches_of_lengths[n], n % 2 == 0, n % 3 != 1);
    });
}
template <template <int, int> class Cell>
void check_formats() {
    check_sizes<Cell, precision::f32>();
    check_sizes<Cell, precision::f32x3>();
    check_sizes<Cell, precision::tf32>();
    check_sizes<Cell, precision::bf16>();
    check_sizes<Cell, precision::f16>();
}

template <int Input, int Hidden>
using elman_tanh = elman<Input, Hidden, nonlinearity::tanh>;
template <int Input, int Hidden>
using elman_relu = elman<Input, Hidden, nonlinearity::relu>;

}  // namespace

TEST_CASE("one-block forward: lstm") { check_formats<lstm>(); }
TEST_CASE("one-block forward: gru") { check_formats<gru>(); }
TEST_CASE("one-block forward: elman with tanh") { check_formats<elman_tanh>(); }
TEST_CASE("one-block forward: elman with relu") { check_sizes<elman_relu, precision::f32>(); }
TEST_CASE("one-block forward: a user's cell") { check_formats<coupled_lstm>(); }
