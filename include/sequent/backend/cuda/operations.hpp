// The device's operations on matrices and blocks: affine maps, rows by index, pooling, and the small change of
// training. Each is a function of its place in the result, so no number is written twice and every sum has one order.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "../../core/matrix.hpp"
#include "../../core/random.hpp"
#include "device_plan.hpp"
#include "machine.hpp"
#include "split_product.hpp"

namespace sequent {

namespace detail {

// to(r, c) = what a pattern says of a row's source. One object for copies, by index or not, and sums.
template <class T>
struct rows_to_rows {
    matrix_view<T const> from;
    matrix_view<T> to;
    int const* index;  // the row that each one comes from; null: its own
    bool add;
    SEQUENT_HD void operator()(int r, int c) const {
        T const value = from(index == nullptr ? r : index[r], c);
        to(r, c) = add ? to(r, c) + value : value;
    }
};

// to(target[s], c) += the rows order[first[s]], ..., order[first[s + 1] - 1], one after the other.
template <class T>
struct add_segments {
    matrix_view<T const> from;
    matrix_view<T> to;
    int const *target, *first, *order;
    SEQUENT_HD void operator()(int s, int c) const {
        T sum = to(target[s], c);
        for (int n = first[s]; n < first[s + 1]; ++n) sum += from(order[n], c);
        to(target[s], c) = sum;
    }
};

// The rows of each target that occurs in an index, ascending: what add_segments reads.
struct index_segments {
    std::vector<int> target, first, order;

    explicit index_segments(std::span<int const> index) : order(index.size()) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return at(index, a) < at(index, b); });
        for (std::size_t n = 0; n < order.size(); ++n)
            if (n == 0 || at(index, order[n]) != target.back()) {
                target.push_back(at(index, order[n]));
                first.push_back(static_cast<int>(n));
            }
        first.push_back(static_cast<int>(order.size()));
    }

  private:
    static int at(std::span<int const> index, int n) { return index[static_cast<std::size_t>(n)]; }
};

// to(chunk, c) = the sum of a chunk's rows.
template <class T>
struct sum_chunks {
    static constexpr int rows = 64;  // of a chunk
    matrix_view<T const> from;
    matrix_view<T> to;
    SEQUENT_HD void operator()(int chunk, int c) const {
        T sum = T(0);
        for (int r = chunk * rows; r < (chunk + 1) * rows && r < from.rows; ++r) sum += from(r, c);
        to(chunk, c) = sum;
    }
};
// The sums of a last chunk are added to one place or two.
template <class T>
struct add_chunk {
    matrix_view<T const> from;
    T *to, *also;  // also: may be null
    SEQUENT_HD void operator()(int, int c) const {
        T sum = T(0);
        for (int r = 0; r < from.rows; ++r) sum += from(r, c);
        to[c] += sum;
        if (also != nullptr) also[c] += sum;
    }
};

// to[c] += the sum of column c of x, by chunks of its rows, chunks of those sums and so on; also[c] too.
template <on_machine Device, class T>
void add_column_sums(Device const& device, matrix_view<T const> x, T* to, T* also = nullptr) {
    auto const chunks_of = [](int rows) { return (rows + sum_chunks<T>::rows - 1) / sum_chunks<T>::rows; };
    int rows = 0;  // of all sums but the last
    for (int left = x.rows; left > sum_chunks<T>::rows; rows += left) left = chunks_of(left);
    std::size_t const size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(x.columns);
    T* room = rows > 0 ? device.machine->template room<T>(size) : nullptr;
    while (x.rows > sum_chunks<T>::rows) {
        matrix_view<T> const sums(room, chunks_of(x.rows), x.columns);
        device.machine->each(sums.rows, x.columns, sum_chunks<T>{x, sums});
        room += sums.size(), x = sums;
    }
    device.machine->each(1, x.columns, add_chunk<T>{x, to, also});
}

template <class T>
struct repeat_row {
    T const* row;  // null: zeros
    matrix_view<T> to;
    SEQUENT_HD void operator()(int r, int c) const { to(r, c) = row == nullptr ? T(0) : row[c]; }
};

