#include "sequent/backend/cpu/panel.hpp"

#include <vector>

#include "golden.hpp"
#include "layer/random_data.hpp"
#include "sequent/backend/cpu/buffer.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// R rows times S streams of G vectors of weights, against double. Returns the sums, [R][S * G * width].
template <int R, int S, int G, class T>
std::vector<T> check_product(int depth) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size), stride = 20;
    auto const x = random_values<T>(R * stride, 1);
    std::size_t const size = static_cast<std::size_t>(depth * S * G * width);
    auto const weights = random_values<T>(size, 2);
    cpu_buffer<T> aligned;
    std::copy(weights.begin(), weights.end(), aligned.reserve(size));
    T const* streams[S];
    for (int s = 0; s < S; ++s) streams[s] = aligned.data() + s * depth * G * width;

    number sum[R][S * G];
    for (auto& row : sum)
        for (number& one : row) one = number(T(0.5));
    panel_product<R, S, G, T, default_isa>(sum, x.data(), stride, streams, G * width, width, depth);

    std::vector<T> actual(R * S * G * width);
    std::vector<double> expected(actual.size(), 0.5);
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < S * G; ++v) {
            sum[r][v].store_unaligned(actual.data() + (r * S * G + v) * width);
            for (int lane = 0; lane < width; ++lane)
                for (int k = 0; k < depth; ++k)
                    expected[static_cast<std::size_t>((r * S * G + v) * width + lane)] +=
                        static_cast<double>(x[static_cast<std::size_t>(r * stride + k)]) *
                        static_cast<double>(streams[v / G][(k * G + v % G) * width + lane]);
        }
    CHECK(largest_error(actual, expected) <= (std::is_same_v<T, double> ? 1e-15 : 3e-7));
    return actual;
}

}  // namespace

TEST_CASE("panel_product: against double, and a row's bits do not depend on the others") {
    for (int const depth : {0, 1, 17}) {
        check_product<1, 1, 1, double>(depth);
        check_product<2, 1, 4, double>(depth);
        check_product<3, 2, 3, double>(depth);
        check_product<5, 1, 3, float>(depth);
        auto const one = check_product<1, 2, 2, float>(depth), many = check_product<6, 2, 2, float>(depth);
        CHECK(same_bits(one, std::vector(many.begin(), many.begin() + static_cast<std::ptrdiff_t>(one.size()))));
    }
}

TEST_CASE("for_tiles: full tiles, then one of what is left") {
    auto const tiles = []<int Rows>(std::integral_constant<int, Rows>, int begin, int end) {
        std::vector<std::pair<int, int>> seen;
        for_tiles<Rows>(begin, end,
                        [&]<int R>(std::integral_constant<int, R>, int first) { seen.emplace_back(R, first); });
        return seen;
    };
    using list = std::vector<std::pair<int, int>>;
    CHECK(tiles(std::integral_constant<int, 3>{}, 1, 9) == list{{3, 1}, {3, 4}, {2, 7}});
    CHECK(tiles(std::integral_constant<int, 4>{}, 0, 8) == list{{4, 0}, {4, 4}});
    CHECK(tiles(std::integral_constant<int, 4>{}, 5, 6) == list{{1, 5}});
    CHECK(tiles(std::integral_constant<int, 1>{}, 0, 2) == list{{1, 0}, {1, 1}});
    CHECK(tiles(std::integral_constant<int, 4>{}, 3, 3).empty());
}

TEST_CASE("divisor_up_to: the largest that fits") {
    CHECK(divisor_up_to(12, 4) == 4);
    CHECK(divisor_up_to(9, 4) == 3);
    CHECK(divisor_up_to(7, 4) == 1);
    CHECK(divisor_up_to(2, 4) == 2);
}

TEST_CASE("tile_rows: sums, weights and an input fit in the registers") {
    STATIC_REQUIRE(tile_rows<default_isa, 1> == 8);
    STATIC_REQUIRE(tile_rows<default_isa, 4> >= 2);
    STATIC_REQUIRE(tile_rows<default_isa, 4> * 4 + 4 + 1 <= simd_registers<default_isa>);
    STATIC_REQUIRE(tile_rows<default_isa, 40> == 1);
}
