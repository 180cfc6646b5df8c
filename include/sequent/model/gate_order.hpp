// The weights of one LSTM or GRU layer between PyTorch's layout, which is this library's, and those of Keras and ONNX:
// order of the gates, transposes, biases. https://keras.io/api/layers/recurrent_layers,
// https://onnx.ai/onnx/operators/onnx__LSTM.html and onnx__GRU.html.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
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

// Gate k of the other engine is gate order[k] of PyTorch.
inline std::vector<std::size_t> keras_order(gated_cell cell) {
    return cell == gated_cell::lstm ? std::vector<std::size_t>{0, 1, 2, 3} : std::vector<std::size_t>{1, 0, 2};
}
inline std::vector<std::size_t> onnx_order(gated_cell cell) {
    return cell == gated_cell::lstm ? std::vector<std::size_t>{0, 3, 1, 2} : std::vector<std::size_t>{1, 0, 2};
}
inline std::vector<std::size_t> inverse(std::vector<std::size_t> const& order) {
    std::vector<std::size_t> result(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) result[order[k]] = k;
    return result;
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

// H, from the numbers of elements: recurrent weights [G * H, H], input weights [G * H, I], bias [bias_rows * H].
inline std::size_t hidden_size(std::string_view who, gated_cell cell, std::size_t input_weights,
                               std::size_t recurrent_weights, std::size_t bias, std::size_t bias_rows) {
    std::size_t const gates = cell == gated_cell::lstm ? 4 : 3;
    auto const hidden =
        static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(recurrent_weights / gates))));
    if (hidden == 0 || gates * hidden * hidden != recurrent_weights)
        throw argument_error(message("sequent::", who, ": the recurrent weights have ", recurrent_weights,
                                     " numbers, which is no ", gates, " * H * H"));
    if (input_weights == 0 || input_weights % (gates * hidden) != 0)
        throw argument_error(message("sequent::", who, ": the input weights have ", input_weights,
                                     " numbers, which is no multiple of ", gates * hidden, " (", gates, " gates of ",
                                     hidden, " units)"));
    if (bias != bias_rows * hidden)
        throw argument_error(message(
            "sequent::", who, ": the bias has ", bias, " numbers, expected ", bias_rows * hidden, " for ", hidden,
            " units", bias_rows == 6 && bias == 3 * hidden ? "; a GRU has two (reset_after=True in Keras)" : ""));
    return hidden;
}

template <class T>
void check_gate_weights(std::string_view who, gated_cell cell, gate_weights<T> const& from) {
    std::size_t const gates = cell == gated_cell::lstm ? 4 : 3;
    for (auto const* bias : {&from.bias_ih, &from.bias_hh})
        hidden_size(who, cell, from.weight_ih.size(), from.weight_hh.size(), bias->size(), gates);
}

}  // namespace detail

// kernel, recurrent_kernel, bias: as in keras_weights; vectors or spans of float or double. An LSTM's one bias becomes
// bias_ih; bias_hh is zero. Throws argument_error when the sizes do not fit each other.
template <std::ranges::contiguous_range Kernel, class T = std::ranges::range_value_t<Kernel>>
[[nodiscard]] gate_weights<T> from_keras(gated_cell cell, Kernel const& kernel,
                                         std::type_identity_t<std::span<T const>> recurrent_kernel,
                                         std::type_identity_t<std::span<T const>> bias) {
    std::span<T const> const input_kernel(kernel);
    bool const lstm = cell == gated_cell::lstm;
    std::size_t const hidden = detail::hidden_size("from_keras", cell, input_kernel.size(), recurrent_kernel.size(),
                                                   bias.size(), lstm ? 4 : 6);
    auto const order = detail::inverse(detail::keras_order(cell));
    std::size_t const gate_rows = order.size() * hidden;
    auto const matrix = [&](std::span<T const> from) {
        std::vector<T> const rows = detail::transposed(from, from.size() / gate_rows);
        return detail::reordered<T>(rows, order);
    };
    return {matrix(input_kernel), matrix(recurrent_kernel), detail::reordered(bias.first(gate_rows), order),
            lstm ? std::vector<T>(gate_rows) : detail::reordered(bias.last(gate_rows), order)};
}

// The way back. An LSTM's two biases are added. Throws argument_error when the sizes do not fit each other.
template <class T>
[[nodiscard]] keras_weights<T> to_keras(gated_cell cell, gate_weights<T> const& from) {
    detail::check_gate_weights("to_keras", cell, from);
    auto const order = detail::keras_order(cell);
    auto const matrix = [&](std::vector<T> const& rows) {
        std::vector<T> const ordered = detail::reordered<T>(rows, order);
        return detail::transposed<T>(ordered, from.bias_ih.size());
    };
    std::vector<T> bias = detail::reordered<T>(from.bias_ih, order);
    std::vector<T> const recurrent = detail::reordered<T>(from.bias_hh, order);
    if (cell == gated_cell::lstm)
        std::ranges::transform(bias, recurrent, bias.begin(), std::plus<>{});
    else
        bias.insert(bias.end(), recurrent.begin(), recurrent.end());
    return {matrix(from.weight_ih), matrix(from.weight_hh), std::move(bias)};
}

// w, r, b: as in onnx_weights, so one direction's part of the inputs W, R and B, of which each direction is one
// contiguous part. Throws argument_error when the sizes do not fit each other.
template <std::ranges::contiguous_range Weights, class T = std::ranges::range_value_t<Weights>>
[[nodiscard]] gate_weights<T> from_onnx(gated_cell cell, Weights const& w, std::type_identity_t<std::span<T const>> r,
                                        std::type_identity_t<std::span<T const>> b) {
    std::span<T const> const input_weights(w);
    auto const order = detail::inverse(detail::onnx_order(cell));
    std::size_t const hidden =
        detail::hidden_size("from_onnx", cell, input_weights.size(), r.size(), b.size(), 2 * order.size());
    std::size_t const gate_rows = order.size() * hidden;
    return {detail::reordered(input_weights, order), detail::reordered(r, order),
            detail::reordered(b.first(gate_rows), order), detail::reordered(b.last(gate_rows), order)};
}

// The way back. Throws argument_error when the sizes do not fit each other.
template <class T>
[[nodiscard]] onnx_weights<T> to_onnx(gated_cell cell, gate_weights<T> const& from) {
    detail::check_gate_weights("to_onnx", cell, from);
    auto const order = detail::onnx_order(cell);
    std::vector<T> b = detail::reordered<T>(from.bias_ih, order);
    std::vector<T> const recurrent = detail::reordered<T>(from.bias_hh, order);
    b.insert(b.end(), recurrent.begin(), recurrent.end());
    return {detail::reordered<T>(from.weight_ih, order), detail::reordered<T>(from.weight_hh, order), std::move(b)};
}

}  // namespace sequent
