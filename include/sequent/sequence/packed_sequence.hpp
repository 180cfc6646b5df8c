// A batch of sequences of unequal length as one matrix of rows without padding, and the ways in and out of it. The
// layout is PyTorch's PackedSequence; the sort is stable; a length of zero is legal.
#pragma once

#include <utility>

#include "../core/matrix.hpp"
#include "packing.hpp"

namespace sequent {

// values: [shape.rows(), features]. Token ids are a packed_sequence<int> with one feature.
template <class T>
struct packed_sequence {
    packing shape;
    std::vector<T> values;
    int features = 1;

    [[nodiscard]] matrix_view<T> rows() { return {values.data(), shape.rows(), features}; }
    [[nodiscard]] matrix_view<T const> rows() const { return {values.data(), shape.rows(), features}; }
};

namespace detail {
// The values of a packed sequence of known shape; first(user): where those of the user's next sequence begin.
template <class T, class F>
void fill_rows(packed_sequence<T>& packed, F const& first) {
    packing const& shape = packed.shape;
    packed.values.resize(packed.rows().size());
    for (int user = 0; user < shape.batch(); ++user) {
        int const place = shape.unsorted_indices()[static_cast<std::size_t>(user)];
        T const* from = first(user);
        for (int t = 0; t < shape.lengths()[static_cast<std::size_t>(place)]; ++t, from += packed.features)
            for (int j = 0; j < packed.features; ++j) packed.rows().row(shape.row(t, place))[j] = from[j];
    }
}
}  // namespace detail

// Packs sequences given one by one, each [length, features] row-major, into `packed`, whose memory is reused.
// Throws argument_error when features < 1, or a sequence's size is not a multiple of it or gives too many steps.
template <class T, class Sequences>
void pack_into(packed_sequence<T>& packed, Sequences const& sequences, int features = 1) {
    require(features >= 1, "sequent::pack: features is ", features, "; give 1 or more");
    std::size_t const width = static_cast<std::size_t>(features);
    thread_local std::vector<int> lengths;
    lengths.clear();
    for (auto const& sequence : sequences) {
        std::size_t const length = sequence.size() / width;
        require(length * width == sequence.size(), "sequent::pack: sequence ", lengths.size(), " has ", sequence.size(),
                " numbers, not a multiple of features = ", features);
        lengths.push_back(static_cast<int>(length));
        require(std::cmp_equal(lengths.back(), length), "sequent::pack: sequence ", lengths.size() - 1, " has ", length,
                " steps, more than an int counts");
    }
    packed.shape.assign(lengths);
    packed.features = features;
    auto sequence = std::begin(sequences);
    detail::fill_rows(packed, [&](int) { return (sequence++)->data(); });
}

// Sequences: a range of contiguous ranges of T, such as std::vector<std::vector<int>>.
[[nodiscard]] auto pack(auto const& sequences, int features = 1) {
    packed_sequence<std::remove_cvref_t<decltype(*std::begin(sequences)->data())>> packed;
    pack_into(packed, sequences, features);
    return packed;
}

// Packs a padded batch, [batch, time, features] row-major (PyTorch's batch_first = True, enforce_sorted = False).
// Throws argument_error where PyTorch errs and where PyTorch is silent: fewer or more lengths than sequences; a length
// beyond `time`; every length below `time`, which would drop steps unseen.
template <class T>
[[nodiscard]] packed_sequence<std::remove_const_t<T>> pack_padded(T* padded, int batch, int time, int features,
                                                                  std::span<int const> lengths) {
    require(batch >= 1 && features >= 1 && time >= 0, "sequent::pack_padded: cannot pack an array of shape [", batch,
            ", ", time, ", ", features, "]");
    require(lengths.size() == static_cast<std::size_t>(batch),
            "sequent::pack_padded: expected one length per sequence, ", batch, ", but got ", lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i)
        require(lengths[i] <= time, "sequent::pack_padded: lengths[", i, "] is ", lengths[i],
                ", but the array has only ", time, " steps");
    packed_sequence<std::remove_const_t<T>> packed{packing(lengths), {}, features};
    require(packed.shape.steps() == time, "sequent::pack_padded: the array has ", time,
            " steps, but the longest length is ", packed.shape.steps(), "; cut the array or correct the lengths");
    detail::fill_rows(packed, [&](int user) { return padded + std::ptrdiff_t{user} * time * features; });
    return packed;
}

// Writes packed rows, [shape.rows(), features], into a padded batch [batch, time, features] in the user's order; steps
// beyond a sequence's length get `padding`. Throws argument_error when time is less than the longest length.
template <class T>
void unpack_padded(packing const& shape, matrix_view<T const> rows, T* padded, int time, T padding = T{}) {
    require(time >= shape.steps(), "sequent::unpack: expected room for at least the longest sequence, ", shape.steps(),
            " steps, but got ", time);
    std::fill_n(padded, static_cast<std::ptrdiff_t>(shape.batch()) * time * rows.columns, padding);
    for (int t = 0; t < shape.steps(); ++t)
        for (int i = 0; i < shape.batch_sizes()[static_cast<std::size_t>(t)]; ++i) {
            std::ptrdiff_t const user = shape.sorted_indices()[static_cast<std::size_t>(i)];
            std::copy_n(rows.row(shape.row(t, i)), rows.columns, padded + (user * time + t) * rows.columns);
        }
}

// The sequences one by one, in the user's order, each [length, features] row-major: PyTorch's unpack_sequence.
template <class T>
[[nodiscard]] std::vector<std::vector<T>> unpack(packed_sequence<T> const& packed) {
    packing const& shape = packed.shape;
    std::vector<std::vector<T>> sequences(static_cast<std::size_t>(shape.batch()));
    for (int i = 0; i < shape.batch(); ++i) {
        auto& sequence = sequences[static_cast<std::size_t>(shape.sorted_indices()[static_cast<std::size_t>(i)])];
        for (int t = 0; t < shape.lengths()[static_cast<std::size_t>(i)]; ++t) {
            T const* const row = packed.rows().row(shape.row(t, i));
            sequence.insert(sequence.end(), row, row + packed.features);
        }
    }
    return sequences;
}

}  // namespace sequent
