// The CPU's operations on matrices and blocks: affine maps, rows by index, pooling, and the small change of training.
#pragma once

#include "../../core/random.hpp"
#include "../../sequence/packing.hpp"
#include "../cross_entropy.hpp"
#include "../sgd.hpp"
#include "eigen.hpp"
#include "panel.hpp"

namespace sequent {

struct cpu;

namespace detail {
template <class T>
void set_zero(matrix_view<T> m) {
    for (int r = 0; r < m.rows; ++r) std::fill_n(m.row(r), m.columns, T(0));
}
// f(user, length, t, row) for the steps t of each sequence, in ascending order.
void each_step(packing const& shape, auto const& f) {
    for (int i = 0; i < shape.batch(); ++i) {
        std::size_t const place = static_cast<std::size_t>(i);
        int const user = shape.sorted_indices()[place], length = shape.lengths()[place];
        for (int t = 0; t < length; ++t) f(user, length, t, shape.row(t, i));
    }
}
}  // namespace detail

// y = x weight^T + bias. x: [n, in], weight: [out, in], bias: [out] or null, y: [n, out]. A row's bits depend on that
// row alone.
template <class T>
void affine(cpu const&, matrix_view<T const> x, matrix_view<T const> weight, T const* bias, matrix_view<T> y) {
    using number = simd<T, default_isa>;
    constexpr int width = static_cast<int>(number::size);
    int const depth = x.columns, outputs = weight.rows;
    thread_local cpu_buffer<T> room;
    T* const panel = room.reserve(static_cast<std::size_t>(depth + 1) * width);
    for (int first = 0; first < outputs; first += width) {
        int const count = std::min(width, outputs - first);
        std::fill_n(panel, static_cast<std::size_t>(depth + 1) * width, T(0));
        for (int o = 0; o < count; ++o) {
            for (int k = 0; k < depth; ++k) panel[k * width + o] = weight(first + o, k);
            if (bias != nullptr) panel[depth * width + o] = bias[first + o];
        }
        for_tiles<8>(0, x.rows, [&]<int R>(std::integral_constant<int, R>, int row) {
            number sum[R][1];
            for (int r = 0; r < R; ++r) sum[r][0] = number::load_aligned(panel + depth * width);
            panel_product<R, 1, 1, T, default_isa>(sum, x.row(row), x.stride, 1, {panel}, width, 0, depth);
            alignas(64) T lanes[width];
            for (int r = 0; r < R; ++r) {
                sum[r][0].store_aligned(lanes);
                std::copy_n(lanes, count, y.row(row + r) + first);
            }
        });
    }
}

// The gradients of affine's input, overwritten, and of its weights and bias (or null), added to.
template <class T>
void affine_backward_input(cpu const&, matrix_view<T const> y_gradient, matrix_view<T const> weight,
                           matrix_view<T> x_gradient) {
    detail::set_zero(x_gradient);
    eigen_add_product<Eigen::RowMajor>(y_gradient, y_gradient.columns, weight, x_gradient);
}
template <class T>
void affine_backward_weight(cpu const&, matrix_view<T const> y_gradient, matrix_view<T const> x,
                            matrix_view<T> weight_gradient, T* bias_gradient) {
    eigen_add_product<Eigen::ColMajor>(y_gradient, y_gradient.rows, x, weight_gradient);
    if (bias_gradient == nullptr) return;
    for (int r = 0; r < y_gradient.rows; ++r)
        for (int j = 0; j < y_gradient.columns; ++j) bias_gradient[j] += y_gradient(r, j);
}

template <class T>
void gather_rows(cpu const&, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    for (std::size_t r = 0; r < index.size(); ++r)
        std::copy_n(from.row(index[r]), from.columns, to.row(static_cast<int>(r)));
}

template <class T>
void scatter_add_rows(cpu const&, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    for (std::size_t r = 0; r < index.size(); ++r) {
        T const* const row = from.row(static_cast<int>(r));
        T* const out = to.row(index[r]);
        for (int j = 0; j < from.columns; ++j) out[j] += row[j];
    }
}

// Means over the steps of each sequence, in the user's order: rows [shape.rows(), F] -> [batch, F]. An empty sequence
// has a mean of zero.
template <class T>
void mean_rows(cpu const&, packing const& shape, matrix_view<T const> rows, matrix_view<T> mean) {
    detail::set_zero(mean);
    detail::each_step(shape, [=](int user, int length, int t, int row) {
        T const* const from = rows.row(row);
        T* const out = mean.row(user);
        for (int j = 0; j < rows.columns; ++j) out[j] += from[j];
        if (t + 1 == length)
            for (int j = 0; j < rows.columns; ++j) out[j] /= static_cast<T>(length);
    });
}

template <class T>
void mean_rows_backward(cpu const&, packing const& shape, matrix_view<T const> mean_gradient,
                        matrix_view<T> row_gradient) {
    detail::each_step(shape, [&](int user, int length, int, int row) {
        T const* const from = mean_gradient.row(user);
        T* const to = row_gradient.row(row);
        for (int j = 0; j < row_gradient.columns; ++j) to[j] = from[j] / static_cast<T>(length);
    });
}

// Maxima over the steps of each sequence, in the user's order, and the row each came from (the first, on a tie; -1 in
// an empty sequence, whose maximum is zero). where: [batch, F].
template <class T>
void max_rows(cpu const&, packing const& shape, matrix_view<T const> rows, matrix_view<T> max, int* where) {
    detail::set_zero(max);
    std::fill_n(where, max.size(), -1);
    detail::each_step(shape, [&](int user, int, int t, int row) {
        T const* const from = rows.row(row);
        T* const out = max.row(user);
        for (int j = 0; j < rows.columns; ++j)
            if (t == 0 || from[j] > out[j] || (std::isnan(from[j]) && !std::isnan(out[j])))
                out[j] = from[j], where[std::ptrdiff_t{user} * rows.columns + j] = row;
    });
}

template <class T>
void max_rows_backward(cpu const&, matrix_view<T const> max_gradient, int const* where, matrix_view<T> row_gradient) {
    detail::set_zero(row_gradient);
    for (int i = 0; i < max_gradient.rows; ++i)
        for (int j = 0; j < max_gradient.columns; ++j) {
            int const row = where[static_cast<std::ptrdiff_t>(i) * max_gradient.columns + j];
            if (row >= 0) row_gradient(row, j) += max_gradient(i, j);
        }
}

// y = x / (1 - probability), or 0 with the given probability. Number j of the matrix is decided by random.uniform(j).
template <class T>
void drop(cpu const&, random_stream const& random, double probability, matrix_view<T const> x, matrix_view<T> y) {
    T const factor = probability < 1 ? T(1 / (1 - probability)) : T(0);
    std::uint64_t j = 0;
    for (int r = 0; r < x.rows; ++r)
        for (int c = 0; c < x.columns; ++c, ++j)
            y(r, c) = random.uniform(j) < static_cast<float>(probability) ? T(0) : x(r, c) * factor;
}

// The sum of squares, in double, in blocks of fixed size: the same bits for the same numbers.
template <class T>
double sum_of_squares(cpu const&, T const* values, std::size_t n) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {};
    auto const add = [&](std::size_t j, std::size_t count) {
        for (std::size_t l = 0; l < count; ++l)
            sums[l] += static_cast<double>(values[j + l]) * static_cast<double>(values[j + l]);
    };
    std::size_t j = 0;
    for (; j + lanes <= n; j += lanes) add(j, lanes);
    add(j, n - j);
    double total = 0;
    for (double const sum : sums) total += sum;
    return total;
}

