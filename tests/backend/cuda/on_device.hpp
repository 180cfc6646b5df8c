// The same work on any policy, its results as numbers on the host: what the tests of the device's operations compare.
#pragma once

#include <deque>
#include <vector>

#include "layer/random_data.hpp"
#include "sequent/backend/cuda/emulated_machine.hpp"
#include "sequent/backend/cuda/policy.hpp"
#include "sequent/backend/row_table.hpp"
#include "sequent/sequence/packing.hpp"

namespace sequent_tests {

using namespace sequent;

using emulated = basic_cuda<emulated_machine>;
template <precision Format, strategy Strategy = strategy::automatic>
using emulated_with = basic_cuda<emulated_machine, Format, Strategy>;

// One whose products of whole batches are split, be they ever so small.
template <class Device = emulated>
[[nodiscard]] Device that_splits() {
    Device device;
    device.machine->fast_in_bf16 = true;
    device.machine->cost_of_split = {0, 0};
    return device;
}

// Memory of a policy with numbers from the host, and back.
template <class Device, class T>
struct on_device {
    Device device{};
    std::deque<typename Device::template buffer<T>> buffers{};
    std::deque<typename Device::template buffer<int>> int_buffers{};

    T* put(std::vector<T> const& numbers) {
        auto& memory = buffers.emplace_back();
        copy_from_host(device, numbers.data(), numbers.size(), memory.reserve(numbers.size()));
        return memory.data();
    }
    int* put(std::vector<int> const& numbers) {
        auto& memory = int_buffers.emplace_back();
        copy_from_host(device, numbers.data(), numbers.size(), memory.reserve(numbers.size()));
        return memory.data();
    }
    // [rows, columns] of random numbers, in the middle of wider rows.
    matrix_view<T> random(int rows, int columns, std::uint64_t seed) {
        std::size_t const size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns + 3);
        return matrix_view<T>(put(random_values<T>(size, seed)), rows, columns + 3).column_block(1, columns);
    }
    template <class Number>
    [[nodiscard]] std::vector<Number> get(Number const* from, std::size_t n) const {
        std::vector<Number> numbers(n);
        copy_to_host(device, from, n, numbers.data());
        return numbers;
    }
    // The rows' numbers, and those beside them in the same rows, which must not change.
    void append(std::vector<double>& to, matrix_view<T const> rows) const {
        auto const numbers =
            get(rows.data - 1, static_cast<std::size_t>(rows.rows) * static_cast<std::size_t>(rows.stride) - 1);
        to.insert(to.end(), numbers.begin(), numbers.end());
    }
};

inline std::vector<int> const places{3, 0, 3, 6, 1, 1, 3};

template <class T, class Device>
[[nodiscard]] std::vector<double> rows_by_index() {
    on_device<Device, T> here;
    auto const from = here.random(7, 5, 1), gathered = here.random(7, 5, 2), sums = here.random(7, 5, 3),
               copied = here.random(7, 5, 4), added = here.random(7, 5, 5);
    gather_rows(here.device, matrix_view<T const>(from), places, gathered);
    scatter_add_rows(here.device, matrix_view<T const>(from), places, sums);
    copy_rows(here.device, matrix_view<T const>(from), copied);
    add_rows(here.device, matrix_view<T const>(from), added);
    std::vector<double> results;
    for (auto const& one : {gathered, sums, copied, added}) here.append(results, one);
    return results;
}

template <class T, class Device>
[[nodiscard]] std::vector<double> affine_maps_on(Device const& device, int rows) {
    on_device<Device, T> here{device};
    auto const x = here.random(rows, 5, 1), weight = here.random(3, 5, 2), y = here.random(rows, 3, 3),
               y_without = here.random(rows, 3, 4), dy = here.random(rows, 3, 5), dx = here.random(rows, 5, 6),
               d_weight = here.random(3, 5, 7), d_weight_alone = here.random(3, 5, 8);
    T* const bias = here.put(random_values<T>(3, 9));
    T* const d_bias = here.put(random_values<T>(3, 10));
    matrix_view<T const> const in(x), w(weight), gradient(dy);
    affine(here.device, in, w, static_cast<T const*>(bias), y);
    affine(here.device, in, w, static_cast<T const*>(nullptr), y_without);
    affine_backward_input(here.device, gradient, w, dx);
    affine_backward_weight(here.device, gradient, in, d_weight, d_bias);
    affine_backward_weight(here.device, gradient, in, d_weight_alone, static_cast<T*>(nullptr));
    std::vector<double> results;
    for (auto const& one : {d_weight, d_weight_alone}) here.append(results, one);
    if (rows > 0)
        for (auto const& one : {y, y_without, dx}) here.append(results, one);
    for (T const number : here.get(d_bias, 3)) results.push_back(static_cast<double>(number));
    return results;
}
template <class T, class Device>
[[nodiscard]] std::vector<double> affine_maps(int rows) {
    return affine_maps_on<T>(Device{}, rows);
}

