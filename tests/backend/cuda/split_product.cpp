#include "sequent/backend/cuda/split_product.hpp"

#include <limits>

#include "golden.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

namespace {

constexpr factor ways[] = {factor::plain, factor::transposed};

// The largest error of a split product, relative to the sum of the magnitudes that it is made of.
double error_of(product_case of) {
    auto const split = product_of<float, emulated>(of), exact = product_of<double, emulated>(of);
    of.magnitudes = true;
    auto const magnitudes = product_of<double, emulated>(of);
    double worst = 0;
    for (std::size_t k = 0; k < exact.size(); ++k)
        worst = std::max(worst, std::abs(split[k] - exact[k]) / magnitudes[k]);
    return split.size() == exact.size() && worst == worst ? worst : HUGE_VAL;
}

// How many calls of the machine it is made of.
long calls_of(product_case const& of) {
    emulated const device;
    (void)product_of<float>(of, device);
    return device.machine->launches->single;
}

}  // namespace

TEST_CASE("split_product: a number is the sum of its parts, to 17 bits") {
    float const infinity = std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();
    auto const sum = [](detail::bf16_parts const& parts) {
        return static_cast<double>(static_cast<float>(parts.high)) + static_cast<double>(static_cast<float>(parts.low));
    };
    for (float value = 1e-30f; value < 1e38f; value *= 1.0137f)
        for (float const signed_value : {value, -value}) {
            detail::bf16_parts const parts(signed_value);
            REQUIRE(std::abs(sum(parts) - static_cast<double>(signed_value)) <= static_cast<double>(value) * 0x1p-17);
            REQUIRE(parts.cross.bits == parts.high.bits);
        }
    CHECK(sum(detail::bf16_parts(largest)) == Approx(static_cast<double>(largest)).epsilon(0x1p-17));
    CHECK(sum(detail::bf16_parts(-largest)) == Approx(static_cast<double>(-largest)).epsilon(0x1p-17));
    CHECK(sum(detail::bf16_parts(0.0f)) == 0);
    for (float const value : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
        detail::bf16_parts const parts(value);
        CHECK(same_bits(std::vector{static_cast<float>(parts.high)}, std::vector{from_bf16(bf16_bits(value))}));
        CHECK(parts.low.bits == 0);
        CHECK(parts.cross.bits == 0);
    }
}

TEST_CASE("split_product: products of every kind, against double; nothing beside them changes") {
    for (auto const& [rows, columns, depth] :
         {std::array{1, 1, 1}, {3, 5, 7}, {37, 21, 129}, {8, 16, 64}, {5, 3, 2049}, {2, 9, 5000}})
        for (factor const a_is : ways)
            for (factor const b_is : ways)
                for (bool const accumulate : {false, true}) {
                    INFO(rows << ", " << columns << ", " << depth);
                    CHECK(error_of({rows, columns, depth, a_is, b_is, accumulate}) < 0x1p-16);
                }
    product_case const of{37, 21, 129};
    CHECK(error_of(of) > 0x1p-24);  // it is not a product of floats
}

TEST_CASE("split_product: deep and large products are made of several, to the same bits") {
    constexpr factor plain = factor::plain, transposed = factor::transposed;
    auto const check = [](product_case const& of, long products, long widenings) {
        INFO(of.rows << ", " << of.columns << ", " << of.depth);
        CHECK(calls_of(of) == products + widenings);
        CHECK(error_of(of) < 0x1p-16);
    };
    check({4, 4, 2048, plain, plain, true}, 1, 2);
    check({4, 4, 2049, transposed, plain, true}, 2, 4);
    check({2721, 1, 2048, plain, transposed}, 2, 3);  // a block of b serves all of a's
    check({1, 2721, 2048, transposed, transposed, true}, 2, 4);
    product_case const of{50, 40, 4100};
    CHECK(product_of<float, emulated>(of) == product_of<float, emulated>(of));
    static_assert(detail::part_of(2049, 2048) == 1032 && detail::part_of(2048, 2048) == 2048);
    static_assert(detail::part_of(1, 2048) == 8 && detail::part_of(1, 8) == 8);
}

