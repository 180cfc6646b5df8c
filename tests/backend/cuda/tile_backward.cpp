#include "sequent/backend/cuda/tile_backward.hpp"

#include "cell/coupled_lstm.hpp"
#include "tile_check.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// The kernel reads what the reference's forward pass has left, so that only its own errors count.
template <class Cell, precision Format, int Rows, int Blocks>
void check(std::vector<int> const& lengths, bool states_given) {
    tile_case<Cell> const expected(Format, lengths, false, states_given);
    tile_buffers<Cell> buffers(expected, Rows);
    for (std::size_t d = 0; d < 2; ++d) {
        auto const& from = expected.data[d];
        std::copy(from.kept.begin(), from.kept.end(), buffers.of[d].kept.begin());
        auto const& output = buffers.arguments.runs[static_cast<int>(d)].output;
        for (int r = 0; r < output.rows; ++r)
            std::copy_n(from.output.data() + r * output.columns, output.columns, output.row(r));
    }
    using body = tile_backward<emulated_warp, Cell, Format, Rows, Blocks>;
    int const tiles = (expected.shape.batch() + Rows - 1) / Rows;
    launch<body>(tiles, buffers.arguments);

    INFO(name(Format) << ", hidden " << Cell::hidden_size << ", batch " << lengths.size() << ", blocks " << Blocks);
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

constexpr auto check_case = []<class Cell, precision Format, int Rows, int Blocks>(std::vector<int> const& lengths,
                                                                                   std::size_t n) {
    check<Cell, Format, Rows, Blocks>(lengths, n % 3 != 1);
};

}  // namespace

TEST_CASE("one-block backward: lstm") { one_block_formats<lstm>(check_case); }
TEST_CASE("one-block backward: gru") { one_block_formats<gru>(check_case); }
TEST_CASE("one-block backward: elman with tanh") { one_block_formats<elman_tanh>(check_case); }
TEST_CASE("one-block backward: elman with relu") { one_block_cases<elman_relu, precision::f32>(check_case); }
TEST_CASE("one-block backward: a user's cell") { one_block_formats<coupled_lstm>(check_case); }

TEST_CASE("cluster backward: lstm") { cluster_formats<lstm>(check_case); }
TEST_CASE("cluster backward: gru") { cluster_formats<gru>(check_case); }
TEST_CASE("cluster backward: elman") { cluster_formats<elman_tanh>(check_case); }
TEST_CASE("cluster backward: a user's cell") { cluster_formats<coupled_lstm>(check_case); }
TEST_CASE("cluster backward: the largest layers") { largest_cluster_cases(check_case); }