// A product of random numbers in the middle of wider rows, and what stands beside it: floats are split, whatever the
// size. The numbers are the same in float and double. magnitudes: theirs alone, which errors are relative to.
struct product_case {
    int rows, columns, depth;
    factor a_is = factor::plain, b_is = factor::plain;
    bool accumulate = false, magnitudes = false;
};
template <class T, class Device>
[[nodiscard]] std::vector<double> product_of(product_case const& of, Device const& device = {}) {
    on_device<Device, T> here{device};
    auto const random = [&](factor is, int rows, int columns, std::uint64_t seed) {
        if (is == factor::transposed) std::swap(rows, columns);
        auto numbers = random_values<T>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns + 3), seed);
        for (T& number : numbers)
            if (of.magnitudes) number = std::abs(number);
        return matrix_view<T>(here.put(numbers), rows, columns + 3).column_block(1, columns);
    };
    matrix_view<T const> const a = random(of.a_is, of.rows, of.depth, 1), b = random(of.b_is, of.depth, of.columns, 2);
    auto const c = random(factor::plain, of.rows, of.columns, 3);
    if constexpr (sizeof(T) == sizeof(float))
        detail::multiply_split(*device.machine, of.a_is, a, of.b_is, b, c, of.accumulate);
    else
        device.machine->multiply(precision::f32, of.a_is, a, of.b_is, b, c, of.accumulate);
    std::vector<double> result;
    here.append(result, c);
    return result;
}

// NaN: whether the numbers to be pooled hold some.
template <class T, class Device>
[[nodiscard]] std::vector<double> poolings(std::vector<int> const& lengths, bool nan) {
    on_device<Device, T> here;
    typename Device::plan plan;
    packing const shape{lengths};
    make_plan(here.device, shape, plan);
    auto numbers = random_values<T>(static_cast<std::size_t>(shape.rows()) * 4, 1);
    if (nan) numbers[numbers.size() / 2] = numbers[numbers.size() / 3] = std::numeric_limits<T>::quiet_NaN();
    matrix_view<T const> const rows(here.put(numbers), shape.rows(), 4);
    auto const mean = here.random(shape.batch(), 4, 2), max = here.random(shape.batch(), 4, 3),
               d_mean = here.random(shape.rows(), 4, 4), d_max = here.random(shape.rows(), 4, 5);
    int* const where = here.put(std::vector<int>(static_cast<std::size_t>(shape.batch()) * 4));
    auto const gradient = here.random(shape.batch(), 4, 6);
    mean_rows(here.device, plan, rows, mean);
    mean_rows_backward(here.device, plan, matrix_view<T const>(gradient), d_mean);
    max_rows(here.device, plan, rows, max, where);
    max_rows_backward(here.device, matrix_view<T const>(gradient), static_cast<int const*>(where), d_max);
    std::vector<double> results;
    for (auto const& one : {mean, max}) here.append(results, one);
    if (shape.rows() > 0)
        for (auto const& one : {d_mean, d_max}) here.append(results, one);
    for (int const row : here.get(where, static_cast<std::size_t>(shape.batch()) * 4)) results.push_back(row);
    for (double& number : results)
        if (number != number) number = 1e9;  // equal to itself
    return results;
}

