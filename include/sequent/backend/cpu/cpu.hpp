// The policy `cpu`: runs a network on the processor, and the overloads of the waist's operations for it.
#pragma once

#include "activation.hpp"
#include "adam.hpp"
#include "executor.hpp"
#include "recurrent_backward.hpp"
#include "recurrent_forward.hpp"

namespace sequent {

// threads: who shares the work of large batches; by default the calling thread has it alone.
struct cpu {
    std::shared_ptr<executor> threads = nullptr;

    using activations = accurate;
    using plan = packing;
    using step_answer = std::nullptr_t;  // its operations are done when they return
    static constexpr bool reads_host_memory = true;
    template <class T>
    using buffer = cpu_buffer<T>;
    template <class Cell, class T>
    using recurrent_memory = cpu_recurrent_memory<Cell, T>;
};

// The same with other activations in its cells: `precise` or `fast`.
template <class Activations>
struct cpu_with : cpu {
    using activations = Activations;
};

template <class Cell, class T, class Isa = default_isa, std::derived_from<cpu> Device>
void recurrent_forward(Device const& device, packing const& shape, indexed_rows<T> const& input, keep kept,
                       std::span<recurrent_run<Cell, Device, T> const> runs) {
    using kernel = cpu_recurrent_forward<Cell, T, Isa, typename Device::activations>;
    executor* const threads = device.threads.get();
    int const count = static_cast<int>(runs.size()), rows = input.rows.rows, batch = shape.batch();
    // Whoever works alone takes all rows and sequences at once.
    int const chunk = threads == nullptr ? std::max(rows, 1) : 64;
    int const shard = threads == nullptr ? std::max(batch, 1) : sequences_per_shard;
    auto const operations = [&](int times, int depth) {  // multiplications and additions
        return 2.0 * count * times * Cell::gate_count * Cell::hidden_size * depth;
    };
    auto const of = [&](int piece) -> auto const& { return runs[static_cast<std::size_t>(piece % count)]; };
    for (auto const& run : runs) kernel::prepare(shape, input, kept, run);
    for_pieces(threads, count * ((rows + chunk - 1) / chunk), operations(rows, Cell::input_size), [&](int piece) {
        int const first = piece / count * chunk;
        kernel::project(input, first, std::min(first + chunk, rows), of(piece));
    });
    for_pieces(threads, count * ((batch + shard - 1) / shard), operations(shape.rows(), Cell::hidden_size),
               [&](int piece) {
                   int const first = piece / count * shard;
                   kernel::steps(shape, input, kept, first, std::min(first + shard, batch), of(piece));
               });
    for (auto const& run : runs) kernel::finish(shape, run);
}

template <class Cell, class T, class Isa = default_isa, std::derived_from<cpu> Device>
void recurrent_backward(Device const& device, packing const& shape, indexed_rows<T> const& input,
                        std::span<recurrent_run<Cell, Device, T> const> runs, matrix_view<T> input_gradient) {
    using kernel = cpu_recurrent_backward<Cell, T, Isa, typename Device::activations>;
    int const count = static_cast<int>(runs.size()), chunk = kernel::input_rows_per_piece;
    auto const operations = [&](int rows, int depth) {
        return 2.0 * count * rows * Cell::gate_count * Cell::hidden_size * depth;
    };
    auto const of = [&](int piece) -> auto const& { return runs[static_cast<std::size_t>(piece % count)]; };
    auto const share = [&](int pieces, double work, auto const& f) {
        for_pieces(device.threads.get(), pieces, work, [&](int piece) {
            no_denormals const here;
            f(piece);
        });
    };
    for (auto const& run : runs) kernel::prepare(shape, input, run);
    int const batch = shape.batch(), shard = device.threads == nullptr ? std::max(batch, 1) : sequences_per_shard;
    share(count * ((batch + shard - 1) / shard), operations(shape.rows(), Cell::hidden_size), [&](int piece) {
        int const first = piece / count * shard;
        kernel::steps(shape, first, std::min(first + shard, batch), of(piece));
    });
    for (auto const& run : runs) kernel::finish(shape, run);
    share(count * kernel::weight_pieces, operations(shape.rows(), Cell::hidden_size + Cell::input_size),
          [&](int piece) { kernel::weights(shape, input, piece / count, of(piece)); });
    if (input_gradient.empty()) return;
    share((input.rows.rows + chunk - 1) / chunk, operations(input.rows.rows, Cell::input_size), [&](int piece) {
        for (auto const& run : runs)  // both directions add to the same rows
            kernel::inputs_of(input, piece, run, input_gradient, &run != runs.data());
    });
}

static_assert(backend<cpu> && backend<cpu_with<fast>>);

}  // namespace sequent
