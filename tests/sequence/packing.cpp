#include "sequent/sequence/packing.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {
std::vector<int> list(std::span<int const> numbers) { return {numbers.begin(), numbers.end()}; }
packing make(std::vector<int> const& lengths) { return packing(lengths); }
}  // namespace

TEST_CASE("packing: as PyTorch's PackedSequence, ties in their order") {
    golden const file("packing");
    for (std::string const& name : file.words("cases")) {
        INFO(name);
        packing const shape(file.values<int>(name + "/lengths"));
        CHECK(list(shape.batch_sizes()) == file.values<int>(name + "/batch_sizes"));
        CHECK(list(shape.sorted_indices()) == file.values<int>(name + "/sorted_indices"));
        CHECK(list(shape.unsorted_indices()) == file.values<int>(name + "/unsorted_indices"));
        CHECK(shape.rows() == file.shape(name + "/data")[0]);
    }
}

TEST_CASE("packing: sizes, offsets and rows") {
    packing const shape = make({2, 4, 1});
    CHECK(shape.batch() == 3);
    CHECK(shape.steps() == 4);
    CHECK(shape.rows() == 7);
    CHECK(list(shape.lengths()) == std::vector{4, 2, 1});
    CHECK(list(shape.offsets()) == std::vector{0, 3, 5, 6, 7});
    CHECK(shape.row(1, 1) == 4);
    CHECK(shape.row(3, 0) == 6);
}

TEST_CASE("packing: sequences of no steps stand last and have no rows") {
    packing const shape = make({0, 2, 0, 3});
    CHECK(shape.batch() == 4);
    CHECK(shape.rows() == 5);
    CHECK(list(shape.batch_sizes()) == std::vector{2, 2, 1});
    CHECK(list(shape.sorted_indices()) == std::vector{3, 1, 0, 2});
    CHECK(list(shape.lengths()) == std::vector{3, 2, 0, 0});

    packing const nothing = make({0, 0});
    CHECK(nothing.batch() == 2);
    CHECK(nothing.steps() == 0);
    CHECK(nothing.rows() == 0);
    CHECK(list(nothing.offsets()) == std::vector{0});
    CHECK(list(nothing.sorted_indices()) == std::vector{0, 1});
}

TEST_CASE("packing: assign forgets what was there") {
    packing shape = make({9, 1, 5, 7, 7});
    shape.assign(std::vector{2, 4, 1});
    CHECK(shape == make({2, 4, 1}));
    CHECK_FALSE(shape == make({2, 4}));
    CHECK(packing().rows() == 0);
    CHECK(packing().batch() == 0);
}

TEST_CASE("packing: says what is wrong with the lengths") {
    auto const error = [](std::vector<int> const& lengths) {
        return thrown<argument_error>([&] { (void)packing(lengths); });
    };
    CHECK(error({3, -1}) == "sequent::packing: lengths[1] is -1; give 0 or more");
    CHECK(error({}) == "sequent::packing: cannot pack an empty list of sequences");
    CHECK(error({2'000'000'000, 2'000'000'000}) == "sequent::packing: 4000000000 rows; at most 2147483647");
    packing shape = make({2, 1});
    CHECK_THROWS_AS(shape.assign(std::vector{-1}), argument_error);
    CHECK(shape == make({2, 1}));
}
