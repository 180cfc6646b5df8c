#include "sequent/backend/cuda/one_block_backward.hpp"

#include "cell/coupled_lstm.hpp"
#include "one_block_check.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// The kernel reads what the reference's forward pass has left, so that only its own errors count.
template <class Cell, precision Format, int Rows = 8>
void check(std::vector<int> const& lengths, bool states_given) {
    one_block_case<Cell> const expected(Format, lengths, false, states_given);
    one_block_buffers<Cell> buffers(expected, Rows);
    for (std::size_t d = 0; d < 2; ++d) {
        auto const& from = expected.data[d];
        std::copy(from.kept.begin(), from.kept.end(), buffers.of[d].kept.begin());
        auto const& output = buffers.arguments.runs[static_cast<int>(d)].output;
        for (int r = 0; r < output.rows; ++r)
            std::copy_n(from.output.data() + r * output.columns, output.columns, output.row(r));
    }
    using body = one_block_backward<emulated_warp, Cell, Format, Rows>;
    int const tiles = (expected.shape.batch() + Rows - 1) / Rows;
    emulate<body>(tiles, 2, buffers.arguments, lengths.size());

    INFO(name(Format) << ", hidden " << Cell::hidden_size << ", batch " << lengths.size());
    double const limit = gradient_tolerance(Format);
    for (std::size_t d = 0; d < 2; ++d) {
        auto const& of = buffers.of[d];
        auto const& from = expected.data[d];
        CHECK(difference(of.gate_gradient, from.gate_gradient) <= limit);
        if (!Cell::shared_gates) CHECK(difference(of.recurrent_gate_gradient, from.recurrent_gate_gradient) <= limit);
        CHECK(difference(of.hidden_before, from.hidden_before) <= 1e-6);
        CHECK(difference(of.initial_gradient, from.initial_gradient) <= limit);
        std::vector<float> units(at(Cell::unit_count * Cell::hidden_size));
        for (std::size_t n = 0; n < of.unit_gradient.size(); ++n) units[n % units.size()] += of.unit_gradient[n];
        CHECK(difference(units, from.unit_gradient) <= limit);
    }
}

template <template <int, int> class Cell, precision Format>
void check_sizes() {
    each_size<Format>([]<int Hidden, int Rows> {
        for (std::size_t n = 0; n < batches_of_lengths.size(); ++n)
            check<Cell<1, Hidden>, Format, Rows>(batches_of_lengths[n], n % 3 != 1);
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

TEST_CASE("one-block backward: lstm") { check_formats<lstm>(); }
TEST_CASE("one-block backward: gru") { check_formats<gru>(); }
TEST_CASE("one-block backward: elman with tanh") { check_formats<elman_tanh>(); }
TEST_CASE("one-block backward: elman with relu") { check_sizes<elman_relu, precision::f32>(); }
TEST_CASE("one-block backward: a user's cell") { check_formats<coupled_lstm>(); }
