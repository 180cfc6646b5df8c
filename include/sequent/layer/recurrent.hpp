// A cell as a layer: PyTorch's nn.RNN, nn.LSTM and nn.GRU of one layer, in one direction or both. The parameters carry
// PyTorch's names, shapes, order and initial distribution: U(-1/sqrt(H), 1/sqrt(H)) for all of them.
#pragma once

#include "layer.hpp"

namespace sequent {

// Directions 1: `way` alone. Directions 2: forward and reverse side by side; output [h forward | h reverse].
// sequence_of<Cell::input_size> -> sequence_of<Directions * Cell::hidden_size>.
template <cell Cell, int Directions, direction Way = direction::forward>
struct recurrent_layer {
    struct options {};
    using layout = recurrent_layout<Cell>;
    static constexpr int features = Directions * Cell::hidden_size;
    static constexpr int states = Cell::state_count;
    static constexpr std::ptrdiff_t parameter_size = Directions * layout::size;
    static constexpr int input_size = Cell::input_size;

    template <int Input>
    using with_input = recurrent_layer<typename Cell::template with_input<Input>, Directions, Way>;

    template <class Shape>
    struct output_shape {
        static_assert(
            std::is_same_v<Shape, sequence_of<Cell::input_size>>,
            "sequent::recurrent: the layer before gives another width than the cell's input size, or no sequence; "
            "make the two sizes equal");
        using type = sequence_of<features>;
    };
    template <class Shape>
    using output = typename output_shape<Shape>::type;

    recurrent_layer() = default;
    explicit recurrent_layer(options const&) {}

    template <class Backend, class T>
    struct memory {
        typename Backend::template recurrent_memory<Cell, T> recurrent[Directions];
        state_memory<Backend, T> state[Directions][states];
        buffer_of<Backend, T> output;          // [rows, features]
        buffer_of<Backend, T> last;            // [batch, features]
        buffer_of<Backend, T> input_gradient;  // [distinct, input]
    };

    void describe(scope const& where, auto& mine, auto& visitor) const {
        constexpr int in = Cell::input_size, h = Cell::hidden_size, gate_rows = layout::gate_rows;
        initial_values const uniform{initial_values::kind::uniform, 1 / std::sqrt(static_cast<double>(h))};
        for (int d = 0; d < Directions; ++d) {
            bool const reverse = d == 1 || Way == direction::reverse;
            auto const end = reverse ? tensor_name::ending::depth_reverse : tensor_name::ending::depth;
            std::ptrdiff_t const at = where.offset + d * layout::size;
            visitor.tensor(tensor_name{where, "weight_ih", end}, {gate_rows, in}, at + layout::weight_ih, uniform);
            visitor.tensor(tensor_name{where, "weight_hh", end}, {gate_rows, h}, at + layout::weight_hh, uniform);
            visitor.tensor(tensor_name{where, "bias_ih", end}, {gate_rows}, at + layout::bias_ih, uniform);
            visitor.tensor(tensor_name{where, "bias_hh", end}, {gate_rows}, at + layout::bias_hh, uniform);
            for (int u = 0; u < Cell::unit_count; ++u)
                visitor.tensor(tensor_name{where, Cell::unit_name(u), end}, {h},
                               at + layout::unit + u * layout::unit_stride, uniform);
            for (int s = 0; s < states; ++s)
                visitor.state(tensor_name{where, Cell::state_name(s), end}, h, mine.state[d][s]);
        }
    }

    template <class Backend, class T>
    sequence_flow<Backend, T> forward(pass<Backend> const& now, T const* parameters, memory<Backend, T>& mine,
                                      sequence_flow<Backend, T> const& input) const {
        auto const all = runs(now, parameters, mine, *input.shape);
        recurrent_forward<Cell, T>(now.device, *input.shape, input.values, now.kept(),
                                   std::span<run<Backend, T> const>(all));
        matrix_view<T> const last = reserve_rows(mine.last, input.shape->batch(), features);
        for (int column = 0; run<Backend, T> const& one : all) {
            matrix_view<T const> const h = one.final[0];
            copy_rows(now.device, h, last.column_block(column, h.columns));
            column += h.columns;
        }
        return output_view(mine, input);
    }

