#include "sequent/train/gradient_check.hpp"

#include <limits>

#include "catch.hpp"
#include "layer/layers.hpp"
#include "layer/random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

std::vector<int> const lengths{3, 0, 5, 1};
std::vector<int> const topics{2, 0, 1, 2};

packed_sequence<double> features(std::vector<int> const& of, int width = 3) {
    return pack(random_sequences<double>(of, width, 5), width);
}

void check(gradient_check_result const& result, std::size_t numbers) {
    INFO(result.parameter << " at " << result.place << ": " << result.analytic << " and " << result.numeric);
    CHECK(result.checked == numbers);
    CHECK(result.worst < 1e-6);
    CHECK(result.worst > 0);
}
auto count(auto const& parameters) {
    std::size_t numbers = 0;
    for (auto const& parameter : parameters) numbers += parameter.size();
    return numbers;
}

template <class Recurrent, int Width>
using topic_of_last = sequential<Recurrent, last_state, linear<Width, 3>>;

// One unit. A batch of unequal lengths, one of them zero, and a batch of one sequence.
template <class Cell>
void check_one_unit() {
    model<topic_of_last<Cell, 1>, cpu, double> net({}, {.seed = 2});
    std::size_t const numbers = count(net.parameters());
    check(gradient_check(net, features(lengths), topics, cross_entropy{}), numbers);
    check(gradient_check(net, features({4}), std::vector<int>{1}, cross_entropy{}), numbers);
}

// Of the outputs and final states, each times a number of its own.
struct weighted_sum {
    packed_sequence<double> input;
    states<double> initial;
    std::vector<double> on_output;
    states<double> on_final;

    double operator()(any_network<double>& net) const {
        auto const output = numbers_of(net.forward(input, initial));
        double sum = std::inner_product(output.begin(), output.end(), on_output.begin(), 0.0);
        auto const final = net.final_states();
        for (std::size_t k = 0; k < final.entries.size(); ++k)
            sum += std::inner_product(final.entries[k].values.begin(), final.entries[k].values.end(),
                                      on_final.entries[k].values.begin(), 0.0);
        return sum;
    }
};

// Central differences of sum() by every `stride`-th of these numbers, on which it depends.
void check_differences(std::string const& name, std::vector<double>& values, std::vector<double> const& gradient,
                       std::size_t stride, auto const& sum) {
    INFO(name);
    constexpr double step = 1e-5;
    REQUIRE(gradient.size() == values.size());
    for (std::size_t j = 0; j < values.size(); j += stride) {
        double const value = values[j];
        auto const at = [&](double moved) {
            values[j] = moved;
            return sum();
        };
        double const numeric = (at(value + step) - at(value - step)) / (2 * step);
        values[j] = value;
        CAPTURE(j, numeric, gradient[j]);
        CHECK(std::abs(numeric - gradient[j]) <= 1e-6 * std::max(1e-3, std::abs(gradient[j])));
    }
}

// An Elman cell that forgets the derivative of tanh.
struct forgetful : elman<3, 5> {
    template <int>
    using with_input = forgetful;
    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 1> const&, numbers<Number, 1> const&,
                                         numbers<Number, 1> const&, numbers<Number, 0> const&,
                                         numbers<Number, 1>& gradient, numbers<Number, 1>& x_gradient,
                                         numbers<Number, 1>& h_gradient, numbers<Number, 0>&) {
        x_gradient = h_gradient = gradient;
        gradient[0] = Number(0);
    }
};

}  // namespace

TEST_CASE("gradients of cells of one unit are the differences", "[gradient_check]") {
    check_one_unit<lstm<3, 1>>();
    check_one_unit<gru<3, 1>>();
    check_one_unit<elman<3, 1>>();
}

TEST_CASE("gradients of every cell, direction and depth are the differences", "[gradient_check]") {
    std::vector<int> const of_rows{0, 4, 2, 1, 3, 3, 0, 1, 4};  // one class for each packed row
    for (auto const& net : networks<double, all>(2)) {
        INFO(net->name);
        std::size_t const numbers = count(net->parameters());
        check(gradient_check(*net, features(lengths, net->inputs), of_rows, cross_entropy{}), numbers);
        check(gradient_check(*net, features({4}, net->inputs), std::vector<int>{1, 4, 0, 2}, cross_entropy{}), numbers);
    }
}