TEST_CASE("split_product: what is not finite makes what floats make of it") {
    float const infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN(),
                large = 3.4e38f;  // infinite in bf16
    std::vector<float> const left{infinity, -infinity, nan, 1.0f, 0.1f, 0.0f, large},
        right{1.0f, 0.3f, -2.5f, 0.0f, infinity, nan, 0.5f};
    int const n = static_cast<int>(left.size());
    on_device<emulated, float> here;
    matrix_view<float const> const a(here.put(left), n, 1), b(here.put(right), 1, n);
    matrix_view<float> const c(here.put(std::vector<float>(left.size() * right.size())), n, n);
    detail::multiply_split(*here.device.machine, factor::plain, a, factor::plain, b, c, false);
    auto const split = here.get(c.data, c.size());
    for (std::size_t i = 0; i < left.size(); ++i)
        for (std::size_t j = 0; j < right.size(); ++j) {
            INFO(left[i] << " times " << right[j]);
            float const number = split[i * right.size() + j], expected = left[i] * right[j];
            if (std::isfinite(expected))
                CHECK(number == Approx(expected).epsilon(0x1p-16));
            else
                CHECK((std::isnan(expected) ? std::isnan(number) : number == expected));
        }
}

TEST_CASE("split_product: only large products in f32x3, on machines that are fast in bf16") {
    split_cost const cost;
    CHECK(detail::is_worth_splitting(cost, 20480, 400, 100));
    CHECK(detail::is_worth_splitting(cost, 1024, 256, 20480));
    CHECK_FALSE(detail::is_worth_splitting(cost, 400, 100, 20480));  // too few sums for so many numbers
    CHECK_FALSE(detail::is_worth_splitting(cost, 512, 512, 512));
    CHECK(detail::is_worth_splitting(cost, 512, 512, 513));
    CHECK_FALSE(detail::is_worth_splitting(cost, 1 << 30, 1 << 30, 0));
    CHECK(detail::is_worth_splitting(cost, 1 << 30, 1 << 30, 1 << 30));

    auto const product = []<class Device, class T>(Device const& device, int size, T) {
        on_device<Device, T> here{device};
        auto const a = here.random(size, size, 1), b = here.random(size, size, 2), c = here.random(size, size, 3);
        affine_backward_input(device, matrix_view<T const>(a), matrix_view<T const>(b), c);
        return here.get(c.data, c.size());
    };
    auto const with = [](auto device, bool fast, split_cost const& of) {
        device.machine->fast_in_bf16 = fast, device.machine->cost_of_split = of;
        return device;
    };
    auto const floats = product(emulated{}, 16, 0.0f);
    CHECK(product(that_splits<>(), 16, 0.0f) != floats);
    CHECK(product(with(emulated{}, false, {0, 0}), 16, 0.0f) == floats);
    CHECK(product(with(emulated{}, true, {}), 16, 0.0f) == floats);
    CHECK(product(with(emulated{}, true, {0, 16 * 16 * 16}), 16, 0.0f) == floats);
    CHECK(product(with(emulated{}, true, {0, 16 * 16 * 16 - 1}), 16, 0.0f) != floats);
    CHECK(product(with(emulated{}, true, {8, 0}), 16, 0.0f) == floats);
    CHECK(product(with(emulated{}, true, {7, 0}), 16, 0.0f) != floats);
    CHECK(product(that_splits<>(), 16, 0.0) == product(emulated{}, 16, 0.0));
    using strict = emulated_with<precision::f32>;
    using coarse = emulated_with<precision::bf16>;
    CHECK(product(that_splits<strict>(), 16, 0.0f) == product(strict{}, 16, 0.0f));
    CHECK(product(that_splits<coarse>(), 16, 0.0f) == product(coarse{}, 16, 0.0f));
}

TEST_CASE("split_product: affine maps, as in double; the rows behind a batch's add nothing") {
    for (int const rows : {1, 6, 200, 4100}) {
        auto const maps = [rows]<class T>(emulated const& device, T) {
            std::vector<double> results;
            for (int time = 0; time < 3; ++time)
                device.machine->together([&] { results = affine_maps_on<T>(device, rows); });
            return results;
        };
        CHECK(relative_error(maps(that_splits<>(), 0.0f), maps(emulated{}, 0.0)) < 2e-5);
    }
}
