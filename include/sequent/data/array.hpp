// xtensor arrays in and out: padded batches [batch, time, features] or token ids [batch, time]. The only header that
// includes xtensor.
#pragma once

#include <array>

#if __has_include(<xtensor/xtensor.hpp>)
#include <xtensor/xtensor.hpp>
#else
#include <xtensor/containers/xtensor.hpp>  // xtensor 0.26 and newer
#endif

#include "../sequence/packed_sequence.hpp"

namespace sequent {

// Packs a padded array of shape [batch, time, features], or [batch, time] for one feature (token ids): any xtensor
// container, adaptor or view, row-major and contiguous. Throws argument_error for another rank and as pack_padded does.
template <class Array>
requires requires(Array const& array) {
    array.dimension();
    array.shape();
    array.data();
}
[[nodiscard]] auto pack(Array const& padded, std::span<int const> lengths) {
    static_assert(Array::static_layout == xt::layout_type::row_major,
                  "sequent::pack: the array must be row-major; assign it to an xt::xtensor first");
    std::size_t const rank = padded.dimension();
    require(rank == 2 || rank == 3, "sequent::pack: the array must have 2 or 3 dimensions, got ", rank);
    auto const extent = [&](std::size_t i) { return i < rank ? static_cast<int>(padded.shape()[i]) : 1; };
    return pack_padded(padded.data() + padded.data_offset(), extent(0), extent(1), extent(2), lengths);
}

// The padded array of packed rows, [batch, time, features] in the user's order; time: the longest length, or more.
// Steps beyond a sequence's length hold `padding`. Throws argument_error when `time` is too small (PyTorch's
// total_length).
template <class T>
[[nodiscard]] xt::xtensor<std::remove_const_t<T>, 3> unpack(packing const& shape, matrix_view<T> rows, int time = -1,
                                                            std::remove_const_t<T> padding = {}) {
    int const steps = time < 0 ? shape.steps() : time;
    auto const extent = [](int n) { return static_cast<std::size_t>(n); };
    xt::xtensor<std::remove_const_t<T>, 3> padded(
        std::array<std::size_t, 3>{extent(shape.batch()), extent(steps), extent(rows.columns)});
    unpack_padded<std::remove_const_t<T>>(shape, rows, padded.data(), steps, padding);
    return padded;
}

}  // namespace sequent
