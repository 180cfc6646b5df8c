#include "sequent/backend/cpu/activation.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
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

namespace {

struct float_errors {
    double tanh_ulps = 0, tanh = 0, sigmoid = 0;  // the largest: in units in the last place, and absolute
    bool bounded = true, odd = true;
};

// Over every float from 2^-33 to 20 and its negative, or one in `stride` of them: below, tanh(x) is x to 20 digits, and
// beyond, it is 1 in float.
template <class Activations>
float_errors errors_of(std::uint32_t stride) {
    using number = simd<float, default_isa>;
    float_errors worst;
    float in[width<float>], y[width<float>], z[width<float>], s[width<float>], t[width<float>];
    std::uint32_t const last = std::bit_cast<std::uint32_t>(20.0f);
    for (std::uint32_t bits = std::bit_cast<std::uint32_t>(0x1p-33f); bits <= last;) {
        for (float& x : in) x = std::bit_cast<float>(std::min(bits, last)), bits += stride;
        number const x = number::load_unaligned(in);
        Activations::tanh(x).store_unaligned(y), Activations::tanh(number(-x)).store_unaligned(z);
        Activations::sigmoid(x).store_unaligned(s), Activations::sigmoid(number(-x)).store_unaligned(t);
        for (int lane = 0; lane < width<float>; ++lane) {
            double const exact = std::tanh(static_cast<double>(in[lane])),
                         half = std::tanh(static_cast<double>(in[lane]) / 2) / 2;
            double const error = std::abs(static_cast<double>(y[lane]) - exact);
            worst.tanh = std::max(worst.tanh, error);
            worst.tanh_ulps = std::max(worst.tanh_ulps, error / ulp(exact));
            worst.sigmoid = std::max({worst.sigmoid, std::abs(static_cast<double>(s[lane]) - 0.5 - half),
                                      std::abs(static_cast<double>(t[lane]) - 0.5 + half)});
            worst.bounded = worst.bounded && std::abs(y[lane]) <= 1 && s[lane] >= 0.5f && s[lane] <= 1 &&
                            t[lane] >= 0 && t[lane] <= 0.5f;
            worst.odd = worst.odd && z[lane] == -y[lane];
        }
    }
    return worst;
}

// The row of docs/backends.md: | `name` | tanh, ulps | tanh, absolute | sigmoid, absolute |
float_errors documented(std::string const& name) {
    std::ifstream in(sequent_tests::fixture("../../docs/backends.md"));
    for (std::string line; std::getline(in, line);) {
        float_errors row;
        if (line.starts_with("| `" + name + "` |") && std::sscanf(line.c_str() + name.size() + 6, "%lf | %lf | %lf",
                                                                  &row.tanh_ulps, &row.tanh, &row.sigmoid) == 3)
            return row;
    }
    FAIL("docs/backends.md has no errors of " << name);
    return {};
}

// With SEQUENT_EVERY_FLOAT in the environment, of all floats, as the document's; else of one in 127.
template <class Activations>
void check_documented(std::string const& name) {
    bool const all = std::getenv("SEQUENT_EVERY_FLOAT") != nullptr;
    float_errors const found = errors_of<Activations>(all ? 1 : 127), said = documented(name);
    INFO("| `" << name << "` | " << found.tanh_ulps << " | " << found.tanh << " | " << found.sigmoid << " |");
    CHECK(found.bounded);
    CHECK(found.odd);
#if defined(__FMA__) || defined(__aarch64__)
    double const rounding = 1.01;
#else
    double const rounding = 1.5;  // two roundings for one
#endif
    auto const check = [&](double measured, double documented) {
        CHECK(measured <= documented * rounding);
        CHECK(measured >= documented * (all ? 0.99 : 0.75));  // it is no looser than it must be
    };
    check(found.tanh_ulps, said.tanh_ulps), check(found.tanh, said.tanh), check(found.sigmoid, said.sigmoid);
    if (all) WARN("every float, " << name << ": " << found.tanh_ulps << " " << found.tanh << " " << found.sigmoid);
}

}  // namespace

TEST_CASE("activations of floats have the documented errors, are odd and never beyond 1") {
    check_documented<precise>("precise");
    check_documented<accurate>("accurate");
    check_documented<fast>("fast");
}

TEST_CASE("accurate: the ends of the floats") {
    bool right = true;
    sweep(2039, tanh_of, [&](float x, float y) {
        if (std::abs(x) < 0x1p-33f) right = right && std::abs(y - x) <= 1e-6f * std::abs(x);
        if (std::abs(x) > 20) right = right && y == (x > 0 ? 1.0f : -1.0f);
    });
    CHECK(right);
}

TEMPLATE_TEST_CASE("precise: the standard library's functions in every lane", "", float, double) {
    using T = TestType;
    for (T const x : sequent_tests::random_values<T>(100, 3)) {
        CHECK(one<T>([](auto const& v) { return precise::tanh(v); }, x) == std::tanh(x));
        CHECK(one<T>([](auto const& v) { return precise::sigmoid(v); }, x) == 1 / (1 + std::exp(-x)));
    }
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
