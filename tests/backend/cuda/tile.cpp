#include "sequent/backend/cuda/tile.hpp"

#include <set>
#include <tuple>

#include "catch.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;

namespace {

// Every unit of every row of a tile belongs to exactly one lane of one warp.
template <class Cell, precision Format, int Rows, int Blocks = 1>
void check_layout() {
    using layout = tile_layout<Cell, Format, Rows, Blocks>;
    emulated_cluster memory(Blocks, layout::warps, 16);
    std::set<std::tuple<int, int>> owned;
    std::size_t count = 0;
    for (int w = 0; w < Blocks * layout::warps; ++w) {
        int const block = w / layout::warps, tile = 3;
        emulated_warp warp(memory, block, w % layout::warps, tile * Blocks + block, 0);
        CHECK(layout::tile(warp) == tile);
        layout::each_pair(warp, [&](int lane, int group, int slot) {
            for (int n = 0; n < 2; ++n, ++count)
                owned.insert({layout::row(lane, slot), layout::unit(warp, lane, group) + n});
        });
    }
    INFO("hidden " << Cell::hidden_size << ", " << name(Format) << ", rows " << Rows);
    CHECK(count == owned.size());
    CHECK(owned.size() == std::size_t{Rows} * layout::padded);
    CHECK(std::get<0>(*owned.rbegin()) == Rows - 1);
    CHECK(layout::padded >= Cell::hidden_size);
    CHECK(layout::threads <= 1024);
}

}  // namespace

TEST_CASE("one block: lanes share units and rows without gaps or overlaps") {
    check_layout<lstm<3, 1>, precision::f32x3, 8>();
    check_layout<lstm<3, 32>, precision::bf16, 8>();
    check_layout<lstm<3, 40>, precision::bf16, 16>();
    check_layout<gru<3, 96>, precision::bf16, 8>();
    check_layout<lstm<3, 128>, precision::bf16, 8>();
    check_layout<gru<3, 64>, precision::tf32, 16>();
    check_layout<lstm<3, 128>, precision::f32x3, 8, 2>();
    check_layout<gru<3, 200>, precision::bf16, 8, 4>();
    check_layout<lstm<3, 256>, precision::f32x3, 8, 8>();
    check_layout<lstm<3, 401>, precision::f32x3, 8, 16>();
}

TEST_CASE("one block: a tile's schedule visits each of its steps once, in either order") {
    int const offsets[] = {0, 3, 5, 6};  // lengths 3, 2, 1
    for (bool const ascending : {true, false}) {
        tile_schedule const order{offsets, 3, ascending};
        for (int visit = 0; visit < 3; ++visit) {
            int const t = ascending ? visit : 2 - visit;
            CHECK(order.time(visit) == t);
            CHECK(order.offset(visit) == offsets[t]);
            for (int length = 0; length <= 3; ++length) CHECK(order.active(visit, length) == (t < length));
        }
        for (int const outside : {-1, 3}) {
            CHECK_FALSE(order.exists(outside));
            CHECK(order.offset(outside) == 0);
            CHECK_FALSE(order.active(outside, 3));
        }
    }
}
