#include "sequent/backend/cuda/cell_steps.hpp"

#include "catch.hpp"
#include "passes.hpp"
#include "sequent/train/adam.hpp"

using namespace sequent_tests;

namespace {

struct read_row {
    detail::visit now;
    int back;
    int* to;
    void operator()(std::ptrdiff_t i) const { to[i] = static_cast<int>(now.row(static_cast<int>(i), back)); }
};

std::vector<int> rows_of_visit(packing const& shape, int number, bool ascending, int back) {
    on_device<emulated, float> here;
    emulated::plan plan;
    make_plan(here.device, shape, plan);
    int* const rows = here.put(std::vector<int>(static_cast<std::size_t>(shape.batch())));
    here.device.machine->each(shape.batch(), read_row{{plan.places(), number, ascending}, back, rows});
    return here.get(rows, static_cast<std::size_t>(shape.batch()));
}

using general = emulated_with<precision::f32, strategy::general>;

}  // namespace

TEST_CASE("cell_steps: visits are a round number, at most an eighth more than the steps") {
    for (int steps = 0; steps < 300; ++steps) {
        int const visits = detail::visits_of(packing(std::vector{steps, 0}));
        CHECK(visits >= steps);
        CHECK(visits * 8 <= steps * 9);
    }
    CHECK(detail::visits_of(packing(std::vector{15})) == 15);
    CHECK(detail::visits_of(packing(std::vector{100})) == 104);
}

TEST_CASE("cell_steps: who takes part in a visit, and where") {
    packing const shape(std::vector{1, 3, 0});  // lengths 3, 1, 0; rows 0 1 | 2 | 3
    CHECK(rows_of_visit(shape, 0, true, 0) == std::vector{0, 1, -1});
    CHECK(rows_of_visit(shape, 1, true, 0) == std::vector{2, -1, -1});
    CHECK(rows_of_visit(shape, 1, true, 1) == std::vector{0, 1, -1});
    CHECK(rows_of_visit(shape, 3, true, 0) == std::vector{-1, -1, -1});
    CHECK(rows_of_visit(shape, 0, true, 1) == std::vector{-1, -1, -1});
    CHECK(rows_of_visit(shape, 0, false, 0) == std::vector{3, -1, -1});
    CHECK(rows_of_visit(shape, 2, false, 0) == std::vector{0, 1, -1});
    CHECK(rows_of_visit(shape, 2, false, 1) == std::vector{2, -1, -1});
    CHECK(rows_of_visit(shape, 3, false, 0) == std::vector{-1, -1, -1});
    CHECK(rows_of_visit(shape, 0, false, 1) == std::vector{-1, -1, -1});
}

TEST_CASE("cell_steps: without a training, the steps of batches of unlike lengths are graphs, to the bit") {
    auto const passes_as = [](bool graphs) {
        general device;
        device.machine->makes_graphs = graphs;
        model<deep, general> net({}, {.seed = 3, .device = device});
        net.reserve(300, 6);
        std::vector<long> launched;
        std::vector<float> outputs(6 * 4);
        for (int t = 0; t < 12; ++t) {
            long const before = device.machine->launches->graphs;
            auto const batch = pack(texts(static_cast<std::uint64_t>(t)));
            net.zero_gradients();
            auto const output = net.forward(batch);
            net.backward(output);
            launched.push_back(device.machine->launches->graphs - before);
            copy_to_host(device, output.data, outputs.size(), outputs.data());
        }
        return std::tuple(net.gradient("1.weight_hh_l1_reverse"), outputs, launched);
    };
    auto const with = passes_as(true), without = passes_as(false);
    CHECK(std::get<0>(with) == std::get<0>(without));
    CHECK(std::get<1>(with) == std::get<1>(without));
    CHECK(std::get<2>(with).back() == 8);  // two layers, two directions, there and back
    CHECK(std::get<2>(with).front() == 0);
    CHECK(std::get<2>(without) == std::vector<long>(12, 0));
}
