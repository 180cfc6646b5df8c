#include "sequent/train/cross_entropy.hpp"

#include <limits>

#include "golden.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct answer {
    cross_entropy_result result;
    std::vector<double> gradient;
};

template <class T>
answer run(cross_entropy const& loss, int classes, std::vector<T> const& logits, std::vector<int> const& targets) {
    int const rows = static_cast<int>(logits.size()) / classes;
    std::vector<T> gradient(logits.size(), T(-7));  // what was there is overwritten
    auto const result = loss(cpu{}, matrix_view<T const>(logits.data(), rows, classes), targets,
                             matrix_view<T>(gradient.data(), rows, classes));
    return {result, {gradient.begin(), gradient.end()}};
}

}  // namespace

TEST_CASE("cross-entropy and its gradient are PyTorch's", "[cross_entropy]") {
    golden const file("losses");
    for (std::string const& name : file.words("cases")) {
        INFO(name);
        cross_entropy loss{.reduction = name.starts_with("sum") ? reduction::sum : reduction::mean};
        if (file.contains(name + "/weight")) loss.class_weights = file.values(name + "/weight");
        if (file.contains(name + "/ignore_index")) loss.ignore_index = file.values<int>(name + "/ignore_index").at(0);
        if (file.contains(name + "/label_smoothing")) loss.label_smoothing = file.number(name + "/label_smoothing");
        auto const logits = file.values(name + "/logits");
        auto const targets = file.values<int>(name + "/targets");
        double const expected = file.number(name + "/loss");
        auto const gradient = file.values(name + "/d_logits");

        answer const ours = run<double>(loss, 4, logits, targets);
        CHECK(std::abs(ours.result.loss - expected) <= 1e-14 * std::abs(expected));
        CHECK(largest_error(ours.gradient, gradient) <= 1e-14);
        answer const in_float = run<float>(loss, 4, {logits.begin(), logits.end()}, targets);
        CHECK(std::abs(in_float.result.loss - expected) <= 1e-6 * std::abs(expected));
        CHECK(largest_error(in_float.gradient, gradient) <= 1e-5);
    }
}

TEST_CASE("cross-entropy counts the rows that it judges right", "[cross_entropy]") {
    std::vector<double> const logits{1, 2, 2, /**/ 5, 1, 1, /**/ 0, 0, std::nan(""), /**/ 0, 0, 9};
    answer const all = run<double>({}, 3, logits, {1, 1, 2, 0});  // the first of a tie; NaN is the largest
    CHECK(all.result.correct == 2);
    CHECK(all.result.rows == 4);
    CHECK(all.result.weight == 4);
    answer const some = run<double>({.class_weights = {0.5, 3, 0.25}, .ignore_index = 2}, 3, logits, {1, 1, 2, 0});
    CHECK(some.result.correct == 1);
    CHECK(some.result.rows == 3);
    CHECK(some.result.weight == 6.5);
}

TEST_CASE("edges of cross-entropy are PyTorch's", "[cross_entropy]") {
    std::vector<double> const logits{1, 2, 3, 4};
    answer const ignored = run<double>({}, 2, logits, {-100, -100});
    CHECK(std::isnan(ignored.result.loss));
    CHECK(ignored.gradient == std::vector<double>(4, 0.0));
    CHECK(run<double>({.reduction = reduction::sum}, 2, logits, {-100, -100}).result.loss == 0);

    answer const weightless = run<double>({.class_weights = {0, 1}}, 2, logits, {0, 0});
    CHECK(weightless.result.weight == 0);
    CHECK(std::isnan(weightless.result.loss));
    for (double const value : weightless.gradient) CHECK(std::isnan(value));
    CHECK(std::isnan(run<double>({.class_weights = {0, 1}, .label_smoothing = 0.1}, 2, logits, {0, 0}).result.loss));
    CHECK(run<double>({.reduction = reduction::sum, .class_weights = {0, 1}}, 2, logits, {0, 0}).result.loss == 0);

    CHECK(std::isnan(run<double>({}, 2, {}, {}).result.loss));
    CHECK(std::isnan(run<double>({}, 2, {1, infinity}, {0}).result.loss));
    CHECK(std::isnan(run<double>({}, 2, {1, infinity}, {1}).result.loss));
    CHECK(run<double>({}, 2, {1, -infinity}, {0}).result.loss == 0);
    CHECK(run<double>({}, 2, {1, -infinity}, {1}).result.loss == infinity);
    CHECK(run<double>({}, 2, {1e300, -1e300}, {0}).gradient == std::vector<double>(2, 0.0));
    CHECK(run<double>({.label_smoothing = 1}, 2, {3, 3}, {0}).result.loss == Approx(std::log(2.0)));
}

TEST_CASE("cross-entropy says what does not fit", "[cross_entropy]") {
    std::vector<double> const logits(6);
    CHECK_THROWS_WITH(run<double>({}, 2, logits, {0, 1}),
                      Catch::Contains("expected input batch_size (3) to match target batch_size (2)"));
    CHECK_THROWS_WITH(run<double>({}, 2, logits, {0, 2, 1}), Catch::Contains("target 2 of row 1 is out of bounds"));
    CHECK_THROWS_WITH(run<double>({}, 2, logits, {0, 1, -1}), Catch::Contains("target -1 of row 2 is out of bounds"));
    CHECK_THROWS_WITH(run<double>({.label_smoothing = 1.5}, 2, logits, {0, 1, 1}),
                      Catch::Contains("label_smoothing must be between 0.0 and 1.0, got 1.5"));
    CHECK_THROWS_AS(run<double>({.label_smoothing = std::nan("")}, 2, logits, {0, 1, 1}), argument_error);
    CHECK_THROWS_WITH(run<double>({.class_weights = {1, 1, 1}}, 2, logits, {0, 1, 1}),
                      Catch::Contains("one weight for each of the 2 classes, got 3"));
    std::vector<double> gradient(3);
    CHECK_THROWS_WITH(cross_entropy{}(cpu{}, matrix_view<double const>(logits.data(), 3, 2), std::vector<int>{0, 1, 1},
                                      matrix_view<double>(gradient.data(), 3, 1)),
                      Catch::Contains("shape of the logits, [3, 2], got [3, 1]"));
}