// In a list of launches, the rows and those behind them that make their number round, in the spare room of their
// buffer: so a product of a batch's rows has one of few shapes, and the list one of few structures.
template <on_machine Device, class T>
matrix_view<T> round_rows(Device const& device, matrix_view<T> rows) {
    if (device.machine->is_noting()) rows.rows = round_up(rows.rows);
    return rows;
}
// Zeros behind the rows of a product's factors, which add nothing to its sums.
template <class T>
struct clear_rows {
    matrix_view<T const> a, b;
    SEQUENT_HD void operator()(int r, int c) const {
        if (c < a.columns) const_cast<T*>(a.row(a.rows + r))[c] = T(0);
        if (c < b.columns) const_cast<T*>(b.row(b.rows + r))[c] = T(0);
    }
};

}  // namespace detail

// y = x weight^T + bias. x: [n, in], weight: [out, in], bias: [out] or null, y: [n, out].
template <on_machine Device, class T>
void affine(Device const& device, matrix_view<T const> x, matrix_view<T const> weight, T const* bias,
            matrix_view<T> y) {
    device.machine->each(y.rows, y.columns, detail::repeat_row<T>{bias, y});
    detail::multiply_batch(*device.machine, Device::format, factor::plain, detail::round_rows(device, x),
                           factor::transposed, weight, detail::round_rows(device, y), true);
}
template <on_machine Device, class T>
void affine_backward_input(Device const& device, matrix_view<T const> y_gradient, matrix_view<T const> weight,
                           matrix_view<T> x_gradient, bool accumulate = false) {
    detail::multiply_batch(*device.machine, backward_format(Device::format), factor::plain,
                           detail::round_rows(device, y_gradient), factor::plain, weight,
                           detail::round_rows(device, x_gradient), accumulate);
}
template <on_machine Device, class T>
void affine_backward_weight(Device const& device, matrix_view<T const> y_gradient, matrix_view<T const> x,
                            matrix_view<T> weight_gradient, T* bias_gradient) {
    matrix_view<T const> const dy = detail::round_rows(device, y_gradient), with = detail::round_rows(device, x);
    if (dy.rows > y_gradient.rows)
        device.machine->each(dy.rows - y_gradient.rows, std::max(dy.columns, with.columns),
                             detail::clear_rows<T>{y_gradient, x});
    detail::multiply_batch(*device.machine, backward_format(Device::format), factor::transposed, dy, factor::plain,
                           with, weight_gradient, true);
    if (bias_gradient != nullptr) detail::add_column_sums(device, y_gradient, bias_gradient);
}

template <on_machine Device, class T>
void gather_rows(Device const& device, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    device.machine->each(static_cast<int>(index.size()), from.columns,
                         detail::rows_to_rows<T>{from, to, device.machine->upload(index), false});
}
template <on_machine Device, class T>
void scatter_add_rows(Device const& device, matrix_view<T const> from, std::span<int const> index, matrix_view<T> to) {
    detail::index_segments const segments(index);
    auto& machine = *device.machine;
    machine.each(static_cast<int>(segments.target.size()), from.columns,
                 detail::add_segments<T>{from, to, machine.upload(std::span<int const>(segments.target)),
                                         machine.upload(std::span<int const>(segments.first)),
                                         machine.upload(std::span<int const>(segments.order))});
}
template <on_machine Device, class T>
void copy_rows(Device const& device, matrix_view<T const> from, matrix_view<T> to) {
    device.machine->each(from.rows, from.columns, detail::rows_to_rows<T>{from, to, nullptr, false});
}
template <on_machine Device, class T>
void add_rows(Device const& device, matrix_view<T const> from, matrix_view<T> to) {
    device.machine->each(from.rows, from.columns, detail::rows_to_rows<T>{from, to, nullptr, true});
}

