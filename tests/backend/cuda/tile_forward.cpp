#include "sequent/backend/cuda/tile_forward.hpp"

#include "cell/coupled_lstm.hpp"
#include "tile_check.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class Cell, precision Format, int Rows, int Blocks>
void check(std::vector<int> const& lengths, bool indexed, bool states_given) {
    tile_case<Cell> const expected(Format, lengths, indexed, states_given);
    tile_buffers<Cell> buffers(expected, Rows);
    using body = tile_forward<emulated_warp, Cell, Format, Rows, Blocks>;
    int const tiles = (expected.shape.batch() + Rows - 1) / Rows;
    launch<body>(tiles, buffers.arguments);
    INFO(name(Format) << ", hidden " << Cell::hidden_size << ", batch " << lengths.size() << ", blocks " << Blocks);
    for (std::size_t d = 0; d < 2; ++d) {
        CHECK(difference(buffers.output_of(d), expected.data[d].output) <= tolerance(Format));
        CHECK(difference(buffers.of[d].final, expected.data[d].final) <= tolerance(Format));
        CHECK(difference(buffers.of[d].kept, expected.data[d].kept) <= tolerance(Format));
    }
}

constexpr auto check_case = []<class Cell, precision Format, int Rows, int Blocks>(std::vector<int> const& lengths,
                                                                                   std::size_t n) {
    check<Cell, Format, Rows, Blocks>(lengths, n % 2 == 0, n % 3 != 1);
};

}  // namespace

TEST_CASE("one-block forward: lstm") { one_block_formats<lstm>(check_case); }
TEST_CASE("one-block forward: gru") { one_block_formats<gru>(check_case); }
TEST_CASE("one-block forward: elman with tanh") { one_block_formats<elman_tanh>(check_case); }
TEST_CASE("one-block forward: elman with relu") { one_block_cases<elman_relu, precision::f32>(check_case); }
TEST_CASE("one-block forward: a user's cell") { one_block_formats<coupled_lstm>(check_case); }

TEST_CASE("cluster forward: lstm") { cluster_formats<lstm>(check_case); }
TEST_CASE("cluster forward: gru") { cluster_formats<gru>(check_case); }
TEST_CASE("cluster forward: elman") { cluster_formats<elman_tanh>(check_case); }
TEST_CASE("cluster forward: a user's cell") { cluster_formats<coupled_lstm>(check_case); }
TEST_CASE("cluster forward: the largest layers") { largest_cluster_cases(check_case); }
