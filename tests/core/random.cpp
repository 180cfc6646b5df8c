#include "sequent/core/random.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "catch.hpp"

using namespace sequent;

namespace {
std::vector<std::uint32_t> words(philox_block const& block) { return {block.words, block.words + 4}; }

// Mean and variance of n values.
template <class F>
std::pair<double, double> moments(int n, F const& value) {
    double sum = 0, squares = 0;
    for (int j = 0; j < n; ++j) {
        double const x = value(static_cast<std::uint64_t>(j));
        sum += x, squares += x * x;
    }
    return {sum / n, squares / n - sum / n * (sum / n)};
}
}  // namespace

TEST_CASE("philox: the known answers of Salmon et al.") {
    CHECK(words(philox({{0, 0, 0, 0}}, 0, 0)) ==
          std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(words(philox({{~0u, ~0u, ~0u, ~0u}}, ~0u, ~0u)) ==
          std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(words(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0)) ==
          std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
    static_assert(philox({{0, 0, 0, 0}}, 0, 0).words[0] == 0x6627e8d5);
}

TEST_CASE("random_stream: seeds, streams and positions beyond 32 bits are told apart") {
    std::uint64_t const big = std::uint64_t{1} << 40;
    std::set<std::uint32_t> words;
    for (std::uint64_t const seed : {std::uint64_t{0}, std::uint64_t{1}, big})
        for (std::uint64_t const stream : {std::uint64_t{0}, std::uint64_t{1}, big})
            for (std::uint64_t const index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4}, 4 * big})
                words.insert(random_stream{seed, stream}.word(index));
    CHECK(words.size() == 3 * 3 * 4);
}

TEST_CASE("random_stream: uniform numbers") {
    random_stream const random{11, 3};
    int const n = 100'000;
    float least = 1, largest = 0;
    auto const [mean, variance] = moments(n, [&](std::uint64_t j) {
        float const x = random.uniform(j);
        least = std::min(least, x), largest = std::max(largest, x);
        return static_cast<double>(x);
    });
    CHECK(least >= 0);
    CHECK(largest < 1);
    CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1 / 12.0 / n));
    CHECK(std::abs(variance - 1 / 12.0) < 5 * std::sqrt(1 / 180.0 / n));
    CHECK(random.uniform(7) * 0x1p24f == std::floor(random.uniform(7) * 0x1p24f));  // 24 bits
}

TEST_CASE("random_stream: normal numbers") {
    random_stream const random{11, 4};
    int const n = 100'000;
    int beyond_two = 0;
    auto const [mean, variance] = moments(n, [&](std::uint64_t j) {
        double const x = random.normal(j);
        beyond_two += std::abs(x) > 2;
        return x;
    });
    CHECK(std::abs(mean) < 5 / std::sqrt(n));
    CHECK(std::abs(variance - 1) < 5 * std::sqrt(2.0 / n));
    double const expected = 0.04550026;  // the tails of a standard normal beyond two
    CHECK(std::abs(beyond_two / static_cast<double>(n) - expected) < 5 * std::sqrt(expected / n));
}

TEST_CASE("random_stream: integers below a bound") {
    random_stream const random{11, 5};
    std::vector<int> count(7);
    for (std::uint64_t j = 0; j < 70'000; ++j) ++count.at(random.below(j, 7));
    for (int const n : count) CHECK(std::abs(n - 10'000) < 5 * std::sqrt(10'000));
    CHECK(random.below(0, 1) == 0);
}

TEST_CASE("shuffle: a permutation, the same for the same stream, every order as likely") {
    std::vector<int> numbers(100), same;
    std::iota(numbers.begin(), numbers.end(), 0);
    same = numbers;
    shuffle(std::span(numbers), {5, 1});
    CHECK_FALSE(std::ranges::is_sorted(numbers));
    shuffle(std::span(same), {5, 1});
    CHECK(numbers == same);
    std::ranges::sort(numbers);
    CHECK(numbers.back() == 99);
    CHECK(std::ranges::adjacent_find(numbers) == numbers.end());

    std::vector<int> orders(6);
    for (std::uint64_t stream = 0; stream < 6000; ++stream) {
        std::vector<int> three{0, 1, 2};
        shuffle(std::span(three), {9, stream});
        ++orders.at(static_cast<std::size_t>(three[0] * 2 + (three[1] > three[2])));
    }
    for (int const n : orders) CHECK(std::abs(n - 1000) < 5 * std::sqrt(1000));

    std::vector<int> none, one{3};
    shuffle(std::span(none), {5, 1});
    shuffle(std::span(one), {5, 1});
    CHECK(one == std::vector<int>{3});
}
