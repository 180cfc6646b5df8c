// The policy `cpu`: runs a network on the processor, and the overloads of the waist's operations for it.
#pragma once

#include <algorithm>
#include <memory>
#include <span>

#include "../backend.hpp"
#include "activation.hpp"
#include "adam.hpp"
#include "buffer.hpp"
#include "cross_entropy.hpp"
#include "executor.hpp"
#include "operations.hpp"
#include "recurrent_backward.hpp"
#include "recurrent_forward.hpp"
#include "sgd.hpp"

namespace sequent {

// threads: who shares the work of large batches; by default the calling thread has it alone.
struct cpu {
    std::shared_ptr<executor> threads = nullptr;

    using plan = packing;  // what the operations read of a batch's shape
    template <class T>
    using buffer = cpu_buffer<T>;
    template <class Cell, class T>
    using recurrent_memory = cpu_recurrent_memory<Cell, T>;
};

template <class Cell, class T>
void recurrent_forward(cpu const& device, packing const& shape, indexed_rows<T> const& input, keep kept,
                       std::span<recurrent_run<Cell, cpu, T> const> runs) {
    using kernel = cpu_recurrent_forward<Cell, T, default_isa, accurate>;
    int const count = static_cast<int>(runs.size()), chunk = 64;
    int const chunks = (input.rows.rows + chunk - 1) / chunk;
    int const shards = (shape.batch() + sequences_per_shard - 1) / sequences_per_shard;
    auto const operations = [&](int rows, int depth) {  // multiplications and additions
        return 2.0 * count * rows * Cell::gate_count * Cell::hidden_size * depth;
    };
    if (device.threads == nullptr) {
        for (auto const& run : runs) kernel::run(shape, input, kept, run);
        return;
    }
    for (auto const& run : runs) kernel::prepare(shape, input, kept, run);
    for_pieces(device.threads.get(), count * chunks, operations(input.rows.rows, Cell::input_size), [&](int piece) {
        int const first = piece / count * chunk;
        kernel::project(input, first, std::min(first + chunk, input.rows.rows),
                        runs[static_cast<std::size_t>(piece % count)]);
    });
    for_pieces(device.threads.get(), count * shards, operations(shape.rows(), Cell::hidden_size), [&](int piece) {
        int const first = piece / count * sequences_per_shard;
        kernel::steps(shape, input, kept, first, std::min(first + sequences_per_shard, shape.batch()),
                      runs[static_cast<std::size_t>(piece % count)]);
    });
    for (auto const& run : runs) kernel::finish(shape, run);
}

template <class Cell, class T>
void recurrent_backward(cpu const& device, packing const& shape, indexed_rows<T> const& input,
                        std::span<recurrent_run<Cell, cpu, T> const> runs, matrix_view<T> input_gradient) {
    using kernel = cpu_recurrent_backward<Cell, T, default_isa, accurate>;
    int const count = static_cast<int>(runs.size()), chunk = kernel::input_rows_per_piece;
    if (device.threads == nullptr) {
        for (auto const& run : runs) kernel::run(shape, input, run, input_gradient, &run != runs.data());
        return;
    }
    auto const operations = [&](int rows, int depth) {
        return 2.0 * count * rows * Cell::gate_count * Cell::hidden_size * depth;
    };
    auto const of = [&](int piece) -> auto const& { return runs[static_cast<std::size_t>(piece % count)]; };
    for (auto const& run : runs) kernel::prepare(shape, input, run);
    for_pieces(device.threads.get(), count * kernel::shards(shape), operations(shape.rows(), Cell::hidden_size),
               [&](int piece) { kernel::steps(shape, piece / count, of(piece)); });
    for (auto const& run : runs) kernel::finish(shape, run);
    for_pieces(device.threads.get(), count * kernel::slabs,
               operations(shape.rows(), Cell::hidden_size) + operations(input.rows.rows, Cell::input_size),
               [&](int piece) { kernel::weights(shape, input, piece / count, of(piece)); });
    if (input_gradient.empty()) return;
    for (auto const& run : runs) kernel::prepare_inputs(run);
    int const chunks = (input.rows.rows + chunk - 1) / chunk;
    for_pieces(device.threads.get(), chunks, operations(input.rows.rows, Cell::input_size), [&](int piece) {
        for (auto const& run : runs)  // both directions add to the same rows
            kernel::inputs_of(shape, input, piece * chunk, std::min((piece + 1) * chunk, input.rows.rows), run,
                              input_gradient, &run != runs.data());
    });
}

template <class T>
void affine(cpu const&, matrix_view<T const> x, matrix_view<T const> weight, T const* bias, matrix_view<T> y) {
    cpu_affine(x, weight, bias, y);
}
template <class T>
void affine_backward_input(cpu const&, matrix_view<T const> y_gradient, matrix_view<T const> weight,
                           matrix_view<T> x_gradient) {
    eigen_product(y_gradient, weight, x_gradient);
}
template <class T>
void affine_backward_weight(cpu const&, matrix_view<T const> y_gradient, matrix_view<T const> x,
                            matrix_view<T> weight_gradient, T* bias_gradient) {
    eigen_add_product_of_transpose(y_gradient, x, weight_gradient);
    if (bias_gradient == nullptr) return;
    for (int r = 0; r < y_gradient.rows; ++r)
        for (int j = 0; j < y_gradient.columns; ++j) bias_gradient[j] += y_gradient(r, j);
}

template <class T>
void gather_rows(cpu const&, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    cpu_gather_rows(from, index, to);
}
template <class T>
void scatter_add_rows(cpu const&, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    cpu_scatter_add_rows(from, index, to);
}

// to = from, and to += from, row by row.
template <class T>
void copy_rows(cpu const&, matrix_view<T const> from, matrix_view<T> to) {
    for (int r = 0; r < from.rows; ++r) std::copy_n(from.row(r), from.columns, to.row(r));
}
template <class T>
void add_rows(cpu const&, matrix_view<T const> from, matrix_view<T> to) {
    for (int r = 0; r < from.rows; ++r)
        for (int j = 0; j < from.columns; ++j) to(r, j) += from(r, j);
}

template <class T>
void mean_rows(cpu const&, packing const& shape, matrix_view<T const> rows, matrix_view<T> mean) {
    cpu_mean_rows(shape, rows, mean);
}
template <class T>
void mean_rows_backward(cpu const&, packing const& shape, matrix_view<T const> mean_gradient,
                        matrix_view<T> row_gradient) {
    cpu_mean_rows_backward(shape, mean_gradient, row_gradient);
}
template <class T>
void max_rows(cpu const&, packing const& shape, matrix_view<T const> rows, matrix_view<T> max, int* where) {
    cpu_max_rows(shape, rows, max, where);
}
template <class T>
void max_rows_backward(cpu const&, matrix_view<T const> max_gradient, int const* where, matrix_view<T> row_gradient) {
    cpu_max_rows_backward(max_gradient, where, row_gradient);
}

template <class T>
cross_entropy_result softmax_cross_entropy(cpu const&, cross_entropy_request const& request,
                                           matrix_view<T const> logits, std::span<int const> targets,
                                           matrix_view<T> gradient) {
    return cpu_cross_entropy(request, logits, targets, gradient);
}

template <class T>
void adam_update(cpu const&, adam_constants const& constants, adam_step const& step, T* p, T* m, T* v, T const* g,
                 std::size_t n) {
    cpu_adam_block(constants, step, p, m, v, g, n);
}
template <class T>
void adam_catch_up(cpu const&, adam_constants const& constants, std::span<adam_step const> missed, double largest_rate,
                   T* p, T* m, T* v, int n) {
    cpu_adam_catch_up(constants, missed, largest_rate, p, m, v, n);
}

template <class T>
void sgd_update(cpu const&, sgd_constants const& constants, sgd_step const& step, T* p, T* velocity, T const* g,
                std::size_t n) {
    cpu_sgd_block(constants, step, p, velocity, g, n);
}

template <class T>
void drop(cpu const&, random_stream const& random, double probability, matrix_view<T const> x, matrix_view<T> y) {
    cpu_drop(random, probability, x, y);
}

template <class T>
double sum_of_squares(cpu const&, T const* values, std::size_t n) {
    return cpu_sum_of_squares(values, n);
}
template <class T>
void scale(cpu const&, T* values, std::size_t n, T factor) {
    for (std::size_t j = 0; j < n; ++j) values[j] *= factor;
}
template <class T>
void fill(cpu const&, T* values, std::size_t n, T value) {
    std::fill_n(values, n, value);
}
template <class T>
void copy_to_host(cpu const&, T const* from, std::size_t n, T* to) {
    std::copy_n(from, n, to);
}
template <class T>
void copy_from_host(cpu const&, T const* from, std::size_t n, T* to) {
    std::copy_n(from, n, to);
}

static_assert(backend<cpu>);

}  // namespace sequent
