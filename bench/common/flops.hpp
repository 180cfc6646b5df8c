// What counts as work: the FLOPs of a recurrent layer, fixed by its sizes and the number of true tokens.
#pragma once

#include <compare>

namespace bench {

// A recurrent layer at work on one packed batch. One direction; sums of layers are sums of their FLOPs.
struct layer_size {
    int input, hidden, gate_rows;  // E, H, G = gates * H
    int batch;                     // rows of a full step

    friend constexpr auto operator<=>(layer_size const&, layer_size const&) = default;

    template <class Cell>
    static constexpr layer_size of(int batch) {
        return {Cell::input_size, Cell::hidden_size, Cell::gate_count * Cell::hidden_size, batch};
    }
    // FLOPs of N tokens, by definition: 2 N G (E + H) forward, twice that backward. The biases, the activations and the
    // optimizer count nothing; working on distinct tokens alone does not lower the number.
    [[nodiscard]] constexpr double forward(double tokens) const { return 2 * tokens * gate_rows * (input + hidden); }
    [[nodiscard]] constexpr double backward(double tokens) const { return 2 * forward(tokens); }
    [[nodiscard]] constexpr double training(double tokens) const { return 3 * forward(tokens); }
};

}  // namespace bench