namespace detail {

template <class T>
struct mean_of_sequence {
    sequence_places places;
    matrix_view<T const> rows;
    matrix_view<T> mean;
    SEQUENT_HD void operator()(int i, int c) const {
        T sum = T(0);
        for (int t = 0; t < places.lengths[i]; ++t) sum += rows(places.offsets[t] + i, c);
        mean(places.users[i], c) = places.lengths[i] > 0 ? sum / static_cast<T>(places.lengths[i]) : T(0);
    }
};
template <class T>
struct mean_of_sequence_backward {
    sequence_places places;
    matrix_view<T const> mean_gradient;
    matrix_view<T> row_gradient;
    SEQUENT_HD void operator()(int i, int c) const {
        for (int t = 0; t < places.lengths[i]; ++t)
            row_gradient(places.offsets[t] + i, c) =
                mean_gradient(places.users[i], c) / static_cast<T>(places.lengths[i]);
    }
};
template <class T>
struct max_of_sequence {
    sequence_places places;
    matrix_view<T const> rows;
    matrix_view<T> max;
    int* where;
    SEQUENT_HD void operator()(int i, int c) const {
        T largest = T(0);
        int from = -1;
        for (int t = 0; t < places.lengths[i]; ++t) {
            int const row = places.offsets[t] + i;
            T const value = rows(row, c);
            bool const is_nan = value != value, was_nan = largest != largest;
            if (t == 0 || value > largest || (is_nan && !was_nan)) largest = value, from = row;
        }
        max(places.users[i], c) = largest;
        where[std::ptrdiff_t{places.users[i]} * rows.columns + c] = from;
    }
};
template <class T>
struct max_of_sequence_backward {
    matrix_view<T const> max_gradient;
    int const* where;
    matrix_view<T> row_gradient;
    SEQUENT_HD void operator()(int i, int c) const {
        int const row = where[std::ptrdiff_t{i} * max_gradient.columns + c];
        if (row >= 0) row_gradient(row, c) = max_gradient(i, c);
    }
};

}  // namespace detail

template <on_machine Device, class T>
void mean_rows(Device const& device, typename Device::plan const& shape, matrix_view<T const> rows,
               matrix_view<T> mean) {
    device.machine->each(shape.batch(), rows.columns, detail::mean_of_sequence<T>{shape.places(), rows, mean});
}
template <on_machine Device, class T>
void mean_rows_backward(Device const& device, typename Device::plan const& shape, matrix_view<T const> mean_gradient,
                        matrix_view<T> row_gradient) {
    device.machine->each(shape.batch(), row_gradient.columns,
                         detail::mean_of_sequence_backward<T>{shape.places(), mean_gradient, row_gradient});
}
// where: the row that each maximum came from (the first, on a tie; -1 in an empty sequence), [batch, F].
template <on_machine Device, class T>
void max_rows(Device const& device, typename Device::plan const& shape, matrix_view<T const> rows, matrix_view<T> max,
              int* where) {
    device.machine->each(shape.batch(), rows.columns, detail::max_of_sequence<T>{shape.places(), rows, max, where});
}
template <on_machine Device, class T>
void max_rows_backward(Device const& device, matrix_view<T const> max_gradient, int const* where,
                       matrix_view<T> row_gradient) {
    device.machine->each(row_gradient.rows, row_gradient.columns, detail::repeat_row<T>{nullptr, row_gradient});
    device.machine->each(max_gradient.rows, max_gradient.columns,
                         detail::max_of_sequence_backward<T>{max_gradient, where, row_gradient});
}

