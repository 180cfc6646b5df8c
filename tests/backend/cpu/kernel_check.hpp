// The CPU's recurrent kernels on one packed batch of unequal lengths, against plain_recurrent.
#pragma once

#include <numeric>
#include <vector>

#include "golden.hpp"
#include "layer/random_data.hpp"
#include "plain_recurrent.hpp"
#include "sequent/backend/cpu/cpu.hpp"

namespace sequent_tests {

enum class pass_direction { forward, forward_and_backward };
enum class input_rows { one_by_one, indexed };  // indexed: each distinct row once, as an embedding hands them on

// Seven sequences, one of them empty: more than one tile of rows at the first steps, less at the last. Outputs are
// written into columns of a wider matrix, as a bidirectional layer does.
template <class Cell, class T, class Isa = sequent::default_isa>
void check_kernel(sequent::direction way, input_rows rows, pass_direction passes) {
    using namespace sequent;
    using layout = recurrent_layout<Cell>;
    constexpr int inputs = Cell::input_size, hidden = Cell::hidden_size, kinds = Cell::state_count;
    double const rounding = std::is_same_v<T, double> ? 1e-14 : 2e-6;
    auto const floats = [](std::vector<double> const& from) { return std::vector<T>(from.begin(), from.end()); };
    packing const shape(std::vector<int>{3, 6, 0, 9, 1, 6, 9, 9, 4, 2, 9});
    std::size_t const count = static_cast<std::size_t>(shape.rows()), batch = static_cast<std::size_t>(shape.batch());

    // Everything is a small multiple of a power of two: the same numbers in float and double.
    auto exact_parameters = random_values<double>(static_cast<std::size_t>(layout::size), 1);
    for (double& p : exact_parameters) p *= 0.375;
    std::vector<int> index(count);
    std::iota(index.begin(), index.end(), 0);
    if (rows == input_rows::indexed)
        for (int& i : index) i = i * 7 % 11;
    int const distinct = rows == input_rows::indexed ? 11 : shape.rows();
    auto const exact_x = random_values<double>(static_cast<std::size_t>(distinct) * inputs, 2);
    auto const exact_initial = random_values<double>(static_cast<std::size_t>(kinds) * batch * hidden, 3);
    auto const exact_output_gradient = random_values<double>(count * hidden, 4);
    auto const exact_final_gradient = random_values<double>(static_cast<std::size_t>(kinds) * batch * hidden, 5);

    auto const parameters = floats(exact_parameters), x = floats(exact_x), initial = floats(exact_initial),
               output_gradient = floats(exact_output_gradient), final_gradient = floats(exact_final_gradient);
    std::vector<T> output(count * 2 * hidden, T(7)), final(initial.size()), initial_gradient(initial.size());
    std::vector<T> parameter_gradient(parameters.size(), T(0)), x_gradient(x.size());
    auto const state = [&](auto& values, int s) {
        return matrix_view(values.data() + static_cast<std::size_t>(s) * batch * hidden, shape.batch(), hidden);
    };
    cpu_recurrent_memory<Cell, T> memory;
    recurrent_run<Cell, cpu, T> run;
    run.way = way;
    run.parameters = parameters.data();
    run.memory = &memory;
    run.output = matrix_view<T>(output.data(), shape.rows(), 2 * hidden).column_block(hidden, hidden);
    run.parameter_gradient = parameter_gradient.data();
    run.output_gradient = {output_gradient.data(), shape.rows(), hidden};
    for (int s = 0; s < kinds; ++s) {
        run.initial[s] = state(initial, s), run.final[s] = state(final, s);
        run.final_gradient[s] = state(final_gradient, s), run.initial_gradient[s] = state(initial_gradient, s);
    }
    indexed_rows<T> const input{{x.data(), distinct, inputs},
                                rows == input_rows::indexed ? std::span<int const>(index) : std::span<int const>()};
    bool const back = passes == pass_direction::forward_and_backward;
    cpu_recurrent_forward<Cell, T, Isa, accurate>::run(shape, input, back ? keep::for_backward : keep::nothing, run);

    // The same by plain loops, sequence by sequence. States stand in the sorted order.
    std::vector<double> expected_output(output.size(), 7), expected_final(final.size());
    std::vector<double> expected_gradient(parameters.size()), expected_x_gradient(x.size());
    std::vector<double> expected_initial_gradient(initial.size());
    for (std::size_t i = 0; i < batch; ++i) {
        plain_recurrent<Cell> plain{exact_parameters, way};
        typename plain_recurrent<Cell>::states now{}, gradient{};
        for (int s = 0; s < kinds; ++s)
            for (int u = 0; u < hidden; ++u) {
                now[static_cast<std::size_t>(s)][static_cast<std::size_t>(u)] =
                    state(exact_initial, s)(static_cast<int>(i), u);
                gradient[static_cast<std::size_t>(s)][static_cast<std::size_t>(u)] =
                    state(exact_final_gradient, s)(static_cast<int>(i), u);
            }
        std::vector<double> sequence, d_output;
        auto const row_at = [&](int t) { return static_cast<std::size_t>(shape.row(t, static_cast<int>(i))); };
        for (int t = 0; t < shape.lengths()[i]; ++t) {
            auto const from = exact_x.begin() + std::ptrdiff_t{index[row_at(t)]} * inputs;
            sequence.insert(sequence.end(), from, from + inputs);
            auto const d = exact_output_gradient.begin() + static_cast<std::ptrdiff_t>(row_at(t)) * hidden;
            d_output.insert(d_output.end(), d, d + hidden);
        }
        auto const outputs = plain.forward(sequence, now);
        auto const d_x = plain.backward(sequence, d_output, gradient, expected_gradient);
        for (int t = 0; t < shape.lengths()[i]; ++t) {
            std::copy_n(outputs.begin() + std::ptrdiff_t{t} * hidden, hidden,
                        expected_output.begin() + static_cast<std::ptrdiff_t>(row_at(t)) * 2 * hidden + hidden);
            for (int k = 0; k < inputs; ++k)
                expected_x_gradient[static_cast<std::size_t>(index[row_at(t)] * inputs + k)] +=
                    d_x[static_cast<std::size_t>(t * inputs + k)];
        }
        for (int s = 0; s < kinds; ++s)
            for (int u = 0; u < hidden; ++u) {
                auto const place = static_cast<std::size_t>(s), unit = static_cast<std::size_t>(u);
                state(expected_final, s)(static_cast<int>(i), u) = now[place][unit];
                state(expected_initial_gradient, s)(static_cast<int>(i), u) = gradient[place][unit];
            }
    }

    INFO("hidden " << hidden << (way == direction::reverse ? ", reverse" : ", forward"));
    CHECK(largest_error(output, expected_output) <= rounding);
    CHECK(largest_error(final, expected_final, 1) <= rounding);
    if (!back) return;
    cpu_recurrent_backward<Cell, T, Isa, accurate>::run(shape, input, run, {x_gradient.data(), distinct, inputs},
                                                        false);
    CHECK(largest_error(parameter_gradient, expected_gradient) <= rounding);
    CHECK(largest_error(initial_gradient, expected_initial_gradient) <= rounding);
    CHECK(largest_error(x_gradient, expected_x_gradient) <= rounding);
    // Once more, added: parameters' gradients always are, the input's when asked.
    cpu_recurrent_backward<Cell, T, Isa, accurate>::run(shape, input, run, {x_gradient.data(), distinct, inputs}, true);
    for (double& g : expected_gradient) g *= 2;
    for (double& g : expected_x_gradient) g *= 2;
    CHECK(largest_error(parameter_gradient, expected_gradient) <= rounding);
    CHECK(largest_error(x_gradient, expected_x_gradient) <= rounding);
}

}  // namespace sequent_tests
