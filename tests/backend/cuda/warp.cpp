#include "sequent/backend/cuda/warp.hpp"

#include <array>

#include "catch.hpp"

using namespace sequent;

namespace {
template <int Hidden, int Padded = (Hidden + 15) / 16 * 16>
void check_pairs() {
    alignas(8) std::array<float, Hidden + 2> row{}, copy{};
    for (std::size_t u = 0; u < row.size(); ++u) row[u] = static_cast<float>(u + 1), copy[u] = -1;
    for (int u = 0; u < Padded; u += 2) {
        float_pair const pair = load_pair<Hidden, Padded>(row.data(), u);
        CHECK(pair.first == (u < Hidden ? static_cast<float>(u + 1) : 0));
        CHECK(pair.second == (u + 1 < Hidden ? static_cast<float>(u + 2) : 0));
        store_pair<Hidden, Padded>(copy.data(), u, pair);
    }
    for (std::size_t u = 0; u < row.size(); ++u) CHECK(copy[u] == (u < std::size_t{Hidden} ? row[u] : -1));
}
}  // namespace

TEST_CASE("warp: pairs of units reach a row's end and not beyond, whatever its width") {
    check_pairs<1>();
    check_pairs<2>();
    check_pairs<5>();
    check_pairs<8>();
    check_pairs<12>();
    check_pairs<16>();
    check_pairs<33, 64>();  // the units of a cluster of blocks
}

TEST_CASE("warp: a pair that a device could not move at once is an error") {
    alignas(8) std::array<float, 9> row{};
    std::string const why = "sequent::emulated_warp: a pair of numbers that does not start on a multiple of 8 bytes";
    CHECK_THROWS_WITH((load_pair<8, 16>(row.data() + 1, 0)), why);
    CHECK_THROWS_WITH((store_pair<8, 16>(row.data() + 1, 2, {1, 1})), why);
    CHECK_NOTHROW(load_pair<5, 16>(row.data() + 1, 0));
}
