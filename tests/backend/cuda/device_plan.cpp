#include "sequent/backend/cuda/device_plan.hpp"

#include "catch.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

TEST_CASE("device_plan: the packing on both sides") {
    on_device<emulated, float> here;
    emulated::plan plan;
    packing const shape(std::vector{2, 0, 3, 1});
    make_plan(here.device, shape, plan);
    CHECK(static_cast<packing const&>(plan) == shape);
    auto const all = plan.places();
    CHECK(here.get(all.lengths, 4) == std::vector{3, 2, 1, 0});
    CHECK(here.get(all.users, 4) == std::vector{2, 0, 3, 1});
    CHECK(here.get(all.offsets, 4) == std::vector{0, 3, 5, 6});
    make_plan(here.device, packing(std::vector{1}), plan);
    CHECK(plan.rows() == 1);
    CHECK(here.get(plan.places().offsets, 2) == std::vector{0, 1});
}
