// Batches, states and gradients of random numbers, and comparisons bit for bit.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "sequent/core/random.hpp"
#include "sequent/model/parameters.hpp"
#include "sequent/sequence/packed_sequence.hpp"

namespace sequent_tests {

// n numbers in [-1, 1), multiples of 2^-23, so the same in float and double.
template <class T>
[[nodiscard]] std::vector<T> random_values(std::size_t n, std::uint64_t seed) {
    sequent::random_stream const random{seed, 0x7e57};
    std::vector<T> values(n);
    for (std::size_t j = 0; j < n; ++j) values[j] = static_cast<T>(2 * random.uniform(j) - 1);
    return values;
}

// One sequence [length, features] for each length. A sequence's numbers depend on its place and the seed alone.
template <class T>
[[nodiscard]] std::vector<std::vector<T>> random_sequences(std::vector<int> const& lengths, int features,
                                                           std::uint64_t seed) {
    std::vector<std::vector<T>> sequences;
    for (int const length : lengths)
        sequences.push_back(random_values<T>(static_cast<std::size_t>(length) * static_cast<std::size_t>(features),
                                             1000 * seed + sequences.size()));
    return sequences;
}

template <class T>
void randomise(sequent::states<T>& states, std::uint64_t seed) {
    for (auto& entry : states.entries) entry.values = random_values<T>(entry.values.size(), ++seed);
}

template <class T>
[[nodiscard]] std::vector<T> numbers_of(sequent::matrix_view<T const> rows) {
    std::vector<T> numbers;
    for (int r = 0; r < rows.rows; ++r) numbers.insert(numbers.end(), rows.row(r), rows.row(r) + rows.columns);
    return numbers;
}

template <class T>
[[nodiscard]] bool same_bits(std::vector<T> const& a, std::vector<T> const& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}
template <class T>
[[nodiscard]] bool same_bits(std::vector<std::vector<T>> const& a, std::vector<std::vector<T>> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto& x, auto& y) { return same_bits(x, y); });
}
template <class T>
[[nodiscard]] bool same_bits(sequent::states<T> const& a, sequent::states<T> const& b) {
    return a.batch == b.batch && std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                                            [](auto& x, auto& y) { return same_bits(x.values, y.values); });
}

}  // namespace sequent_tests
