// The CPU's recurrent kernels, both directions of a layer at once, on one packed batch of unequal lengths, against
// plain_recurrent.
#pragma once

#include <array>
#include <numeric>
#include <vector>

#include "golden.hpp"
#include "layer/random_data.hpp"
#include "plain_recurrent.hpp"
#include "sequent/backend/cpu/cpu.hpp"

namespace sequent_tests {

enum class kernel_passes { forward, forward_and_backward };
enum class kernel_rows { one_by_one, indexed };  // indexed: each distinct row once, as an embedding hands them on

// Everything that goes in and comes out, of one direction d at a time: states [kind][batch, hidden] in the sorted
// order, outputs and their gradients [rows, hidden].
template <class T>
struct kernel_data {
    std::vector<T> parameters, initial, output_gradient, final_gradient;
    std::vector<T> final, parameter_gradient, initial_gradient;
};

// Eleven sequences, one of them empty: more than one tile of rows at the first steps, less at the last.
template <class Cell, class T, kernel_passes Passes, class Isa = sequent::default_isa>
void check_kernel(kernel_rows how, sequent::cpu const& device = {}) {
    using namespace sequent;
    constexpr int inputs = Cell::input_size, hidden = Cell::hidden_size, kinds = Cell::state_count;
    constexpr bool back = Passes == kernel_passes::forward_and_backward;
    double const rounding = std::is_same_v<T, double> ? 1e-14 : 2e-6;
    packing const shape(std::vector<int>{3, 6, 0, 9, 1, 6, 9, 9, 4, 2, 9});
    std::size_t const count = static_cast<std::size_t>(shape.rows()), batch = static_cast<std::size_t>(shape.batch());
    std::size_t const state_size = static_cast<std::size_t>(kinds) * batch * hidden;
    std::size_t const parameter_size = static_cast<std::size_t>(recurrent_layout<Cell>::size);
    auto const state = [&](auto& values, int s) {
        return matrix_view(values.data() + static_cast<std::size_t>(s) * batch * hidden, shape.batch(), hidden);
    };

    std::vector<int> index(count);
    std::iota(index.begin(), index.end(), 0);
    if (how == kernel_rows::indexed)
        for (int& i : index) i = i * 7 % 11;
    int const distinct = how == kernel_rows::indexed ? 11 : shape.rows();

    // Numbers that are the same in float and double.
    std::array<kernel_data<double>, 2> exact;
    for (std::uint64_t d = 0; d < 2; ++d) {
        exact[d] = {random_values<double>(parameter_size, 10 * d + 1),
                    random_values<double>(state_size, 10 * d + 2),
                    random_values<double>(count * hidden, 10 * d + 3),
                    random_values<double>(state_size, 10 * d + 4),
                    std::vector<double>(state_size),
                    std::vector<double>(parameter_size),
                    {}};
        for (double& p : exact[d].parameters) p *= 0.375;
        exact[d].initial_gradient = exact[d].final_gradient;
    }
    auto const exact_x = random_values<double>(static_cast<std::size_t>(distinct) * inputs, 5);
    auto const as_T = [](std::vector<double> const& from) { return std::vector<T>(from.begin(), from.end()); };
    auto const x = as_T(exact_x);
    indexed_rows<T> const input{{x.data(), distinct, inputs},
                                how == kernel_rows::indexed ? std::span<int const>(index) : std::span<int const>()};

    // The kernels.
    std::array<kernel_data<T>, 2> data;
    std::array<cpu_recurrent_memory<Cell, T>, 2> memory;
    std::array<recurrent_run<Cell, cpu, T>, 2> runs;
    std::vector<T> output(count * 2 * hidden), x_gradient(x.size(), T(7));
    for (std::size_t d = 0; d < 2; ++d) {
        kernel_data<double> const& from = exact[d];
        data[d] = {as_T(from.parameters),      as_T(from.initial), as_T(from.output_gradient),
                   as_T(from.final_gradient),  as_T(from.final),   as_T(from.parameter_gradient),
                   as_T(from.initial_gradient)};
        auto& run = runs[d];
        run.way = d == 0 ? direction::forward : direction::reverse;
        run.parameters = data[d].parameters.data();
        run.memory = &memory[d];
        std::size_t const room = count * cpu_recurrent_layout<Cell, T>::gate_row;  // what stood there must not count
        std::fill_n(memory[d].gate_gradient.reserve(room), room, std::numeric_limits<T>::quiet_NaN());
        std::size_t const product = 64 * cpu_recurrent_layout<Cell, T>::back_size(std::max(inputs, hidden));
        std::fill_n(memory[d].product.reserve(product), product, std::numeric_limits<T>::quiet_NaN());
        run.output =
            matrix_view<T>(output.data(), shape.rows(), 2 * hidden).column_block(static_cast<int>(d) * hidden, hidden);
        run.parameter_gradient = data[d].parameter_gradient.data();
        run.output_gradient = {data[d].output_gradient.data(), shape.rows(), hidden};
        for (int s = 0; s < kinds; ++s) {
            run.initial[s] = state(data[d].initial, s), run.final[s] = state(data[d].final, s);
            run.final_gradient[s] = state(data[d].final_gradient, s);
            run.initial_gradient[s] = state(data[d].initial_gradient, s);
        }
    }
    matrix_view<T> const d_x(x_gradient.data(), distinct, inputs);
    std::span<recurrent_run<Cell, cpu, T> const> const both(runs);
    keep const kept = back ? keep::for_backward : keep::nothing;
    recurrent_forward<Cell, T, Isa>(device, shape, input, kept, both);
    if constexpr (back) recurrent_backward<Cell, T, Isa>(device, shape, input, both, d_x);

    // The same by plain loops, sequence by sequence.
    std::vector<double> expected_output(output.size()), expected_d_x(x.size());
    for (std::size_t i = 0; i < batch; ++i)
        for (std::size_t d = 0; d < 2; ++d) {
            plain_recurrent<Cell> plain{exact[d].parameters, runs[d].way};
            typename plain_recurrent<Cell>::states now{}, gradient{};
            auto const each_state = [&](auto const& f) {
                for (std::size_t s = 0; s < now.size(); ++s)
                    for (std::size_t u = 0; u < now[s].size(); ++u)
                        f(now[s][u], gradient[s][u], (s * batch + i) * hidden + u);
            };
            each_state([&](double& h, double& d_h, std::size_t at) {
                h = exact[d].initial[at], d_h = exact[d].final_gradient[at];
            });
            std::vector<double> sequence, d_output;
            std::vector<std::size_t> rows;
            for (int t = 0; t < shape.lengths()[i]; ++t) {
                std::size_t const row = static_cast<std::size_t>(shape.row(t, static_cast<int>(i)));
                auto const from = exact_x.begin() + std::ptrdiff_t{index[row]} * inputs;
                auto const d_from = exact[d].output_gradient.begin() + static_cast<std::ptrdiff_t>(row) * hidden;
                sequence.insert(sequence.end(), from, from + inputs);
                d_output.insert(d_output.end(), d_from, d_from + hidden);
                rows.push_back(row);
            }
            auto const outputs = plain.forward(sequence, now);
            auto const d_sequence = plain.backward(sequence, d_output, gradient, exact[d].parameter_gradient);
            for (std::size_t t = 0; t < rows.size(); ++t) {
                for (std::size_t u = 0; u < hidden; ++u)
                    expected_output[(rows[t] * 2 + d) * hidden + u] = outputs[t * hidden + u];
                for (std::size_t k = 0; k < inputs; ++k)
                    expected_d_x[static_cast<std::size_t>(index[rows[t]]) * inputs + k] += d_sequence[t * inputs + k];
            }
            each_state([&](double const& h, double const& d_h, std::size_t at) {
                exact[d].final[at] = h, exact[d].initial_gradient[at] = d_h;
            });
        }

    INFO("hidden " << hidden);
    CHECK(largest_error(output, expected_output, 1) <= rounding);
    if constexpr (back) CHECK(largest_error(x_gradient, expected_d_x) <= rounding);
    for (std::size_t d = 0; d < 2; ++d) {
        CHECK(largest_error(data[d].final, exact[d].final, 1) <= rounding);
        if constexpr (!back) continue;
        CHECK(largest_error(data[d].parameter_gradient, exact[d].parameter_gradient) <= rounding);
        CHECK(largest_error(data[d].initial_gradient, exact[d].initial_gradient) <= rounding);
    }
}

}  // namespace sequent_tests
