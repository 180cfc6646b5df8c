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

// f(first, last, run) for each range of `size` of [0, n) and each run; products: of a run, for one gate of one unit.
template <class Cell, class Device, class T>
void for_ranges(std::shared_ptr<executor> const& threads, std::span<recurrent_run<Cell, Device, T> const> runs, int n,
                int size, double products, auto const& f) {
    int const count = static_cast<int>(runs.size());
    double const operations = 2.0 * count * Cell::gate_count * Cell::hidden_size * products;
    for_pieces(threads.get(), count * (n / size + (n % size != 0)), operations, [&](int piece) {
        int const first = piece / count * size;
        f(first, first + std::min(size, n - first), runs[static_cast<std::size_t>(piece % count)]);
    });
}

template <class Cell, class T, class Isa = default_isa, std::derived_from<cpu> Device>
void recurrent_forward(Device const& device, packing const& shape, indexed_rows<T> const& input, keep kept,
                       std::span<recurrent_run<Cell, Device, T> const> runs) {
    using kernel = cpu_recurrent_forward<Cell, T, Isa, typename Device::activations>;
    int const rows = input.rows.rows, batch = shape.batch();
    // Whoever works alone takes all rows and sequences at once.
    int const chunk = device.threads ? 64 : std::max(rows, 1),
              shard = device.threads ? sequences_per_shard : std::max(batch, 1);
    for (auto const& run : runs) kernel::prepare(shape, input, kept, run);
    for_ranges(device.threads, runs, rows, chunk, 1.0 * rows * Cell::input_size,
               [&](int first, int last, auto const& run) { kernel::project(input, first, last, run); });
    for_ranges(device.threads, runs, batch, shard, 1.0 * shape.rows() * Cell::hidden_size,
               [&](int first, int last, auto const& run) { kernel::steps(shape, input, kept, first, last, run); });
    for (auto const& run : runs) kernel::finish(shape, run);
}

template <class Cell, class T, class Isa = default_isa, std::derived_from<cpu> Device>
void recurrent_backward(Device const& device, packing const& shape, indexed_rows<T> const& input,
                        std::span<recurrent_run<Cell, Device, T> const> runs, matrix_view<T> input_gradient) {
    using kernel = cpu_recurrent_backward<Cell, T, Isa, typename Device::activations>;
    int const batch = shape.batch(), shard = device.threads ? sequences_per_shard : std::max(batch, 1);
    double const rows = shape.rows(), inputs = 1.0 * input.rows.rows * Cell::input_size;
    for (auto const& run : runs) kernel::prepare(shape, input, run);
    for_ranges(device.threads, runs, batch, shard, rows * Cell::hidden_size, [&](int first, int last, auto const& run) {
        no_denormals const here;
        kernel::steps(shape, first, last, run);
    });
    for (auto const& run : runs) kernel::finish(shape, run);
    for_ranges(device.threads, runs, kernel::blocks, kernel::blocks_per_piece, rows * Cell::hidden_size + inputs,
               [&](int first, int last, auto const& run) {
                   no_denormals const here;
                   kernel::weights(shape, input, first, last, run);
               });
    if (input_gradient.empty()) return;
    for_ranges(device.threads, runs.first(1), input.rows.rows, 256, inputs * double(runs.size()),
               [&](int first, int last, auto const&) {
                   no_denormals const here;
                   for (auto const& run : runs)  // both directions add to the same rows
                       kernel::inputs_of(input, first, last, run, input_gradient, &run != runs.data());
               });
}

static_assert(backend<cpu> && backend<cpu_with<fast>>, "the policies lack something that backend.hpp asks for");

}  // namespace sequent
