// The weights of one LSTM or GRU layer between PyTorch's layout, which is this library's, and those of Keras and ONNX:
// order of the gates, transposes, biases. https://keras.io/api/layers/recurrent_layers,
// https://onnx.ai/onnx/operators/onnx__LSTM.html and onnx__GRU.html.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

enum class gated_cell { lstm, gru };

// Of one layer in one direction; all row-major. H units, I inputs; G = 4 gates of an LSTM, 3 of a GRU.
// PyTorch: i f g o; r z n. The members are named as the parameters of a model: weight_ih_l0, ...
template <class T>
struct gate_weights {
    std::vector<T> weight_ih;         // [G * H, I]
    std::vector<T> weight_hh;         // [G * H, H]
    std::vector<T> bias_ih, bias_hh;  // [G * H]
};

// Keras, in the order of Layer.get_weights(): i f c o; z r h with reset_after=True.
template <class T>
struct keras_weights {
    std::vector<T> kernel;            // [I, G * H]
    std::vector<T> recurrent_kernel;  // [H, G * H]
    std::vector<T> bias;              // LSTM: [4 * H]; GRU: [2, 3 * H], input and recurrent
};

// ONNX, of one direction: i o f c; z r h with linear_before_reset = 1.
template <class T>
struct onnx_weights {
    std::vector<T> w;  // [G * H, I]
    std::vector<T> r;  // [G * H, H]
    std::vector<T> b;  // [2 * G * H], input and recurrent
};

namespace detail {

// How another engine keeps a layer: its gate k is gate order[k] of PyTorch. function: who is asked, for messages.
struct gate_layout {
    std::string_view function;
    std::vector<std::size_t> order;
    bool transposed;     // matrices are [I, G * H] and [H, G * H]
    std::size_t biases;  // 1: their sum
};

inline gate_layout keras_layout(std::string_view function, gated_cell cell) {
    if (cell == gated_cell::lstm) return {function, {0, 1, 2, 3}, true, 1};
    return {function, {1, 0, 2}, true, 2};
}
inline gate_layout onnx_layout(std::string_view function, gated_cell cell) {
    if (cell == gated_cell::lstm) return {function, {0, 3, 1, 2}, false, 2};
    return {function, {1, 0, 2}, false, 2};
}

// Block k of the result is block order[k] of `blocks`, which has as many.
template <class T>
std::vector<T> reordered(std::span<T const> blocks, std::vector<std::size_t> const& order) {
    std::size_t const size = blocks.size() / order.size();
    std::vector<T> result;
    result.reserve(blocks.size());
    for (std::size_t const k : order) {
        auto const block = blocks.subspan(k * size, size);
        result.insert(result.end(), block.begin(), block.end());
    }
    return result;
}

template <class T>
std::vector<T> transposed(std::span<T const> matrix, std::size_t rows) {
    std::size_t const columns = matrix.size() / rows;
    std::vector<T> result(matrix.size());
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < columns; ++j) result[j * rows + i] = matrix[i * columns + j];
    return result;
}

// H, from the numbers of elements: input weights [G * H, I], recurrent weights [G * H, H], bias [biases * G * H].
inline std::size_t hidden_size(gate_layout const& layout, std::size_t input_weights, std::size_t recurrent_weights,
                               std::size_t bias, std::size_t biases) {
    auto const refuse = [&](auto const&... what) {
        throw argument_error(message("sequent::", layout.function, ": the ", what...));
    };
    std::size_t const gates = layout.order.size();
    auto const hidden =
        static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(recurrent_weights / gates))));
    if (hidden == 0 || gates * hidden * hidden != recurrent_weights)
        refuse("recurrent weights have ", recurrent_weights, " numbers, which is no ", gates, " * H * H");
    if (input_weights == 0 || input_weights % (gates * hidden) != 0)
        refuse("input weights have ", input_weights, " numbers, which is no multiple of ", gates * hidden, " (", gates,
               " gates of ", hidden, " units)");
    if (bias != biases * gates * hidden)
        refuse("bias has ", bias, " numbers, expected ", biases * gates * hidden, " for ", hidden, " units",
               biases == 2 && bias == 3 * hidden ? "; a GRU has two (reset_after=True in Keras)" : "");
    return hidden;
}