// The same of the rows `order` of a matrix, one after the other.
template <class T>
double sum_of_squared_rows(cpu const& device, matrix_view<T const> rows, std::span<int const> order) {
    double sum = 0;
    for (int const r : order) sum += sum_of_squares(device, rows.row(r), static_cast<std::size_t>(rows.columns));
    return sum;
}

// Stochastic gradient descent in PyTorch's form. p, velocity, g: n numbers each; velocity is null where there is no
// momentum.
template <class T>
void sgd_update(cpu const&, sgd_constants const& constants, sgd_step const& step, T* p, T* velocity, T const* g,
                std::size_t n) {
    T const rate = T(step.rate), decay = T(constants.weight_decay), momentum = T(constants.momentum);
    T const kept = T(step.kept), taken = T(step.taken);
    if (velocity == nullptr) {
        for (std::size_t j = 0; j < n; ++j) p[j] -= rate * (g[j] + decay * p[j]);
        return;
    }
    for (std::size_t j = 0; j < n; ++j) {
        T const gradient = g[j] + decay * p[j];
        velocity[j] = kept * velocity[j] + taken * gradient;
        p[j] -= rate * (constants.nesterov ? gradient + momentum * velocity[j] : velocity[j]);
    }
}

// One step, without momentum, of the rows `ids`; g: their gradients, [ids.size(), width].
template <class T>
void sgd_update_rows(cpu const& device, sgd_constants const& constants, sgd_step const& step, std::span<int const> ids,
                     int width, T* p, T const* g) {
    for (std::size_t u = 0; u < ids.size(); ++u)
        sgd_update<T>(device, constants, step, p + std::ptrdiff_t{ids[u]} * width, nullptr,
                      g + u * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
}

// Softmax cross-entropy and its gradient, in double inside: a row's maximum is subtracted first, so no logit overflows.
// logits [n, C], targets [n] in [0, C) or ignore_index, gradient [n, C]: of the loss, overwritten.
// Throws argument_error for a target out of bounds.
template <class T>
cross_entropy_result softmax_cross_entropy(cpu const&, cross_entropy_request const& request,
                                           matrix_view<T const> logits, std::span<int const> targets,
                                           matrix_view<T> gradient) {
    int const classes = logits.columns;
    double const smooth = request.label_smoothing / classes, sharp = 1 - request.label_smoothing;
    double all_weights = 0;
    for (int c = 0; c < classes; ++c) all_weights += request.weight_of(c);

    cross_entropy_result result = count_targets(request, targets, classes);
    double const divisor = request.divisor(result.weight);

    double total = 0;
    for (int r = 0; r < logits.rows; ++r) {
        int const target = targets[static_cast<std::size_t>(r)];
        T const* const row = logits.row(r);
        T* const out = gradient.row(r);
        if (target == request.ignore_index) {
            std::fill_n(out, classes, T(0));
            continue;
        }
        T const* const best =
            std::max_element(row, row + classes, [](T a, T b) { return a < b || (std::isnan(b) && !std::isnan(a)); });
        double const largest = static_cast<double>(*best);
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(row[c]) - largest);
        double const log_sum = largest + std::log(sum), weight = request.weight_of(target);
        total += sharp * weight * (log_sum - static_cast<double>(row[target]));
        if (smooth > 0)
            for (int c = 0; c < classes; ++c)
                total += smooth * request.weight_of(c) * (log_sum - static_cast<double>(row[c]));
        // d/dz_c = (softmax_c * (all weights of the row) - the weight put on c) / divisor
        double const on_row = sharp * weight + smooth * all_weights;
        for (int c = 0; c < classes; ++c) {
            double const on_class = smooth * request.weight_of(c) + (c == target ? sharp * weight : 0);
            double const softmax = std::exp(static_cast<double>(row[c]) - log_sum);
            out[c] = static_cast<T>((softmax * on_row - on_class) / divisor);
        }
        result.correct += best - row == target;
    }
    result.loss = total / divisor;
    return result;
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
void scale(cpu const&, T* values, std::size_t n, T factor) {
    for (std::size_t j = 0; j < n; ++j) values[j] *= factor;
}
template <class T>
void fill(cpu const&, T* values, std::size_t n, T value) {
    std::fill_n(values, n, value);
}
inline void make_plan(cpu const&, packing const& shape, packing& plan) { plan = shape; }
template <class T>
void copy_to_host(cpu const&, T const* from, std::size_t n, T* to) {
    std::copy_n(from, n, to);
}
template <class T>
void copy_from_host(cpu const&, T const* from, std::size_t n, T* to) {
    std::copy_n(from, n, to);
}

}  // namespace sequent