namespace detail {

template <class T>
struct drop_number {
    random_stream random;
    float probability;
    T factor;
    matrix_view<T const> x;
    matrix_view<T> y;
    SEQUENT_HD void operator()(int r, int c) const {
        std::uint64_t const j =
            static_cast<std::uint64_t>(r) * static_cast<std::uint64_t>(x.columns) + static_cast<std::uint64_t>(c);
        y(r, c) = random.uniform(j) < probability ? T(0) : x(r, c) * factor;
    }
};
template <class T>
struct scale_number {
    T* values;
    T factor;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { values[j] *= factor; }
};
template <class T>
struct set_number {
    T* values;
    T value;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { values[j] = value; }
};

// to[p] = the sum of the squares of p's share: p, p + parts, p + 2 parts, ...
template <class T>
struct sum_squares {
    T const* values;
    std::ptrdiff_t n, parts;
    double* to;
    SEQUENT_HD void operator()(std::ptrdiff_t p) const {
        double sum = 0;
        for (std::ptrdiff_t j = p; j < n; j += parts)
            sum += static_cast<double>(values[j]) * static_cast<double>(values[j]);
        to[p] = sum;
    }
};
template <class T>
struct sum_squares_of_row {
    matrix_view<T const> rows;
    int const* order;
    double* to;
    SEQUENT_HD void operator()(std::ptrdiff_t u) const {
        T const* const row = rows.row(order[u]);
        double sum = 0;
        for (int c = 0; c < rows.columns; ++c) sum += static_cast<double>(row[c]) * static_cast<double>(row[c]);
        to[u] = sum;
    }
};
// values[p] += its share of the other ones.
struct sum_shares {
    double* values;
    std::ptrdiff_t n, parts;
    SEQUENT_HD void operator()(std::ptrdiff_t p) const {
        double sum = values[p];  // not values[p] itself: each load would wait for the sum before
        for (std::ptrdiff_t j = p + parts; j < n; j += parts) sum += values[j];
        values[p] = sum;
    }
};

// The sum of n numbers on the device.
template <on_machine Device>
double sum_on_host(Device const& device, double* values, std::ptrdiff_t n) {
    constexpr std::ptrdiff_t parts = 128;
    if (n > parts) device.machine->each(parts, sum_shares{values, n, parts});
    double left[parts];
    std::size_t const count = static_cast<std::size_t>(std::min(n, parts));
    device.machine->to_host(values, count * sizeof(double), left);
    return std::accumulate(left, left + count, 0.0);
}

}  // namespace detail

// y = x / (1 - probability), or 0 with the given probability; the numbers are those of every other backend.
template <on_machine Device, class T>
void drop(Device const& device, random_stream const& random, double probability, matrix_view<T const> x,
          matrix_view<T> y) {
    T const factor = probability < 1 ? T(1 / (1 - probability)) : T(0);
    device.machine->each(x.rows, x.columns,
                         detail::drop_number<T>{random, static_cast<float>(probability), factor, x, y});
}

// In double; the same bits for the same numbers. These two wait for the device.
template <on_machine Device, class T>
double sum_of_squares(Device const& device, T const* values, std::size_t n) {
    std::ptrdiff_t const size = static_cast<std::ptrdiff_t>(n), parts = std::min<std::ptrdiff_t>(size, 16384);
    double* const sums = device.machine->template room<double>(static_cast<std::size_t>(parts));
    device.machine->each(parts, detail::sum_squares<T>{values, size, parts, sums});
    return detail::sum_on_host(device, sums, parts);
}
template <on_machine Device, class T>
double sum_of_squared_rows(Device const& device, matrix_view<T const> rows, std::span<int const> order) {
    double* const sums = device.machine->template room<double>(order.size());
    std::ptrdiff_t const count = static_cast<std::ptrdiff_t>(order.size());
    device.machine->each(count, detail::sum_squares_of_row<T>{rows, device.machine->upload(order), sums});
    return detail::sum_on_host(device, sums, count);
}

template <on_machine Device, class T>
void scale(Device const& device, T* values, std::size_t n, T factor) {
    device.machine->each(static_cast<std::ptrdiff_t>(n), detail::scale_number<T>{values, factor});
}
template <on_machine Device, class T>
void fill(Device const& device, T* values, std::size_t n, T value) {
    device.machine->each(static_cast<std::ptrdiff_t>(n), detail::set_number<T>{values, value});
}
template <on_machine Device, class T>
void copy_to_host(Device const& device, T const* from, std::size_t n, T* to) {
    device.machine->to_host(from, n * sizeof(T), to);
}
template <on_machine Device, class T>
void copy_from_host(Device const& device, T const* from, std::size_t n, T* to) {
    device.machine->from_host(from, n * sizeof(T), to);
}

}  // namespace sequent
