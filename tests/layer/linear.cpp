#include "sequent/layer/linear.hpp"

#include "golden.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

TEST_CASE("linear: every step of a sequence, and the gradients") {
    model<linear<3, 2>, cpu, double> net{{}, {.seed = 1}};
    auto const weight = net.values("weight"), bias = net.values("bias");
    auto const input = pack(random_sequences<double>({4, 0, 2}, 3, 1), 3);
    auto const d_output = random_values<double>(12, 2);

    auto const output = net.forward(input).values.rows;
    REQUIRE(output.rows == 6);
    REQUIRE(output.columns == 2);
    std::vector<double> d_weight(6), d_bias(2), d_input(18);
    for (int r = 0; r < 6; ++r)
        for (int o = 0; o < 2; ++o) {
            std::size_t const out = static_cast<std::size_t>(o), row = static_cast<std::size_t>(r);
            double y = bias[out];
            for (std::size_t k = 0; k < 3; ++k) {
                y += weight[out * 3 + k] * input.values[row * 3 + k];
                d_weight[out * 3 + k] += d_output[row * 2 + out] * input.values[row * 3 + k];
                d_input[row * 3 + k] += d_output[row * 2 + out] * weight[out * 3 + k];
            }
            d_bias[out] += d_output[row * 2 + out];
            CHECK(output(r, o) == Approx(y).epsilon(1e-14));
        }
    net.backward({d_output.data(), 6, 2});
    CHECK(largest_error(net.gradient("weight"), d_weight) < 1e-15);
    CHECK(largest_error(net.gradient("bias"), d_bias) < 1e-15);
    CHECK(largest_error(numbers_of(net.input_gradient()), d_input) < 1e-15);

    net.zero_gradients();  // without a gradient of the output, zeros
    net.backward({});
    CHECK(net.gradient("weight") == std::vector<double>(6));
    CHECK(numbers_of(net.input_gradient()) == std::vector<double>(18));
}

TEST_CASE("linear: rows of sequences, and of distinct words") {
    std::vector<int> const targets{1, 0, 1};
    auto const words = pack(std::vector<std::vector<int>>{{2, 5, 2}, {}, {5, 5, 0, 2}});
    model<sequential<embedding<6, 3>, mean_state, linear<3, 2>>, cpu, double> rows{
        sequential<embedding<6, 3>, mean_state, linear<3, 2>>{}, {.seed = 1}};
    auto const of_rows = gradient_check(rows, words, targets, cross_entropy{});
    CHECK(of_rows.worst < 1e-6);
    CHECK(of_rows.checked == 18 + 6 + 2);

    // A linear layer behind an embedding works on each distinct word once; steps come out in their own rows.
    model<sequential<embedding<6, 3>, linear<3, 2>>, cpu, double> steps{sequential<embedding<6, 3>, linear<3, 2>>{},
                                                                        {.seed = 1}};
    std::vector<int> const labels{0, 1, 1, 0, 1, 0, 1};
    CHECK(gradient_check(steps, words, labels, cross_entropy{}).worst < 1e-6);
    auto const output = steps.forward(words).values.rows;
    CHECK(output.rows == 7);
    for (int r = 0; r < 7; ++r)
        for (int s = 0; s < 7; ++s)
            if (words.values[static_cast<std::size_t>(r)] == words.values[static_cast<std::size_t>(s)])
                CHECK(output(r, 0) == output(s, 0));
}

TEST_CASE("linear: weights start in PyTorch's interval") {
    model<linear<16, 100>, cpu> net{{}, {.seed = 1}};
    for (auto const& parameter : net.parameters()) {
        auto const values = net.values(parameter);
        CHECK(*std::ranges::min_element(values) >= -0.25f);
        CHECK(*std::ranges::max_element(values) < 0.25f);
        CHECK(*std::ranges::max_element(values) > 0.2f);
    }
    CHECK(net.parameters()[0].shape == std::vector{100, 16});
    CHECK(net.parameters()[1].shape == std::vector{100});
}
