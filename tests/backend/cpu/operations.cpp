#include "sequent/backend/cpu/operations.hpp"

#include "sequent/backend/cpu/cpu.hpp"

#include <limits>

#include "golden.hpp"
#include "layer/random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {
template <class T>
matrix_view<T const> view(std::vector<T> const& values, int rows) {
    return {values.data(), rows, static_cast<int>(values.size()) / rows};
}
template <class T>
matrix_view<T> view(std::vector<T>& values, int rows) {
    return {values.data(), rows, static_cast<int>(values.size()) / rows};
}
}  // namespace

TEMPLATE_TEST_CASE("cpu_affine: every size, with and without bias, and a row's bits are its own", "", float, double) {
    using T = TestType;
    int const depth = 6;
    for (int const outputs : {1, 4, 16, 19})
        for (int const rows : {1, 8, 13}) {
            auto const x = random_values<T>(static_cast<std::size_t>(rows * depth), 1);
            auto const weight = random_values<T>(static_cast<std::size_t>(outputs * depth), 2);
            auto const bias = random_values<T>(static_cast<std::size_t>(outputs), 3);
            std::vector<T> y(static_cast<std::size_t>(rows * outputs)), without = y, last(bias.size());
            affine(cpu{}, view(x, rows), view(weight, outputs), bias.data(), view(y, rows));
            affine<T>(cpu{}, view(x, rows), view(weight, outputs), nullptr, view(without, rows));
            std::vector<double> expected(y.size()), expected_without(y.size());
            for (int r = 0; r < rows; ++r)
                for (int o = 0; o < outputs; ++o) {
                    double sum = 0;
                    for (int k = 0; k < depth; ++k)
                        sum +=
                            static_cast<double>(view(x, rows)(r, k)) * static_cast<double>(view(weight, outputs)(o, k));
                    view(expected_without, rows)(r, o) = sum;
                    view(expected, rows)(r, o) = sum + static_cast<double>(bias[static_cast<std::size_t>(o)]);
                }
            double const rounding = std::is_same_v<T, double> ? 1e-15 : 5e-7;
            CHECK(largest_error(y, expected) <= rounding);
            CHECK(largest_error(without, expected_without) <= rounding);
            affine(cpu{}, matrix_view<T const>(view(x, rows).row(rows - 1), 1, depth), view(weight, outputs),
                   bias.data(), view(last, 1));
            CHECK(same_bits(last, std::vector<T>(y.end() - outputs, y.end())));
        }
}

TEST_CASE("gather and scatter: rows by index, equal ones add up in ascending order") {
    std::vector<float> const from{1, 2, 3, 4, 5, 6};
    std::vector<float> to(8);
    gather_rows(cpu{}, view(from, 3), std::vector{2, 0, 2, 1}, view(to, 4));
    CHECK(to == std::vector<float>{5, 6, 1, 2, 5, 6, 3, 4});

    std::vector<float> sum{10, 20, 30, 40};
    scatter_add_rows(cpu{}, view(from, 3), std::vector{1, 0, 1}, view(sum, 2));
    CHECK(sum == std::vector<float>{13, 24, 36, 48});

    std::vector<float> const parts{1e8f, 1, -1e8f};  // in this order the 1 is lost
    std::vector<float> ordered(1);
    scatter_add_rows(cpu{}, view(parts, 3), std::vector{0, 0, 0}, view(ordered, 1));
    CHECK(ordered[0] == 0);
}

TEST_CASE("mean and maximum over steps: user's order, ties, NaN, and sequences of no steps") {
    float const nan = std::numeric_limits<float>::quiet_NaN();
    packing const shape(std::vector{2, 0, 3});  // sorted: 2 0 1; rows: (2,0) (0,0) (2,1) (0,1) (2,2)
    std::vector<float> const rows{1, -5, 8, 3, 4, -5, 6, nan, -2, -9};
    std::vector<float> mean(6, 7), max(6, 7);
    std::vector<int> where(6, 7);
    mean_rows(cpu{}, shape, view(rows, 5), view(mean, 3));
    CHECK(mean[0] == 7);
    CHECK(std::isnan(mean[1]));
    CHECK(std::vector(mean.begin() + 2, mean.end()) == std::vector<float>{0, 0, 1, -19 / 3.0f});
    max_rows(cpu{}, shape, view(rows, 5), view(max, 3), where.data());
    CHECK(max[0] == 8);
    CHECK(std::isnan(max[1]));
    CHECK(std::vector(max.begin() + 2, max.end()) == std::vector<float>{0, 0, 4, -5});
    CHECK(where == std::vector{1, 3, -1, -1, 2, 0});

    std::vector<float> const gradient{2, 4, 6, 8, 9, 12};
    std::vector<float> to(10, 7);
    mean_rows_backward(cpu{}, shape, view(gradient, 3), view(to, 5));
    CHECK(to == std::vector<float>{3, 4, 1, 2, 3, 4, 1, 2, 3, 4});
    max_rows_backward(cpu{}, view(gradient, 3), where.data(), view(to, 5));
    CHECK(to == std::vector<float>{0, 12, 2, 0, 9, 0, 0, 4, 0, 0});
}