template <class T, class Device>
[[nodiscard]] std::vector<double> small_change(std::size_t n) {
    on_device<Device, T> here;
    std::vector<double> results;
    auto const x = here.random(9, 7, 1), y = here.random(9, 7, 2), all = here.random(9, 7, 3),
               none = here.random(9, 7, 4);
    drop(here.device, random_stream{3, 4}, 0.4, matrix_view<T const>(x), y);
    drop(here.device, random_stream{3, 5}, 1.0, matrix_view<T const>(x), all);
    drop(here.device, random_stream{3, 6}, 0.0, matrix_view<T const>(x), none);
    for (auto const& one : {y, all, none}) here.append(results, one);
    T* const block = here.put(random_values<T>(n, 5));
    results.push_back(sum_of_squares(here.device, static_cast<T const*>(block), n));
    results.push_back(sum_of_squared_rows(here.device, matrix_view<T const>(x), std::vector{4, 0, 8}));
    results.push_back(sum_of_squared_rows(here.device, matrix_view<T const>(x), std::vector<int>{}));
    scale(here.device, block, n / 2, T(-3));
    fill(here.device, block + n / 2, n / 4, T(7));
    for (T const number : here.get(static_cast<T const*>(block), n)) results.push_back(static_cast<double>(number));
    return results;
}

// Steps of Adam over a block and over a few rows of a table, most of which miss most of them; then of descent.
template <class T, class Device>
[[nodiscard]] std::vector<double> optimizer_steps(adam_constants const& constants, sgd_constants const& descent) {
    constexpr int rows = 8, width = 5, steps = 300;
    constexpr std::size_t size = rows * width;
    on_device<Device, T> here;
    T* const p = here.put(random_values<T>(size, 1));
    T* const m = here.put(std::vector<T>(size));
    T* const v = here.put(std::vector<T>(size));
    T* const q = here.put(random_values<T>(size, 2));
    T* const velocity = here.put(std::vector<T>(size));
    row_table<Device, T> table, plain;
    table.resize(rows, width), plain.resize(rows, width);
    int owner = 0;
    table.begin_adam(here.device, &owner, constants);
    for (int t = 1; t <= steps; ++t) {
        double const rate = 0.1 / t;
        std::vector<int> const ids = t % 3 == 0 ? std::vector{t % 5, 6}
                                     : t == 1   ? std::vector{1, 7}
                                                : std::vector<int>{};
        T const* const g = here.put(random_values<T>(size, 10 + static_cast<std::uint64_t>(t)));
        adam_update(here.device, constants, adam_step::at(constants, t, rate, 0.01), p, m, v, g, size);
        sgd_update(here.device, descent, sgd_step::at(descent, t, rate), q, t % 2 == 0 ? nullptr : velocity, g, size);
        for (auto* const one : {&table, &plain}) {
            one->forget_gradients();
            one->add_gradient(here.device, ids, {g, static_cast<int>(ids.size()), width});
        }
        table.adam_step_rows(here.device, &owner, adam_step::at(constants, t, rate));
        sgd_update_rows(here.device, descent, sgd_step::at(descent, t, rate), plain.touched(), width,
                        plain.writable_values(here.device).data, static_cast<T const*>(plain.gradient_rows().data));
        if (t == 25) table.forget_history(here.device);
        if (t == 250) table.trim_history(here.device);
    }
    std::vector<double> results;
    T const* const blocks[] = {p,
                               m,
                               v,
                               q,
                               velocity,
                               table.values(here.device).data,
                               plain.values(here.device).data};  // nvcc makes nothing of such a list in the loop
    for (T const* const block : blocks)
        for (T const number : here.get(block, size)) results.push_back(static_cast<double>(number));
    return results;
}

template <class T, class Device>
[[nodiscard]] std::vector<double> cross_entropies(cross_entropy_request const& request,
                                                  std::vector<int> const& targets) {
    on_device<Device, T> here;
    int const rows = static_cast<int>(targets.size());
    auto const logits = here.random(rows, 4, 1), gradient = here.random(rows, 4, 2);
    scale(here.device, logits.data, static_cast<std::size_t>(rows) * 7 - 1, T(20));
    auto const result =
        softmax_cross_entropy(here.device, request, matrix_view<T const>(logits), std::span(targets), gradient);
    std::vector<double> results{result.loss, result.weight, static_cast<double>(result.correct),
                                static_cast<double>(result.rows)};
    here.append(results, gradient);
    return results;
}

}  // namespace sequent_tests