    template <class Backend, class T>
    sequence_flow<Backend, T> output_view(memory<Backend, T>& mine, sequence_flow<Backend, T> const& input) const {
        return {input.shape,
                {{mine.output.data(), input.shape->rows(), features}, {}},
                {mine.last.data(), input.shape->batch(), features}};
    }

    template <class Backend, class T>
    sequence_gradient<T> backward(pass<Backend> const& now, T const* parameters, T* gradients, memory<Backend, T>& mine,
                                  sequence_flow<Backend, T> const& input, sequence_gradient<T> const& gradient,
                                  input_gradient wanted) const {
        constexpr int h = Cell::hidden_size;
        int const batch = input.shape->batch();
        auto all = runs(now, parameters, mine, *input.shape);
        for (int d = 0; run<Backend, T> & one : all) {
            one.parameter_gradient = gradients + d * layout::size;
            one.output_gradient = gradient.values.column_block(d * h, h);
            matrix_view<T const> const from_last = gradient.last.column_block(d * h, h);
            for (int s = 0; s < states; ++s) {
                state_memory<Backend, T>& state = mine.state[d][s];
                matrix_view<T> const from_user(state.final_gradient.data(), batch, h);
                bool const given = state.final_gradient.size() > 0;
                if (given) one.final_gradient[s] = from_user;
                one.initial_gradient[s] = reserve_rows(state.initial_gradient, batch, h);
                if (s > 0 || from_last.empty()) continue;
                if (given)
                    add_rows(now.device, from_last, from_user);
                else
                    one.final_gradient[0] = from_last;
            }
            ++d;
        }
        matrix_view<T> below;
        if (wanted == input_gradient::wanted)
            below = reserve_rows(mine.input_gradient, input.values.rows.rows, Cell::input_size);
        recurrent_backward<Cell, T>(now.device, *input.shape, input.values, std::span<run<Backend, T> const>(all),
                                    below);
        return {below};
    }

    [[nodiscard]] input_gradient wants(auto const&, input_gradient) const { return input_gradient::wanted; }

  private:
    template <class Backend, class T>
    using run = recurrent_run<Cell, Backend, T>;

    template <class Backend, class T>
    static std::array<run<Backend, T>, Directions> runs(pass<Backend> const& now, T const* parameters,
                                                        memory<Backend, T>& mine, typename Backend::plan const& shape) {
        constexpr int h = Cell::hidden_size;
        std::array<run<Backend, T>, Directions> runs{};
        for (int d = 0; run<Backend, T> & one : runs) {
            one.way = d == 1 ? direction::reverse : Way;
            one.parameters = parameters + d * layout::size;
            one.version = now.version;
            one.memory = &mine.recurrent[d];
            one.output = reserve_rows(mine.output, shape.rows(), features).column_block(d * h, h);
            for (int s = 0; s < states; ++s) {
                state_memory<Backend, T>& state = mine.state[d][s];
                if (state.initial.size() > 0)
                    one.initial[s] = matrix_view<T const>(state.initial.data(), shape.batch(), h);
                one.final[s] = reserve_rows(state.final, shape.batch(), h);
            }
            ++d;
        }
        return runs;
    }
};

namespace detail {
template <class Cell>
struct cell_only {
    static_assert(cell<Cell>,
                  "sequent::bidirectional, reversed, recurrent: take a cell, no layer; PyTorch's num_layers with "
                  "bidirectional=True is stacked<Depth, bidirectional<Cell>>");
    using type = Cell;
};

template <class LayerOrCell>
struct as_layer {
    static_assert(layer<LayerOrCell>,
                  "sequent::layer_of: neither a layer nor a cell; give one, such as sequent::lstm<3, 4>");
    using type = LayerOrCell;
};
template <cell Cell>
struct as_layer<Cell> {
    using type = recurrent_layer<Cell, 1>;
};
}  // namespace detail

template <class Cell>
using recurrent = recurrent_layer<typename detail::cell_only<Cell>::type, 1>;
template <class Cell>
using reversed = recurrent_layer<typename detail::cell_only<Cell>::type, 1, direction::reverse>;
template <class Cell>
using bidirectional = recurrent_layer<typename detail::cell_only<Cell>::type, 2>;

// A cell stands for the recurrent layer of it, wherever a layer is expected.
template <class LayerOrCell>
using layer_of = typename detail::as_layer<LayerOrCell>::type;

}  // namespace sequent
