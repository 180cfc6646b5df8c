// What flows between layers, what a layer is told and asked, and the concept `layer`. A layer maps a shape to a shape
// and owns no memory: what it remembers is in its `memory<Backend, T>` and in its part of the parameter block.
#pragma once

#include <array>

#include "../backend/backend.hpp"

namespace sequent {

// A size known only at run time, such as the rows of a vocabulary.
inline constexpr int dynamic = -1;

// Shapes, as types: what a layer accepts and gives.
struct token_ids {};  // packed token ids
template <int Features>
struct sequence_of {  // packed rows, one per token: [shape.rows(), Features]
    static constexpr int features = Features;
};
template <int Features>
struct rows_of {  // one row per sequence, in the user's order: [batch, Features]
    static constexpr int features = Features;
};

// The values of those shapes: views of memory that the model's layers own, valid until the next forward pass. The shape
// of the batch is the backend's plan of it: on the CPU, the packing itself.
template <class Backend>
struct token_flow {
    typename Backend::plan const* shape;
    std::span<int const> ids;  // on the host
};
template <class Backend, class T>
struct sequence_flow {
    typename Backend::plan const* shape;
    indexed_rows<T> values;
    matrix_view<T const> last{};  // [batch, features], sorted order: the final h of the layer that made it; or empty

    // Of what a model gives: the rows one by one.
    explicit operator matrix_view<T const>() const { return values.rows; }
    // What a layer makes of each row alone has no final h: of the distinct rows, or of all rows, one by one.
    [[nodiscard]] matrix_view<T const> distinct() const { return values.rows; }
    [[nodiscard]] sequence_flow with_distinct(matrix_view<T const> rows) const { return {shape, {rows, values.index}}; }
    [[nodiscard]] sequence_flow with_rows(matrix_view<T const> rows) const { return {shape, {rows, {}}}; }
};
template <class Backend, class T>
struct rows_flow {
    typename Backend::plan const* shape;
    matrix_view<T const> values;

    [[nodiscard]] matrix_view<T const> distinct() const { return values; }
    [[nodiscard]] rows_flow with_distinct(matrix_view<T const> rows) const { return {shape, rows}; }
    [[nodiscard]] rows_flow with_rows(matrix_view<T const> rows) const { return {shape, rows}; }
};

// Gradients of the loss with respect to them. Those of a sequence stand in the rows of `values`, so in distinct rows.
struct no_gradient {};
template <class T>
struct sequence_gradient {
    matrix_view<T const> values{};  // empty: zeros
    matrix_view<T const> last{};    // empty: zeros
};
template <class T>
struct rows_gradient {
    matrix_view<T const> values;
};

// training: dropout acts. evaluation: it does not. inference: besides, nothing is kept for a backward pass.
enum class mode { training, evaluation, inference };

// Whether anything below a layer asks for the gradient of its input.
enum class input_gradient { wanted, not_wanted };

// What every layer is told of the pass it takes part in.
template <class Backend>
struct pass {
    Backend const& device;
    mode how = mode::training;
    std::uint64_t seed = 0;
    std::uint64_t step = 0;     // counts forward passes: keys the dropout
    std::uint64_t version = 0;  // of the parameters: unlike after every change
    [[nodiscard]] keep kept() const { return how == mode::inference ? keep::nothing : keep::for_backward; }
};

// How a parameter starts: PyTorch's distributions.
struct initial_values {
    enum class kind { zero, uniform, normal };  // uniform in [-bound, bound), standard normal
    kind distribution = kind::zero;
    double bound = 0;
};

// Where in the network a layer stands, while it lists its tensors. A chain of the scopes around it, so that names are
// put together only where somebody asks for them.
struct scope {
    scope const* outer = nullptr;
    std::string_view name = {};     // of the layer, "" where it adds none to its tensors' names
    int place = -1;                 // its number in a sequential, if it has no name
    int depth = 0;                  // of a stack: the k of weight_ih_l{k}
    std::ptrdiff_t offset = 0;      // of its part of the parameter block
    std::uint64_t dropout_key = 0;  // unlike for two layers of chains of up to 31, up to 3 deep

    [[nodiscard]] std::string prefix() const {
        std::string const before = outer == nullptr ? "" : outer->prefix();
        if (!name.empty()) return before + std::string(name) + ".";
        return place < 0 ? before : before + std::to_string(place) + ".";
    }
};

// The name of a tensor or state: "rnn." + "weight_ih" + "_l0_reverse".
struct tensor_name {
    scope const& where;
    std::string_view stem;
    enum class ending { none, depth, depth_reverse } end = ending::none;

    [[nodiscard]] std::string text() const {
        std::string const suffix = end == ending::none ? "" : "_l" + std::to_string(where.depth);
        return where.prefix() + std::string(stem) + suffix + (end == ending::depth_reverse ? "_reverse" : "");
    }
};

// The states of one direction of a recurrent layer, in the sorted order of the batch, one [batch, width] after another.
template <class Backend, class T>
struct state_memory {
    buffer_of<Backend, T> initial, final_gradient;  // without elements: zeros
    buffer_of<Backend, T> final, initial_gradient;
};

// Layer::input_size               the features it takes; 0: token ids; -1: whatever comes
// Layer::output<Shape>            the shape it gives for the shape it takes; a wrong one does not compile
// Layer::parameter_size           numbers in its part of the dense parameter block
// Layer::options                  what only run time knows, an aggregate
// Layer::memory<Backend, T>       what it remembers
// layer.describe(scope, memory, visitor)   lists tensors, tables and states by name
// layer.forward(now, parameters, memory, input) -> output
// layer.output_view(memory, input) -> output            the last forward pass's output again, without work
// layer.backward(now, parameters, gradients, memory, input, output_gradient, wanted) -> input gradient
// layer.wants(memory, below)      whether it asks for the gradient of its output, if `below` is asked of its input
template <class L>
concept layer = requires {
    typename L::options;
    { L::input_size } -> std::convertible_to<int>;
    { L::parameter_size } -> std::convertible_to<std::ptrdiff_t>;
}
&&std::copy_constructible<L>;

// Rows one by one where they came by index: the distinct rows written out. `room` holds them.
template <class Backend, class T, class Buffer>
matrix_view<T const> materialise(Backend const& device, sequence_flow<Backend, T> const& flow, Buffer& room) {
    if (flow.values.index.empty()) return flow.values.rows;
    matrix_view<T> const out = reserve_rows(room, flow.shape->rows(), flow.values.rows.columns);
    gather_rows(device, flow.values.rows, flow.values.index, out);
    return out;
}
template <class Backend, class T>
matrix_view<T const> materialise(Backend const&, rows_flow<Backend, T> const& flow, auto&) {
    return flow.values;
}

// The gradient of rows written out by `materialise`, gathered back into the distinct rows.
template <class Backend, class T, class Buffer>
matrix_view<T const> dematerialise(Backend const& device, sequence_flow<Backend, T> const& flow,
                                   matrix_view<T const> gradient, Buffer& room) {
    if (flow.values.index.empty()) return gradient;
    matrix_view<T> const out = reserve_rows(room, flow.values.rows.rows, gradient.columns);
    fill(device, out.data, out.size(), T(0));
    scatter_add_rows(device, gradient, flow.values.index, out);
    return out;
}
template <class Backend, class T>
matrix_view<T const> dematerialise(Backend const&, rows_flow<Backend, T> const&, matrix_view<T const> gradient, auto&) {
    return gradient;
}

}  // namespace sequent
