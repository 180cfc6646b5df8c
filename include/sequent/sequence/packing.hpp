// The shape of a packed batch: which row belongs to which step of which sequence. Longest sequence first, all rows of
// step 0, then all rows of step 1, ...: PyTorch's PackedSequence layout. Step t has batch_sizes()[t] rows from row
// offsets()[t] on; they belong to the first batch_sizes()[t] sequences of the sorted order.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

class packing {
  public:
    packing() = default;

    // lengths: one per sequence, in the user's order; zero is legal and makes no rows. The sort is stable, descending.
    // Throws argument_error for a negative length, an empty list, or more than 2^31 - 1 rows.
    explicit packing(std::span<int const> lengths) { assign(lengths); }

    // As the constructor; reuses the memory.
    void assign(std::span<int const> lengths) {
        require(!lengths.empty(), "sequent::packing: cannot pack an empty list of sequences");
        long long total = 0;
        int longest = 0;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            require(lengths[i] >= 0, "sequent::packing: lengths[", i, "] is ", lengths[i], "; give 0 or more");
            total += lengths[i];
            longest = std::max(longest, lengths[i]);
        }
        constexpr int most = std::numeric_limits<int>::max();
        require(total <= most, "sequent::packing: ", total, " rows; at most ", most);

        sort_stably(lengths, longest);
        batch_sizes_.assign(static_cast<std::size_t>(longest), 0);
        for (int const length : lengths_)
            if (length > 0) ++batch_sizes_[static_cast<std::size_t>(length - 1)];
        for (std::size_t t = batch_sizes_.size(); t-- > 1;) batch_sizes_[t - 1] += batch_sizes_[t];
        offsets_.resize(batch_sizes_.size() + 1);
        offsets_[0] = 0;
        std::partial_sum(batch_sizes_.begin(), batch_sizes_.end(), offsets_.begin() + 1);
    }

    [[nodiscard]] int batch() const { return static_cast<int>(lengths_.size()); }      // sequences, empty ones too
    [[nodiscard]] int steps() const { return static_cast<int>(batch_sizes_.size()); }  // the longest length
    [[nodiscard]] int rows() const { return offsets_.empty() ? 0 : offsets_.back(); }  // the sum of the lengths

    // Per step: sequences longer than t, non-increasing; and the first row of step t (one more entry: rows()).
    [[nodiscard]] std::span<int const> batch_sizes() const { return batch_sizes_; }
    [[nodiscard]] std::span<int const> offsets() const { return offsets_; }

    // Per sequence of the sorted order: its length, descending; and its place in the user's order (PyTorch's names).
    [[nodiscard]] std::span<int const> lengths() const { return lengths_; }
    [[nodiscard]] std::span<int const> sorted_indices() const { return sorted_indices_; }
    // Per sequence of the user's order: its place in the sorted order.
    [[nodiscard]] std::span<int const> unsorted_indices() const { return unsorted_indices_; }

    // The row of step t of the sequence at place i of the sorted order.
    [[nodiscard]] int row(int t, int i) const { return offsets_[static_cast<std::size_t>(t)] + i; }

    friend bool operator==(packing const&, packing const&) = default;

  private:
    // A counting sort: linear, stable, and without allocation once the vectors are large enough.
    void sort_stably(std::span<int const> lengths, int longest) {
        std::size_t const n = lengths.size();
        offsets_.assign(static_cast<std::size_t>(longest) + 2, 0);  // here: first place of each length, longest first
        for (int const length : lengths) ++offsets_[static_cast<std::size_t>(longest - length) + 1];
        std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
        for (auto* const one : {&lengths_, &sorted_indices_, &unsorted_indices_}) one->resize(n);
        for (std::size_t user = 0; user < n; ++user) {
            int const place = offsets_[static_cast<std::size_t>(longest - lengths[user])]++;
            lengths_[static_cast<std::size_t>(place)] = lengths[user];
            sorted_indices_[static_cast<std::size_t>(place)] = static_cast<int>(user);
            unsorted_indices_[user] = place;
        }
    }

    std::vector<int> batch_sizes_, offsets_, lengths_, sorted_indices_, unsorted_indices_;
};

}  // namespace sequent
