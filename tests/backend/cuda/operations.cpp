#include "sequent/backend/cuda/operations.hpp"

#include "golden.hpp"
#include "on_device.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent_tests;

TEMPLATE_TEST_CASE("cuda: rows by index, copied and added, as on the CPU", "", float, double) {
    CHECK(rows_by_index<TestType, emulated>() == rows_by_index<TestType, cpu>());
}

TEMPLATE_TEST_CASE("cuda: affine maps and their gradients, as on the CPU", "", float, double) {
    for (int const rows : {0, 1, 6, 64, 200, 4100})  // sums over rows have two stages from 65 on, three from 4097
        CHECK(relative_error(affine_maps<TestType, emulated>(rows), affine_maps<TestType, cpu>(rows)) <
              (sizeof(TestType) == 4 ? 1e-6 : 1e-15));
}

TEMPLATE_TEST_CASE("cuda: means and maxima over sequences, as on the CPU", "", float, double) {
    for (std::vector<int> const& lengths : {std::vector{3, 0, 5, 1, 5}, std::vector{1}, std::vector{2, 2, 2}})
        for (bool const nan : {false, true})
            CHECK(poolings<TestType, emulated>(lengths, nan) == poolings<TestType, cpu>(lengths, nan));
    CHECK(poolings<TestType, emulated>({0, 0}, false) == poolings<TestType, cpu>({0, 0}, false));
}

TEMPLATE_TEST_CASE("cuda: dropout has the CPU's bits; sums of squares, scale and fill", "", float, double) {
    for (std::size_t const n : {std::size_t{1}, std::size_t{100}, std::size_t{40000}}) {
        auto const here = small_change<TestType, emulated>(n), there = small_change<TestType, cpu>(n);
        REQUIRE(here.size() == there.size());
        std::size_t const sums = here.size() - n - 3;
        for (std::size_t k = 0; k < here.size(); ++k)
            if (k >= sums && k < sums + 3)
                CHECK(here[k] == Approx(there[k]).epsilon(1e-12));
            else if (here[k] != there[k])
                FAIL("number " << k << ": " << here[k] << " instead of " << there[k]);
        CHECK(small_change<TestType, emulated>(n) == here);
    }
}
