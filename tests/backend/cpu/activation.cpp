#include "sequent/backend/cpu/activation.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "layer/random_data.hpp"

using namespace sequent;

namespace {

template <class T>
constexpr int width = static_cast<int>(simd<T, default_isa>::size);

// A function of SIMD numbers, one number at a time through the first lane of many.
template <class T, class F>
T one(F const& f, T x) {
    T lanes[width<T>];
    f(simd<T, default_isa>(x)).store_unaligned(lanes);
    return lanes[0];
}
auto const tanh_of = [](auto const& x) { return accurate::tanh(x); };
auto const sigmoid_of = [](auto const& x) { return accurate::sigmoid(x); };

// The distance of floats around x.
double ulp(double x) {
    float const magnitude = std::max(std::abs(static_cast<float>(x)), std::numeric_limits<float>::min());
    return static_cast<double>(std::nextafter(magnitude, std::numeric_limits<float>::infinity()) - magnitude);
}

// f over floats of all magnitudes and both signs, one in `stride`; check(x, f(x)) for each.
template <class F, class Check>
void sweep(std::uint32_t stride, F const& f, Check const& check) {
    constexpr std::uint32_t infinity = 0x7f800000;
    float in[width<float>], out[width<float>];
    for (std::uint32_t bits = 0; bits < infinity;) {
        for (float& x : in) {
            x = std::bit_cast<float>(std::min(bits, infinity));
            bits += stride;
        }
        for (float const sign : {1.0f, -1.0f}) {
            f(simd<float, default_isa>(sign) * simd<float, default_isa>::load_unaligned(in)).store_unaligned(out);
            for (int lane = 0; lane < width<float>; ++lane) check(sign * in[lane], out[lane]);
        }
    }
}

}  // namespace

TEST_CASE("accurate: tanh of floats is in [-1, 1] and right to 5 units in the last place") {
    double worst = 0;
    bool bounded = true, odd = true;
    float last = 0;
    sweep(2039, tanh_of, [&](float x, float y) {
        double const exact = std::tanh(static_cast<double>(x));
        worst = std::max(worst, std::abs(static_cast<double>(y) - exact) / ulp(exact));
        bounded = bounded && std::abs(y) <= 1;
        if (x < 0) odd = odd && one<float>(tanh_of, -x) == -y;
        last = y;
    });
    CHECK(worst <= 5);
    CHECK(bounded);
    CHECK(odd);
    CHECK(last == -1);
}

TEST_CASE("accurate: sigmoid of floats is in [0, 1] and right to 2^-22") {
    double worst = 0;
    bool bounded = true;
    sweep(2039, sigmoid_of, [&](float x, float y) {
        worst = std::max(worst, std::abs(static_cast<double>(y) - 1 / (1 + std::exp(-static_cast<double>(x)))));
        bounded = bounded && y >= 0 && y <= 1;
    });
    CHECK(worst <= 0x1p-22);
    CHECK(bounded);
}

TEST_CASE("accurate: tanh and sigmoid of doubles") {
    double worst_tanh = 0, worst_sigmoid = 0;
    for (int k = -60; k <= 10; ++k)
        for (double const m : sequent_tests::random_values<double>(200, static_cast<std::uint64_t>(k + 100))) {
            double const x = std::ldexp(m, k), exact = std::tanh(x);
            double const y = one<double>(tanh_of, x), s = one<double>(sigmoid_of, x);
            worst_tanh = std::max(worst_tanh, std::abs(y - exact) / std::max(std::abs(exact), 1e-300));
            worst_sigmoid = std::max(worst_sigmoid, std::abs(s - 1 / (1 + std::exp(-x))));
            CHECK((std::abs(y) <= 1 && s >= 0 && s <= 1));
        }
    CHECK(worst_tanh <= 0x1p-51);
    CHECK(worst_sigmoid <= 0x1p-52);
}

TEMPLATE_TEST_CASE("accurate: NaN stays, infinity saturates, relu and its derivative", "", float, double) {
    using T = TestType;
    auto const relu = [](auto const& x) { return accurate::relu(x); };
    auto const positive = [](auto const& x) { return accurate::positive(x); };
    T const infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    CHECK(std::isnan(one<T>(tanh_of, nan)));
    CHECK(std::isnan(one<T>(sigmoid_of, nan)));
    CHECK(std::isnan(one<T>(relu, nan)));
    CHECK(one<T>(tanh_of, infinity) == 1);
    CHECK(one<T>(tanh_of, -infinity) == -1);
    CHECK(one<T>(tanh_of, 0) == 0);
    CHECK(one<T>(sigmoid_of, infinity) == 1);
    CHECK(one<T>(sigmoid_of, -infinity) == 0);
    CHECK(one<T>(sigmoid_of, 0) == T(0.5));
    CHECK(one<T>(relu, T(-1.5)) == 0);
    CHECK(one<T>(relu, T(1.5)) == T(1.5));
    CHECK(one<T>(positive, T(-1.5)) == 0);
    CHECK(one<T>(positive, 0) == 0);
    CHECK(one<T>(positive, T(1.5)) == 1);
}
