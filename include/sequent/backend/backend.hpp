// The waist of the library: what a layer asks of a backend, and nothing more. The operations are free functions, chosen
// by overload on the policy type that is their first argument (`cpu`, `cuda`). They take whole sequences, never single
// steps: a GPU would pay a launch per step, a CPU a pass through memory. docs/backends.md lists them.
//
// Memory rule: `output` and `..._gradient` of inputs and states are overwritten; gradients of parameters are added to.
#pragma once

#include <cstdint>

#include "../cell/cell.hpp"
#include "../core/matrix.hpp"
#include "../sequence/packing.hpp"

namespace sequent {

// Which way a recurrent layer reads its sequences. On a packed batch `reverse` starts at each sequence's own last step.
enum class direction { forward, reverse };

// Whether a forward pass keeps what the backward pass reads.
enum class keep { nothing, for_backward };

// Rows of a packed batch on their way between layers. Row r of the batch is rows.row(index[r]), or rows.row(r) when
// index is empty: an embedding hands on each distinct word once, and what follows may work on distinct rows alone.
template <class T>
struct indexed_rows {
    matrix_view<T const> rows;   // [distinct, features]
    std::span<int const> index;  // [shape.rows()] or empty
};

// Where a recurrent layer's tensors stand in its part of the parameter block, with PyTorch's names, shapes and order.
// Every tensor starts on a multiple of 64 bytes in float.
template <class Cell>
struct recurrent_layout {
    static constexpr int gate_rows = Cell::gate_count * Cell::hidden_size;
    static constexpr std::ptrdiff_t aligned(std::ptrdiff_t n) { return (n + 15) / 16 * 16; }
    static constexpr std::ptrdiff_t weight_ih = 0;                                                      // [G H, in]
    static constexpr std::ptrdiff_t weight_hh = aligned(std::ptrdiff_t{gate_rows} * Cell::input_size);  // [G H, H]
    static constexpr std::ptrdiff_t bias_ih =
        weight_hh + aligned(std::ptrdiff_t{gate_rows} * Cell::hidden_size);  // [G H]
    static constexpr std::ptrdiff_t bias_hh = bias_ih + aligned(gate_rows);  // [G H]
    static constexpr std::ptrdiff_t unit = bias_hh + aligned(gate_rows);     // P times [H]
    static constexpr std::ptrdiff_t unit_stride = aligned(Cell::hidden_size);
    static constexpr std::ptrdiff_t size = unit + Cell::unit_count * unit_stride;
};

// One direction of one recurrent layer over one packed batch. Both directions of a bidirectional layer go to the
// backend in one call, to run them side by side if it can. States are in the sorted order of the packing, [batch, H].
template <class Cell, class Backend, class T>
struct recurrent_run {
    using states = numbers<matrix_view<T>, Cell::state_count>;
    using const_states = numbers<matrix_view<T const>, Cell::state_count>;
    using memory_type = typename Backend::template recurrent_memory<Cell, T>;

    direction way = direction::forward;
    T const* parameters = nullptr;  // recurrent_layout<Cell>
    std::uint64_t version = 0;      // of the parameters: unlike after every change; 0: not known
    memory_type* memory = nullptr;  // the backend's own: what backward reads, and room to work in
    const_states initial{};         // empty: zeros
    matrix_view<T> output;          // [rows, H]
    states final{};                 // empty: not wanted

    // backward only
    T* parameter_gradient = nullptr;       // recurrent_layout<Cell>, added to
    matrix_view<T const> output_gradient;  // [rows, H]; empty: zeros
    const_states final_gradient{};         // empty: zeros
    states initial_gradient{};             // empty: not wanted
};

// What a training step stands in, for backends that make f's launches as one.
auto together(auto const&, auto const& f) { return f(); }

// A backend is a policy type with these members, for which the operations of docs/backends.md are overloaded:
//
//   buffer<T>                        memory on the device: reserve(n) grows and forgets, data(), size(), copies deeply
//   recurrent_memory<Cell, T>        what recurrent_forward leaves for recurrent_backward
//   plan                             the shape of a batch as the operations read it; has packing's functions
//   reads_host_memory                whether operations may be given memory of the host
//   step_answer                      what check_gradients gives, to be read later; std::nullptr_t: nothing comes later
template <class B>
concept backend = std::copy_constructible<B> &&
    requires(B const& device, matrix_view<float> out, matrix_view<float const> in, std::span<int const> index,
             float* block, typename B::template buffer<float> memory, packing const& shape, typename B::plan& plan) {
    { B::reads_host_memory } -> std::convertible_to<bool>;
    memory.reserve(std::size_t{1});
    { memory.data() } -> std::convertible_to<float*>;
    make_plan(device, shape, plan);
    affine(device, in, in, block, out);
    affine_backward_input(device, in, in, out);
    affine_backward_weight(device, in, in, out, block);
    gather_rows(device, in, index, out);
    scatter_add_rows(device, in, index, out);
    fill(device, block, std::size_t{1}, 0.0f);
    copy_to_host(device, block, std::size_t{1}, block);
    copy_from_host(device, block, std::size_t{1}, block);
};

}  // namespace sequent
