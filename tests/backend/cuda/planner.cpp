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

template <template <int, int> class Cell>
std::vector<int> row() {
    return {largest<Cell, precision::f32x3>(), largest<Cell, precision::tf32>(), largest<Cell, precision::bf16>(),
            largest<Cell, precision::f16>(), largest<Cell, precision::f32>()};
}

}  // namespace

TEST_CASE("planner: the documented sizes run in one block") {  // docs/cuda.md has this table
    CHECK(row<lstm>() == std::vector{64, 64, 96, 96, 64});
    CHECK(row<gru>() == std::vector{96, 96, 128, 128, 64});
    CHECK(row<tanh_elman>() == std::vector{128, 128, 128, 128, 128});
}

TEST_CASE("planner: what is forced, and what no block can hold") {
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, double, precision::f32> == strategy::general);
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, float, precision::f32x3, strategy::general> == strategy::general);
    STATIC_REQUIRE(planned_strategy<lstm<1, 32>, float, precision::f32x3, strategy::one_block> == strategy::one_block);
    STATIC_REQUIRE(name(strategy::automatic) == "automatic");
    STATIC_REQUIRE(name(strategy::general) == "general");
    STATIC_REQUIRE(name(strategy::one_block) == "one_block");
}
