#include "sequent/model/copy.hpp"

#include "backend/cuda/on_device.hpp"
#include "catch.hpp"
#include "sequent/sequent.hpp"

using namespace sequent_tests;

namespace {
struct network : sequential<named<"embedding", embedding<7, 3>>, gru<3, 4>, last_state, named<"fc", linear<4, 2>>> {};
}  // namespace

TEST_CASE("copy_parameters: from the CPU to another backend and back, and into another scalar") {
    model<network, cpu> here({}, {.seed = 1});
    model<network, emulated> there({}, {.seed = 2});
    model<network, cpu, double> wide({}, {.seed = 3});
    copy_parameters(here, there);
    copy_parameters(there, wide);
    for (auto const& parameter : here.parameters()) {
        auto const values = here.values(parameter);
        CHECK(there.values(parameter.name) == values);
        CHECK(wide.values(parameter.name) == std::vector<double>(values.begin(), values.end()));
    }
    auto const batch = pack(std::vector<std::vector<int>>{{1, 2, 6}, {0}});
    std::vector<float> copied(4);
    copy_to_host(there.device(), there.predict(batch).data, 4, copied.data());
    auto const logits = here.predict(batch);
    for (std::size_t k = 0; k < 4; ++k) CHECK(copied[k] == Approx(logits.data[k]).epsilon(1e-4).margin(1e-5));
}

TEST_CASE("copy_parameters: other parameters are refused, and nothing changes") {
    model<lstm<3, 4>, cpu> from;
    model<lstm<3, 5>, cpu> other_shape;
    model<gru<3, 4>, cpu> other_cell;
    auto const before = other_shape.values("bias_hh_l0");
    std::string const why = "sequent::copy_parameters: the models' parameters have other names or shapes";
    CHECK_THROWS_WITH(copy_parameters(from, other_shape), why);
    CHECK_THROWS_WITH(copy_parameters(from, other_cell), why);
    CHECK(other_shape.values("bias_hh_l0") == before);
}
