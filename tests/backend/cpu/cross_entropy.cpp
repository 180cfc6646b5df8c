#include "sequent/backend/cpu/cross_entropy.hpp"

#include "sequent/backend/cpu/cpu.hpp"

#include "golden.hpp"

using namespace sequent;
using namespace sequent_tests;

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
