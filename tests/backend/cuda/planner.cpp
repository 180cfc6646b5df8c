#include "sequent/backend/cuda/planner.hpp"

#include "catch.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;

namespace {

// The largest of these hidden sizes that runs in one block; 0: none does.
template <template <int, int> class Cell, precision Format>
int largest() {
    int found = 0;
    auto const tried = [&]<int Hidden>(std::integral_constant<int, Hidden>) {
        if (planned_strategy<Cell<1, Hidden>, float, Format> == strategy::one_block) found = Hidden;
    };
    tried(std::integral_constant<int, 16>{}), tried(std::integral_constant<int, 32>{});
    tried(std::integral_constant<int, 64>{}), tried(std::integral_constant<int, 96>{});
    tried(std::integral_constant<int, 128>{}), tried(std::integral_constant<int, 256>{});
    return found;
}
template <int Input, int Hidden>
using tanh_elman = elman<Input, Hidden>;

template <int Hidden>
struct five_gates : lstm<1, Hidden> {
    static constexpr int gate_count = 5;
};

template <template <int, int> class Cell>
std::vector<int> row() {
    return {largest<Cell, precision::f32x3>(), largest<Cell, precision::tf32>(), largest<Cell, precision::bf16>(),
            largest<Cell, precision::f16>(), largest<Cell, precision::f32>()};
}

// The blocks of a cluster for these hidden sizes; 0: it has none.
template <template <int, int> class Cell, precision Format>
std::vector<int> blocks() {
    return {planned_blocks<Cell<1, 96>, float, Format>,  planned_blocks<Cell<1, 128>, float, Format>,
            planned_blocks<Cell<1, 192>, float, Format>, planned_blocks<Cell<1, 256>, float, Format>,
            planned_blocks<Cell<1, 384>, float, Format>, planned_blocks<Cell<1, 512>, float, Format>};
}

}  // namespace

TEST_CASE("planner: the documented sizes run in one block") {  // docs/cuda.md has this table
    CHECK(row<lstm>() == std::vector{64, 64, 96, 96, 64});
    CHECK(row<gru>() == std::vector{96, 96, 128, 128, 64});
    CHECK(row<tanh_elman>() == std::vector{128, 128, 128, 128, 128});
}

TEST_CASE("planner: clusters of the documented sizes") {  // docs/cuda.md has this table
    CHECK(blocks<lstm, precision::f32x3>() == std::vector{2, 2, 4, 8, 8, 16});
    CHECK(blocks<lstm, precision::tf32>() == std::vector{2, 2, 4, 8, 8, 16});
    CHECK(blocks<lstm, precision::bf16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<lstm, precision::f16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<lstm, precision::f32>() == std::vector{2, 4, 4, 8, 0, 0});
    CHECK(blocks<gru, precision::f32x3>() == std::vector{2, 2, 4, 4, 8, 16});
    CHECK(blocks<gru, precision::tf32>() == std::vector{2, 2, 4, 4, 8, 16});
    CHECK(blocks<gru, precision::bf16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<gru, precision::f16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<gru, precision::f32>() == std::vector{2, 4, 4, 4, 0, 0});
    CHECK(blocks<tanh_elman, precision::f32x3>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<tanh_elman, precision::tf32>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<tanh_elman, precision::bf16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<tanh_elman, precision::f16>() == std::vector{2, 2, 4, 4, 8, 8});
    CHECK(blocks<tanh_elman, precision::f32>() == std::vector{2, 2, 4, 4, 8, 8});
}

TEST_CASE("planner: cells of more than four gates have no clusters") {
    STATIC_REQUIRE(planned_strategy<five_gates<16>, float, precision::f32x3> == strategy::one_block);
    STATIC_REQUIRE(planned_strategy<five_gates<128>, float, precision::f32x3> == strategy::general);
}

TEST_CASE("planner: what is forced, and what no block can hold") {
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, double, precision::f32> == strategy::general);
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, float, precision::f32x3, strategy::general> == strategy::general);
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, float, precision::f32x3, strategy::one_block> == strategy::one_block);
    STATIC_REQUIRE(planned_strategy<lstm<1, 128>, double, precision::f32> == strategy::general);
    STATIC_REQUIRE(planned_strategy<lstm<1, 128>, float, precision::f32x3> == strategy::cluster);
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, float, precision::f32x3, strategy::cluster> == strategy::cluster);
    STATIC_REQUIRE(planned_strategy<lstm<1, 600>, float, precision::bf16> == strategy::general);
    STATIC_REQUIRE(name(strategy::automatic) == "automatic");
    STATIC_REQUIRE(name(strategy::general) == "general");
    STATIC_REQUIRE(name(strategy::one_block) == "one_block");
    STATIC_REQUIRE(name(strategy::cluster) == "cluster");
}