TEST_CASE("gradients from given initial states, and of these, are the differences", "[gradient_check]") {
    int checked = 0;
    for (auto const& net : networks<double, all>(3)) {
        INFO(net->name);
        int const batch = static_cast<int>(lengths.size());
        weighted_sum sum{features(lengths, net->inputs), net->zero_states(batch), {}, net->zero_states(batch)};
        randomise(sum.initial, 10), randomise(sum.on_final, 20);
        int const rows = sum.input.shape.rows();
        sum.on_output = random_values<double>(static_cast<std::size_t>(rows * net->features), 30);
        net->zero_gradients();
        sum(*net);
        net->backward({sum.on_output.data(), rows, net->features}, sum.on_final);
        auto const of_states = net->initial_state_gradients();
        for (std::size_t k = 0; k < of_states.entries.size(); ++k, ++checked)
            check_differences(of_states.entries[k].name, sum.initial.entries[k].values, of_states.entries[k].values, 1,
                              [&] { return sum(*net); });
        for (auto const& parameter : net->parameters()) {
            auto const gradient = net->gradient(parameter.name);
            auto values = net->values(parameter);
            check_differences(parameter.name, values, gradient, 7, [&] {
                net->assign(parameter, values);
                return sum(*net);
            });
            net->assign(parameter, values);
        }
    }
    CHECK(checked == (1 + 1 + 2 + 1 + 2) * (1 + 1 + 2 + 2 + 2 + 4));  // states of the cells, of the networks
}

TEST_CASE("a gradient check of every step's output, of an embedding and of what is frozen", "[gradient_check]") {
    using network = sequential<named<"embedding", embedding<7, 3>>, dropout, named<"rnn", gru<3, 5>>>;
    network const description{{.rows = 7, .padding = 1}, {.probability = 0.5}, {}};
    model<network, cpu, double> net{description, {.seed = 2}};
    auto const before = net.values("embedding.weight");
    auto const batch = pack(std::vector<std::vector<int>>{{2, 1, 6}, {}, {3, 3, 1, 0}});
    std::vector<int> const targets{0, 4, 2, 1, -100, 3, 0};  // one per packed row
    cross_entropy const loss{.reduction = reduction::sum, .label_smoothing = 0.1};

    auto const all = gradient_check(net, batch, targets, loss);
    INFO(all.parameter << " at " << all.place << ": " << all.analytic << " and " << all.numeric);
    CHECK(all.worst < 1e-6);
    CHECK(all.checked == 6 * 3 + 15 * (3 + 5 + 2));  // not the padding row
    CHECK(net.values("embedding.weight") == before);
    CHECK(net.is_training());

    net.freeze("embedding");
    CHECK(gradient_check(net, batch, targets, loss).checked == 15 * (3 + 5 + 2));
    net.eval();
    CHECK(gradient_check(net, batch, targets, loss).worst < 1e-6);
    CHECK(!net.is_training());
}

TEST_CASE("a gradient check finds a wrong cell", "[gradient_check]") {
    model<topic_of_last<forgetful, 5>, cpu, double> net({}, {.seed = 2});
    auto const result = gradient_check(net, features(lengths), topics, cross_entropy{});
    CHECK(result.worst > 0.01);
    CHECK(result.parameter.starts_with("0."));
}

TEST_CASE("a gradient check finds NaN", "[gradient_check]") {
    model<topic_of_last<elman<3, 5>, 5>, cpu, double> net({}, {.seed = 2});
    auto const wrong = [](cpu const& device, matrix_view<double const> output, std::span<int const> targets,
                          matrix_view<double> gradient) {
        auto const result = cross_entropy{}(device, output, targets, gradient);
        gradient(0, 0) = std::numeric_limits<double>::quiet_NaN();
        return result;
    };
    CHECK(std::isnan(gradient_check(net, features(lengths), topics, wrong).worst));
}
