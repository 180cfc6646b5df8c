// Counter-based random numbers: the value at (seed, stream, index) is a pure function, the same on every machine,
// backend and thread, in any order. Philox 4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1,
// 2, 3", SC 2011.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <utility>

#include "../config.hpp"

namespace sequent {

// Ten rounds of Philox on one counter block: four independent, uniformly distributed 32-bit words.
struct philox_block {
    std::uint32_t words[4];
};

SEQUENT_HD constexpr philox_block philox(philox_block counter, std::uint32_t key_low, std::uint32_t key_high) {
    for (int round = 0; round < 10; ++round) {
        std::uint64_t const product0 = std::uint64_t{0xD2511F53u} * counter.words[0];
        std::uint64_t const product1 = std::uint64_t{0xCD9E8D57u} * counter.words[2];
        counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.words[1] ^ key_low,
                    static_cast<std::uint32_t>(product1),
                    static_cast<std::uint32_t>(product0 >> 32) ^ counter.words[3] ^ key_high,
                    static_cast<std::uint32_t>(product0)}};
        key_low += 0x9E3779B9u;
        key_high += 0xBB67AE85u;
    }
    return counter;
}

// Names one stream of numbers: a seed, and what the numbers are for (a tensor, an epoch, a dropout layer and step).
struct random_stream {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;

    // Four words per block; block is the position in the stream.
    [[nodiscard]] SEQUENT_HD constexpr philox_block block(std::uint64_t position) const {
        return philox({{static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32),
                        static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)}},
                      static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    }

    [[nodiscard]] SEQUENT_HD constexpr std::uint32_t word(std::uint64_t index) const {
        return block(index / 4).words[index % 4];
    }

    // Uniform in [0, 1), 24 bits: exact in float and double alike.
    [[nodiscard]] SEQUENT_HD constexpr float uniform(std::uint64_t index) const {
        return static_cast<float>(word(index) >> 8) * 0x1p-24f;
    }

    // Standard normal by Box and Muller (1958), computed in double from 2 x 32 bits: two words per number.
    [[nodiscard]] double normal(std::uint64_t index) const {
        philox_block const bits = block(index / 2);
        std::uint32_t const first = bits.words[2 * (index % 2)], second = bits.words[2 * (index % 2) + 1];
        double const radius = std::sqrt(-2 * std::log((first + 0.5) * 0x1p-32));
        return radius * std::cos(2 * std::numbers::pi * (second * 0x1p-32));
    }

    // An integer in [0, bound), unbiased to 2^-32 per value (bound < 2^32): the high half of a 64-bit product.
    [[nodiscard]] constexpr std::uint32_t below(std::uint64_t index, std::uint32_t bound) const {
        return static_cast<std::uint32_t>((std::uint64_t{word(index)} * bound) >> 32);
    }
};

// Fisher and Yates' shuffle, in place; the same permutation for the same stream on every machine.
template <class T>
constexpr void shuffle(std::span<T> values, random_stream const& random) {
    for (std::size_t left = values.size(); left > 1; --left) {
        std::size_t const chosen = random.below(left, static_cast<std::uint32_t>(left));
        std::swap(values[left - 1], values[chosen]);
    }
}

}  // namespace sequent