TEST_CASE("cpu_drop: number j by the stream's number j") {
    random_stream const random{3, 4};
    std::vector<double> const x = random_values<double>(600, 1);
    std::vector<double> y(600);
    drop(cpu{}, random, 0.25, view(x, 20), view(y, 20));
    for (std::size_t j = 0; j < x.size(); ++j) CHECK(y[j] == (random.uniform(j) < 0.25f ? 0 : x[j] * (1 / 0.75)));
    drop(cpu{}, random, 1, view(x, 20), view(y, 20));
    CHECK(y == std::vector<double>(600));
    drop(cpu{}, random, 0, view(x, 20), view(y, 20));
    CHECK(y == x);
}

TEST_CASE("cpu_sum_of_squares: in double, whatever the length") {
    for (std::size_t n = 0; n < 20; ++n) {
        double expected = 0;
        std::vector<float> values;
        for (std::size_t j = 0; j < n; ++j)
            values.push_back(static_cast<float>(j)), expected += static_cast<double>(j * j);
        CHECK(sum_of_squares(cpu{}, values.data(), n) == expected);
    }
    std::vector<float> const large(1000, 3e38f);  // beyond float's range, not double's
    CHECK(sum_of_squares(cpu{}, large.data(), large.size()) == Approx(1000 * 9e76).epsilon(1e-6));
}

// Numbers that are exact in binary, so that no rounding hides a mistake.
TEST_CASE("the element update of SGD") {
    std::vector<float> const gradient{1, -2, 0, 4, 8};
    std::vector<float> p{8, 8, 8, 8, 8}, velocity(5, 0.0f);

    sgd_update<float>(cpu{}, {}, {.rate = 0.5}, p.data(), nullptr, gradient.data(), 5);
    CHECK(p == std::vector<float>{7.5, 9, 8, 6, 4});

    p.assign(5, 8);
    sgd_update<float>(cpu{}, {.weight_decay = 0.25}, {.rate = 0.5}, p.data(), nullptr, gradient.data(), 5);
    CHECK(p == std::vector<float>{6.5, 8, 7, 5, 3});

    sgd_constants const constants{.momentum = 0.5, .dampening = 0.5};
    p.assign(5, 8);
    for (int t : {1, 2})
        sgd_update(cpu{}, constants, sgd_step::at(constants, t, 0.5), p.data(), velocity.data(), gradient.data(), 5);
    CHECK(velocity == std::vector<float>{1, -2, 0, 4, 8});  // g, then g / 2 + g / 2
    CHECK(p == std::vector<float>{7, 10, 8, 4, 0});

    sgd_constants const nesterov{.momentum = 0.5, .nesterov = true};
    p.assign(5, 8), velocity.assign(5, 0);
    for (int t : {1, 2})
        sgd_update(cpu{}, nesterov, sgd_step::at(nesterov, t, 0.5), p.data(), velocity.data(), gradient.data(), 5);
    CHECK(velocity == std::vector<float>{1.5, -3, 0, 6, 12});  // g, then 3/2 g
    CHECK(p == std::vector<float>{6.375, 11.25, 8, 1.5, -5});  // 8 - (3/2 + 7/4) g / 2
}

TEMPLATE_TEST_CASE("cpu_cross_entropy: losses and gradients are PyTorch's", "", double, float) {
    using T = TestType;
    golden const file("losses");
    double const rounding = std::is_same_v<T, double> ? 1e-14 : 1e-6;
    for (std::string const& name : file.words("cases")) {
        INFO(name);
        auto const logits = file.values<T>(name + "/logits");
        auto const targets = file.values<int>(name + "/targets");
        std::vector<double> weights;
        cross_entropy_request request;
        request.sum = name.starts_with("sum");
        if (file.contains(name + "/weight")) weights = file.values(name + "/weight");
        request.class_weights = weights;
        if (file.contains(name + "/ignore_index")) request.ignore_index = file.values<int>(name + "/ignore_index")[0];
        if (file.contains(name + "/label_smoothing")) request.label_smoothing = file.number(name + "/label_smoothing");
        std::vector<T> gradient(logits.size(), T(7));
        auto const result = softmax_cross_entropy(cpu{}, request, matrix_view<T const>(logits.data(), 6, 4), targets,
                                                  matrix_view<T>(gradient.data(), 6, 4));
        CHECK(result.loss == Approx(file.number(name + "/loss")).epsilon(rounding));
        CHECK(largest_error(gradient, file.values(name + "/d_logits")) <= rounding);
    }
}

TEST_CASE("cpu_cross_entropy: correct is the first of the largest logits, and NaN above all, as torch.argmax") {
    auto const of = [](std::vector<double> const& logits) {
        int const classes = static_cast<int>(logits.size());
        std::vector<int> correct;
        for (int target = 0; target < classes; ++target) {
            std::vector<double> gradient(logits.size());
            if (softmax_cross_entropy(cpu{}, cross_entropy_request{}, matrix_view(logits.data(), 1, classes),
                                      std::vector{target}, matrix_view(gradient.data(), 1, classes))
                    .correct == 1)
                correct.push_back(target);
        }
        REQUIRE(correct.size() == 1);
        return correct[0];
    };
    CHECK(of({1, 3, 2}) == 1);
    CHECK(of({3, 3, 2}) == 0);
    CHECK(of({1, std::nan(""), 9, std::nan("")}) == 1);
    CHECK(of({-5}) == 0);
}
