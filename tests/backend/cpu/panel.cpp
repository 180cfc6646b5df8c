#include "sequent/backend/cpu/panel.hpp"

#include <vector>

#include "golden.hpp"
#include "layer/random_data.hpp"
#include "sequent/backend/cpu/buffer.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// R rows times S streams of G vectors of weights, against double; the rows one after the other, or (turned) side by
// side. Returns the sums, [R][S * G * width].
template <int R, int S, int G, class T>
std::vector<T> check_product(int depth, bool turned = false) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size);
    int const stride = turned ? 1 : 20, along = turned ? R : 1;
    auto const x = random_values<T>(R * 20, 1);
    std::size_t const size = static_cast<std::size_t>(depth * S * G * width);
    auto const weights = random_values<T>(size, 2);
    cpu_buffer<T> aligned;
    std::copy(weights.begin(), weights.end(), aligned.reserve(size));
    T const* streams[S];
    for (int s = 0; s < S; ++s) streams[s] = aligned.data() + s * depth * G * width;

    number sum[R][S * G];
    for (auto& row : sum)
        for (number& one : row) one = number(T(0.5));
    panel_product<R, S, G, T, default_isa>(sum, x.data(), stride, along, streams, G * width, width, depth);

    std::vector<T> actual(R * S * G * width);
    std::vector<double> expected(actual.size(), 0.5);
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < S * G; ++v) {
            sum[r][v].store_unaligned(actual.data() + (r * S * G + v) * width);
            for (int lane = 0; lane < width; ++lane)
                for (int k = 0; k < depth; ++k)
                    expected[static_cast<std::size_t>((r * S * G + v) * width + lane)] +=
                        static_cast<double>(x[static_cast<std::size_t>(r * stride + k * along)]) *
                        static_cast<double>(streams[v / G][(k * G + v % G) * width + lane]);
        }
    CHECK(largest_error(actual, expected) <= (std::is_same_v<T, double> ? 1e-15 : 3e-7));
    return actual;
}

// The sums of rows [begin, end) of 150, one group of two gates after the other, two gates and Together groups at a
// time: [row, group, gate, lane], zeros in the rows that are not asked for.
template <int Together, int Depth>
std::vector<float> check_products(int begin, int end) {
    using number = simd<float, default_isa>;
    constexpr int width = static_cast<int>(number::size), groups = 4, rows = 150;
    static auto const x = random_values<float>(rows * Depth, 3);
    static auto const weights = random_values<float>(groups * Depth * 2 * width, 4);
    cpu_buffer<float> panels;
    std::copy(weights.begin(), weights.end(), panels.reserve(weights.size()));
    std::vector<float> result(static_cast<std::size_t>(rows * groups * 2 * width), 0.0f), whole = result;
    auto const at = [&](std::vector<float>& sums, int row, int q) {
        return sums.data() + static_cast<std::ptrdiff_t>(row * groups + q) * 2 * width;
    };
    auto const panel = [&](int q, int k) {
        return panels.data() + static_cast<std::ptrdiff_t>(q * Depth + k) * 2 * width;
    };
    cpu_buffer<float> room;
    room.reserve(result.size());
    auto const place = [&](int row, int q, int g) { return room.data() + ((row * groups + q) * 2 + g) * width; };
    panel_products<float, default_isa, Together, 2, 2, Depth, width>(
        begin, end, groups, place, [&](int row, int, int) { return number(0.25f + float(row)); },
        [&]<int R>(number(&sum)[R][Together * 2], int row, int q, int, int k, int last) {
            float const* from[Together];
            for (int s = 0; s < Together; ++s) from[s] = panel(q + s, k);
            panel_product<R, Together, 2, float, default_isa>(sum, x.data() + row * Depth + k, Depth, 1, from,
                                                              2 * width, width, last - k);
        },
        [&](int row, int q) { std::copy_n(place(row, q, 0), 2 * width, at(result, row, q)); });
    for (int row = begin; row < end; ++row)
        for (int q = 0; q < groups; ++q) {
            number sum[1][2] = {{number(0.25f + float(row)), number(0.25f + float(row))}};
            panel_product<1, 1, 2, float, default_isa>(sum, x.data() + row * Depth, 0, 1, {panel(q, 0)}, 2 * width,
                                                       width, Depth);
            for (int g = 0; g < 2; ++g) sum[0][g].store_unaligned(at(whole, row, q) + g * width);
        }
    CHECK(same_bits(result, whole));
    return result;
}

}  // namespace

TEST_CASE("panel_product: against double, and a row's bits do not depend on the others") {
    for (int const depth : {0, 1, 17}) {
        check_product<1, 1, 1, double>(depth);
        check_product<2, 1, 4, double>(depth);
        check_product<3, 2, 3, double>(depth);
        check_product<5, 1, 3, float>(depth);
        check_product<5, 2, 1, float>(depth, true);
        auto const one = check_product<1, 2, 2, float>(depth), many = check_product<6, 2, 2, float>(depth);
        CHECK(same_bits(one, std::vector(many.begin(), many.begin() + static_cast<std::ptrdiff_t>(one.size()))));
    }
}

TEST_CASE("panel_products: in slabs, sets of groups and lots of rows the bits of each row and group alone") {
    for (auto const& [begin, end] : {std::pair{0, 150}, {3, 69}, {0, 64}, {149, 150}, {7, 7}}) {
        auto const sums = check_products<1, 20>(begin, end);
        CHECK(same_bits(check_products<2, 20>(begin, end), sums));
        CHECK(std::count(sums.begin(), sums.end(), 0.0f) == static_cast<int>(sums.size()) / 150 * (150 - end + begin));
        check_products<1, 700>(begin, end);
        check_products<2, 700>(begin, end);
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
