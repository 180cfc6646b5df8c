// The operations, and the lesson's network in training, against the CPU backend.
#include "lesson.hpp"
#include "on_cpu.hpp"
#include "on_gpu.hpp"

ON_CPU(extern, float);
ON_CPU(extern, double);

using namespace sequent_tests;

TEMPLATE_TEST_CASE("gpu: the operations, as on the CPU", "", float, double) {
    NEEDS_GPU();
    using T = TestType;
    double const tolerance = sizeof(T) == 4 ? 2e-6 : 1e-12;
    CHECK(error_of(rows_by_index<T, cuda>(), rows_by_index<T, cpu>()) < tolerance);
    for (int const rows : {0, 1, 6, 64, 200})
        CHECK(error_of(affine_maps<T, cuda>(rows), affine_maps<T, cpu>(rows)) < tolerance);
    for (bool const nan : {false, true})
        CHECK(error_of(poolings<T, cuda>({3, 0, 5, 1, 5}, nan), poolings<T, cpu>({3, 0, 5, 1, 5}, nan)) < tolerance);
    for (std::size_t const n : {std::size_t{1}, std::size_t{100}, std::size_t{40000}})
        CHECK(error_of(small_change<T, cuda>(n), small_change<T, cpu>(n)) < tolerance);
    for (adam_constants const& adam : {adam_constants{}, adam_constants{0, 0.9, 1e-8, 0.1}}) {
        sgd_constants const descent{0.9, 0, 0.01, true};
        CHECK(error_of(optimizer_steps<T, cuda>(adam, descent), optimizer_steps<T, cpu>(adam, descent)) < tolerance);
    }
    std::vector<double> const weights{1, 0.5, 2, 0};
    cross_entropy_request const request{weights, -1, 0.2, false};
    std::vector<int> const targets{0, 3, 1, -1, 2, 2};
    CHECK(error_of(cross_entropies<T, cuda>(request, targets), cross_entropies<T, cpu>(request, targets)) < tolerance);
}

TEST_CASE("gpu: the lesson's network learns along the CPU's curve") {
    NEEDS_GPU();
    int const steps =
        is_slow() ? 20 : 200;  // after 20 it has hardly begun to learn; the curves are compared all the same
    auto const there = lesson_on_cpu(steps);
    CHECK(there.back() < (is_slow() ? 1 : 0.6) * there.front());
    // Emulated, they lie at 1.6e-7, 8e-8 and 2.5e-4 from it.
    CHECK(error_of(lesson_curve<cuda>(steps), there) < 1e-4);
    CHECK(error_of(lesson_curve<cuda_with<precision::f32, strategy::general>>(steps), there) < 1e-5);
    CHECK(error_of(lesson_curve<cuda_with<precision::bf16>>(steps), there) < 5e-3);
}