template <class T>
gate_weights<T> to_pytorch(gate_layout const& layout, std::span<T const> input, std::span<T const> recurrent,
                           std::span<T const> bias) {
    std::size_t const rows =
        layout.order.size() * hidden_size(layout, input.size(), recurrent.size(), bias.size(), layout.biases);
    std::vector<std::size_t> inverse(layout.order.size());
    for (std::size_t k = 0; k < inverse.size(); ++k) inverse[layout.order[k]] = k;
    auto const matrix = [&](std::span<T const> from) {
        return layout.transposed ? reordered<T>(transposed(from, from.size() / rows), inverse)
                                 : reordered(from, inverse);
    };
    return {matrix(input), matrix(recurrent), reordered(bias.first(rows), inverse),
            layout.biases == 1 ? std::vector<T>(rows) : reordered(bias.last(rows), inverse)};
}

// Weights: keras_weights or onnx_weights.
template <class Weights, class T>
Weights from_pytorch(gate_layout const& layout, gate_weights<T> const& from) {
    for (auto const* bias : {&from.bias_ih, &from.bias_hh})
        hidden_size(layout, from.weight_ih.size(), from.weight_hh.size(), bias->size(), 1);
    auto const matrix = [&](std::vector<T> const& rows) {
        std::vector<T> ordered = reordered<T>(rows, layout.order);
        return layout.transposed ? transposed<T>(ordered, from.bias_ih.size()) : ordered;
    };
    std::vector<T> bias = reordered<T>(from.bias_ih, layout.order);
    std::vector<T> const recurrent = reordered<T>(from.bias_hh, layout.order);
    if (layout.biases == 1)
        std::ranges::transform(bias, recurrent, bias.begin(), std::plus<>{});
    else
        bias.insert(bias.end(), recurrent.begin(), recurrent.end());
    return {matrix(from.weight_ih), matrix(from.weight_hh), std::move(bias)};
}

}  // namespace detail

// kernel, recurrent_kernel, bias: as in keras_weights; vectors or spans of float or double. An LSTM's one bias becomes
// bias_ih; bias_hh is zero. Throws argument_error when the sizes do not fit each other.
template <std::ranges::contiguous_range Kernel, class T = std::ranges::range_value_t<Kernel>>
[[nodiscard]] gate_weights<T> from_keras(gated_cell cell, Kernel const& kernel,
                                         std::type_identity_t<std::span<T const>> recurrent_kernel,
                                         std::type_identity_t<std::span<T const>> bias) {
    return detail::to_pytorch<T>(detail::keras_layout("from_keras", cell), kernel, recurrent_kernel, bias);
}

// The way back. An LSTM's two biases are added. Throws argument_error when the sizes do not fit each other.
template <class T>
[[nodiscard]] keras_weights<T> to_keras(gated_cell cell, gate_weights<T> const& from) {
    return detail::from_pytorch<keras_weights<T>>(detail::keras_layout("to_keras", cell), from);
}

// w, r, b: as in onnx_weights, so one direction's part of the inputs W, R and B, of which each direction is one
// contiguous part. Throws argument_error when the sizes do not fit each other.
template <std::ranges::contiguous_range Weights, class T = std::ranges::range_value_t<Weights>>
[[nodiscard]] gate_weights<T> from_onnx(gated_cell cell, Weights const& w, std::type_identity_t<std::span<T const>> r,
                                        std::type_identity_t<std::span<T const>> b) {
    return detail::to_pytorch<T>(detail::onnx_layout("from_onnx", cell), w, r, b);
}

// The way back. Throws argument_error when the sizes do not fit each other.
template <class T>
[[nodiscard]] onnx_weights<T> to_onnx(gated_cell cell, gate_weights<T> const& from) {
    return detail::from_pytorch<onnx_weights<T>>(detail::onnx_layout("to_onnx", cell), from);
}

}  // namespace sequent
