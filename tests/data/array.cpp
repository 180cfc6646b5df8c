// xtensor arrays in and out.
#include "sequent/data/array.hpp"

#include <vector>
#if __has_include(<xtensor/xadapt.hpp>)
#include <xtensor/xadapt.hpp>
#include <xtensor/xview.hpp>
#else
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/views/xview.hpp>
#endif

#include "catch.hpp"

using namespace sequent;

TEST_CASE("array: a padded batch of features goes in and comes out") {
    xt::xtensor<float, 3> padded({2, 3, 2});
    for (std::size_t i = 0; i < padded.size(); ++i) padded.data()[i] = static_cast<float>(i + 1);
    std::vector<int> const lengths = {1, 3};
    auto const packed = pack(padded, lengths);
    CHECK(packed.features == 2);
    CHECK(packed.values == std::vector<float>{7, 8, 1, 2, 9, 10, 11, 12});
    auto const back = unpack(packed.shape, packed.rows(), 4, -1.0f);
    REQUIRE(back.shape() == (std::array<std::size_t, 3>{2, 4, 2}));
    CHECK(back(0, 0, 1) == 2);
    CHECK(back(0, 1, 0) == -1);
    CHECK(back(1, 2, 1) == 12);
    CHECK(back(1, 3, 0) == -1);
    CHECK(unpack(packed.shape, packed.rows()).shape()[1] == 3);
    CHECK_THROWS_WITH(unpack(packed.shape, packed.rows(), 2), Catch::Contains("at least the longest sequence, 3"));
}

TEST_CASE("array: token ids, also in memory of the caller's") {
    std::vector<int> ids = {5, 6, 0, 7, 8, 9};
    auto const adapted = xt::adapt(ids, std::array<std::size_t, 2>{2, 3});
    std::vector<int> const lengths = {2, 3};
    auto const packed = pack(adapted, lengths);
    CHECK(packed.features == 1);
    CHECK(packed.values == std::vector<int>{7, 5, 8, 6, 9});
}

TEST_CASE("array: some of an array's sequences, and one, as views of it") {
    xt::xtensor<float, 3> padded({5, 3, 2});
    for (std::size_t i = 0; i < padded.size(); ++i) padded.data()[i] = static_cast<float>(i + 1);
    std::vector<int> const lengths = {1, 3};
    auto const packed = pack(xt::view(padded, xt::range(2, 4), xt::all(), xt::all()), lengths);
    CHECK(packed.values == std::vector<float>{19, 20, 13, 14, 21, 22, 23, 24});
    CHECK(pack(xt::view(padded, 4, xt::all(), xt::all()), std::vector{2, 1, 1}).values ==
          std::vector<float>{25, 27, 29, 26});
}

TEST_CASE("array: what does not fit") {
    std::vector<int> const lengths = {2, 3};
    CHECK_THROWS_WITH(pack(xt::xtensor<float, 4>({2, 3, 1, 1}), lengths), Catch::Contains("2 or 3 dimensions, got 4"));
    CHECK_THROWS_WITH(pack(xt::xtensor<float, 2>({3, 3}), lengths),
                      Catch::Contains("one length per sequence, 3, but got 2"));
    CHECK_THROWS_WITH(pack(xt::xtensor<float, 2>({2, 4}), lengths), Catch::Contains("longest length is 3"));
    CHECK_THROWS_WITH(pack(xt::xtensor<float, 2>({2, 2}), lengths), Catch::Contains("lengths[1] is 3"));
}
