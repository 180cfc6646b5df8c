#include "sequent/backend/cpu/simd.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "sequent/core/number.hpp"

using namespace sequent;

namespace {
template <class T>
constexpr int width = static_cast<int>(simd<T, default_isa>::size);

// The first lane; all are equal.
template <class T>
T first(simd<T, default_isa> const& x) {
    T lanes[width<T>];
    x.store_unaligned(lanes);
    return lanes[0];
}
}  // namespace

TEMPLATE_TEST_CASE("simd: arithmetic is that of one number", "", float, double) {
    using number = simd<TestType, default_isa>;
    TestType const x(0.7f), y(-1.3f), z(2.9f);
    number const a(x), b(y), c(z);
    CHECK(first(a + b) == x + y);
    CHECK(first(a - b) == x - y);
    CHECK(first(a * b) == x * y);
    CHECK(first(a / b) == x / y);
    CHECK(first(-a) == -x);
    CHECK(first(min(a, b)) == y);
    CHECK(first(max(a, b)) == x);
    CHECK(first(abs(b)) == -y);
    CHECK(first(sqrt(c)) == std::sqrt(z));
    CHECK(first(exp(a)) == Approx(std::exp(x)).epsilon(1e-6));
    CHECK(first(tanh(a)) == Approx(std::tanh(x)).epsilon(1e-6));
    CHECK(first(select(b < a, a, c)) == x);
    CHECK(first(select(b > a, a, c)) == z);
    CHECK(first(select(a <= a, a, c)) == x);
    CHECK(first(select(a == b, a, c)) == z);
}

#if defined(__FMA__) || defined(__aarch64__)
TEMPLATE_TEST_CASE("simd: fma has one rounding", "", float, double) {
    using number = simd<TestType, default_isa>;
    TestType const small(std::is_same_v<TestType, float> ? 0x1p-13f : 0x1p-30f);
    CHECK(first(fma(number(1 + small), number(1 - small), number(TestType(-1)))) == -small * small);
}
#endif

TEMPLATE_TEST_CASE("load_first, store_first: some lanes, and memory behind them is left alone", "", float, double) {
    using T = TestType;
    std::vector<T> from(width<T> + 1), to(width<T> + 1, T(-1));
    for (std::size_t j = 0; j < from.size(); ++j) from[j] = static_cast<T>(j + 1);
    auto const lane = [](simd<T, default_isa> const& x, int at) {
        T lanes[width<T>];
        x.store_unaligned(lanes);
        return lanes[at];
    };
    auto const loaded = load_first<1, T, default_isa>(from.data());
    CHECK(lane(loaded, 0) == 1);
    CHECK(lane(loaded, width<T> - 1) == 0);
    auto const all = load_first<width<T>, T, default_isa>(from.data() + 1);
    CHECK(lane(all, width<T> - 1) == static_cast<T>(width<T> + 1));

    store_first<width<T> - 1, T, default_isa>(to.data(), all);
    CHECK(to[width<T> - 2] == static_cast<T>(width<T>));
    CHECK(to[width<T> - 1] == -1);
    store_first<width<T>, T, default_isa>(to.data(), all);
    CHECK(to[width<T> - 1] == static_cast<T>(width<T> + 1));
    CHECK(to[width<T>] == -1);
}

TEST_CASE("unrolled: all indices, in their order") {
    std::vector<int> seen;
    unrolled<3>([&](int i) { seen.push_back(i); });
    unrolled<0>([&](int i) { seen.push_back(i); });
    CHECK(seen == std::vector{0, 1, 2});
}

#if defined(__SSE__)
TEST_CASE("no_denormals: while it lives, tiny numbers count as zero; then the thread is as before") {
    float const volatile tiny = 1e-30f, denormal = 1e-40f;
    auto const products = [&] { return std::vector{tiny * 1e-10f, denormal * 1e30f}; };
    auto const before = products();
    CHECK(before[0] > 0);
    CHECK(before[1] > 0);
    {
        no_denormals const outer;
        { no_denormals const inner; }
        CHECK(products() == std::vector{0.0f, 0.0f});
    }
    CHECK(products() == before);
}
#endif
