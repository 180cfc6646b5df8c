// The weights of one LSTM or GRU layer from the layouts of Keras and ONNX into PyTorch's, which is this library's:
// order of the gates, transposes, biases. https://keras.io/api/layers/recurrent_layers,
// https://onnx.ai/onnx/operators/onnx__LSTM.html and onnx__GRU.html.
#pragma once

#include <cmath>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

enum class gated_cell { lstm, gru };

// Of one layer in one direction; all row-major. H units, I inputs; G = 4 gates of an LSTM, i f g o, or 3 of a GRU,
// r z n. The members are named as the parameters of a model: weight_ih_l0, ...
template <class T>
struct gate_weights {
    std::vector<T> weight_ih;         // [G * H, I]
    std::vector<T> weight_hh;         // [G * H, H]
    std::vector<T> bias_ih, bias_hh;  // [G * H]
};

namespace detail {

// How another engine keeps a layer. function: who is asked, for messages.
struct gate_layout {
    std::string_view function;
    std::vector<std::size_t> places;  // PyTorch's gate k is its gate places[k]
    bool transposed;                  // matrices are [I, G * H] and [H, G * H]
    std::size_t biases;               // 1: their sum
};

template <class T>
std::vector<T> transposed(std::span<T const> matrix, std::size_t rows) {
    std::size_t const columns = matrix.size() / rows;
    std::vector<T> result(matrix.size());
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) result[j * rows + i] = matrix[i * columns + j];
    return result;
}

template <class T>
gate_weights<T> to_pytorch(gate_layout const& layout, std::span<T const> input, std::span<T const> recurrent,
                           std::span<T const> bias) {
    auto const refuse = [&](auto const&... what) {
        throw argument_error("sequent::", layout.function, ": the ", what...);
    };
    std::size_t const gates = layout.places.size();
    auto const hidden = static_cast<std::size_t>(std::sqrt(static_cast<double>(recurrent.size() / gates)) + 0.5);
    std::size_t const rows = gates * hidden;
    if (hidden == 0 || rows * hidden != recurrent.size())
        refuse("recurrent weights have ", recurrent.size(), " numbers, which is no ", gates, " * H * H");
    if (input.empty() || input.size() % rows != 0)
        refuse("input weights have ", input.size(), " numbers, which is no multiple of ", rows, " (", gates,
               " gates of ", hidden, " units)");
    if (bias.size() != layout.biases * rows)
        refuse("bias has ", bias.size(), " numbers, expected ", layout.biases * rows, " for ", hidden, " units",
               gates == 3 && bias.size() == rows ? "; a GRU has two (reset_after=True in Keras)" : "");

    auto const reordered = [&](std::span<T const> from) {
        std::size_t const size = from.size() / gates;
        std::vector<T> result;
        for (std::size_t const place : layout.places) {
            auto const gate = from.subspan(place * size, size);
            result.insert(result.end(), gate.begin(), gate.end());
        }
        return result;
    };
    auto const matrix = [&](std::span<T const> from) {
        return layout.transposed ? reordered(transposed(from, from.size() / rows)) : reordered(from);
    };
    return {matrix(input), matrix(recurrent), reordered(bias.first(rows)),
            layout.biases == 1 ? std::vector<T>(rows) : reordered(bias.last(rows))};
}

}  // namespace detail

// Of a layer of Keras, in the order of Layer.get_weights(), vectors or spans of float or double. LSTM, i f c o: kernel
// [I, 4 * H], recurrent_kernel [H, 4 * H], bias [4 * H], which becomes bias_ih; bias_hh is zero. GRU with
// reset_after=True, z r h: [I, 3 * H], [H, 3 * H], [2, 3 * H]. Throws argument_error when the sizes do not fit.
template <std::ranges::contiguous_range Kernel, class T = std::ranges::range_value_t<Kernel>>
[[nodiscard]] gate_weights<T> from_keras(gated_cell cell, Kernel const& kernel,
                                         std::type_identity_t<std::span<T const>> recurrent_kernel,
                                         std::type_identity_t<std::span<T const>> bias) {
    detail::gate_layout const lstm{"from_keras", {0, 1, 2, 3}, true, 1}, gru{"from_keras", {1, 0, 2}, true, 2};
    return detail::to_pytorch<T>(cell == gated_cell::lstm ? lstm : gru, kernel, recurrent_kernel, bias);
}

// Of one direction of a node of ONNX, a contiguous part of each of its inputs W [G * H, I], R [G * H, H] and
// B [2, G * H]: i o f c; z r h with linear_before_reset = 1. Throws argument_error when the sizes do not fit.
template <std::ranges::contiguous_range Weights, class T = std::ranges::range_value_t<Weights>>
[[nodiscard]] gate_weights<T> from_onnx(gated_cell cell, Weights const& w, std::type_identity_t<std::span<T const>> r,
                                        std::type_identity_t<std::span<T const>> b) {
    detail::gate_layout const lstm{"from_onnx", {0, 2, 3, 1}, false, 2}, gru{"from_onnx", {1, 0, 2}, false, 2};
    return detail::to_pytorch<T>(cell == gated_cell::lstm ? lstm : gru, w, r, b);
}

}  // namespace sequent
