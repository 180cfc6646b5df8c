// Every operation of docs/backends.md on a GPU, but the recurrent ones.
#include "on_gpu.hpp"

using namespace sequent_tests;

TEMPLATE_TEST_CASE("gpu: rows, affine maps, poolings", "[tiny]", float, double) {
    NEEDS_GPU();
    using T = TestType;
    double const tolerance = sizeof(T) == 4 ? 2e-6 : 1e-14;
    CHECK(rows_by_index<T, cuda>() == rows_by_index<T, reference>());
    for (int const rows : {0, 1, 6, 64, 200})
        CHECK(error_of(affine_maps<T, cuda>(rows), affine_maps<T, reference>(rows)) < tolerance);
    for (std::vector<int> const& lengths : {std::vector<int>{3, 0, 5, 1, 5}, std::vector<int>{1}})
        for (bool const nan : {false, true})
            CHECK(poolings<T, cuda>(lengths, nan) == poolings<T, reference>(lengths, nan));
}

TEMPLATE_TEST_CASE("gpu: dropout, sums, scale, fill, optimizers, cross-entropy; twice the same bits", "[tiny]", float,
                   double) {
    NEEDS_GPU();
    using T = TestType;
    double const tolerance = sizeof(T) == 4 ? 2e-6 : 1e-12;
    for (std::size_t const n : {std::size_t{1}, std::size_t{100}, std::size_t{40000}}) {
        auto const here = small_change<T, cuda>(n);
        CHECK(error_of(here, small_change<T, reference>(n)) < 1e-12);
        CHECK(small_change<T, cuda>(n) == here);
    }
    for (adam_constants const& adam : {adam_constants{}, adam_constants{0, 0.9, 1e-8, 0.1}}) {
        sgd_constants const descent{0.9, 0, 0.01, true};
        auto const here = optimizer_steps<T, cuda>(adam, descent);
        CHECK(error_of(here, optimizer_steps<T, reference>(adam, descent)) < tolerance);
        CHECK(optimizer_steps<T, cuda>(adam, descent) == here);
    }
    std::vector<double> const weights{1, 0.5, 2, 0};
    cross_entropy_request const request{weights, -1, 0.2, false};
    std::vector<int> const targets{0, 3, 1, -1, 2, 2};
    CHECK(error_of(cross_entropies<T, cuda>(request, targets), cross_entropies<T, reference>(request, targets)) <
          tolerance);
}

TEST_CASE("gpu: numbers come back from one as they were, and a machine without one says so") {
    std::string const why = why_no_gpu();
    if (why.empty()) {
        on_device<cuda, float> here;
        auto const numbers = random_values<float>(1000, 1);
        CHECK(here.get(here.put(numbers), numbers.size()) == numbers);
    } else {
        CHECK_THAT(why, Catch::Contains("no CUDA device is present"));
    }
}
