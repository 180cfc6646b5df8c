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

TEST_CASE("gpu: products split into bf16 numbers, twice the same bits", "[tiny]") {
    NEEDS_GPU();
    for (product_case of : {product_case{3, 5, 7}, {37, 21, 129}, {24, 72, 2049}})
        for (factor const a_is : {factor::plain, factor::transposed})
            for (factor const b_is : {factor::plain, factor::transposed})
                for (bool const accumulate : {false, true}) {
                    of.a_is = a_is, of.b_is = b_is, of.accumulate = accumulate;
                    INFO(of.rows << ", " << of.columns << ", " << of.depth);
                    auto const here = product_of<float, cuda>(of);
                    CHECK(error_of(here, product_of<double, reference>(of)) < 0x1p-16);
                    CHECK(product_of<float, cuda>(of) == here);
                }
    product_case const two_blocks{2721, 1, 2048};
    CHECK(error_of(product_of<float, cuda>(two_blocks), product_of<double, reference>(two_blocks)) < 0x1p-16);
}

TEST_CASE("gpu: large products are split where it is fast in bf16, in f32x3 alone") {
    NEEDS_GPU();
    auto const product = [](auto device, bool split) {
        on_device<decltype(device), float> here{device};
        auto const a = here.random(520, 600, 1), b = here.random(600, 540, 2), c = here.random(520, 540, 3);
        matrix_view<float const> const left(a), right(b);
        if (split)
            detail::multiply_split(*device.machine, factor::plain, left, factor::plain, right, c, false);
        else
            affine_backward_input(device, left, right, c);
        std::vector<double> result;
        here.append(result, c);
        return result;
    };
    cuda const device;
    auto const here = product(device, false), floats = product(cuda_with<precision::f32>{}, false);
    CHECK((here == product(device, true)) == device.machine->is_fast_in_bf16());
    CHECK((here == floats) != device.machine->is_fast_in_bf16());
    CHECK(error_of(here, floats) < 0x1p-16);
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
