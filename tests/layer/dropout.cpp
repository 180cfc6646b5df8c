#include "sequent/layer/dropout.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// One pass through a dropout layer on rows: output and, for a gradient of ones, the gradient.
struct result {
    std::vector<double> output, gradient;
};
result apply(double probability, std::vector<double> const& x, mode how, std::uint64_t step, std::uint64_t key = 1) {
    dropout const layer({.probability = probability});
    cpu const device;
    pass<cpu> const now{device, how, 7, step};
    dropout::memory<cpu, double> memory;
    memory.key = key;
    packing const shape(std::vector<int>(x.size() / 10, 1));
    rows_flow<cpu, double> const input{&shape, {x.data(), static_cast<int>(x.size() / 10), 10}};
    std::vector<double> const ones(x.size(), 1);
    double const* const none = nullptr;
    auto const output = numbers_of(layer.forward(now, none, memory, input).values);
    rows_gradient<double> const d_output{{ones.data(), input.values.rows, 10}};
    auto const gradient =
        layer.backward(now, none, static_cast<double*>(nullptr), memory, input, d_output, input_gradient::wanted);
    return {output, numbers_of(gradient.values)};
}

}  // namespace

TEST_CASE("dropout: numbers become zero at the given rate and are scaled otherwise, the gradient by the same mask") {
    std::vector<double> const x(100'000, 3);
    for (double const p : {0.1, 0.5, 0.9}) {
        auto const [output, gradient] = apply(p, x, mode::training, 1);
        double const n = static_cast<double>(x.size());
        double zeros = 0;
        bool scaled = true, same_mask = true;
        for (std::size_t j = 0; j < x.size(); ++j) {
            zeros += output[j] == 0;
            scaled = scaled && (output[j] == 0 || std::abs(output[j] - 3 / (1 - p)) < 1e-12);
            same_mask = same_mask && std::abs(gradient[j] - output[j] / 3) < 1e-12;
        }
        CHECK(std::abs(zeros / n - p) < 5 * std::sqrt(p * (1 - p) / n));
        CHECK(scaled);
        CHECK(same_mask);
    }
}

TEST_CASE("dropout: none, all, and evaluation") {
    auto const x = random_values<double>(100, 1);
    std::vector<double> const zeros(100), ones(100, 1);
    CHECK(apply(0, x, mode::training, 1).output == x);
    CHECK(apply(1, x, mode::training, 1).output == zeros);
    CHECK(apply(1, x, mode::training, 1).gradient == zeros);
    for (mode const how : {mode::evaluation, mode::inference}) {
        CHECK(apply(0.5, x, how, 1).output == x);
        CHECK(apply(0.5, x, how, 1).gradient == ones);
    }
}

TEST_CASE("dropout: every pass and layer has a mask of its own, the same each time") {
    std::vector<double> const x(1000, 1);
    auto const first = apply(0.5, x, mode::training, 1).output;
    CHECK(apply(0.5, x, mode::training, 1).output == first);
    CHECK(apply(0.5, x, mode::training, 2).output != first);
    CHECK(apply(0.5, x, mode::training, 1, 2).output != first);
}

TEST_CASE("dropout: two layers of one network do not drop the same numbers") {
    using network = sequential<linear<10, 10>, dropout, sequential<dropout>>;
    model<network, cpu, double> net{network{{}, {.probability = 0.5}, {{dropout::options{.probability = 0.5}}}}};
    net.assign("0.weight", std::vector<double>(100));
    net.assign("0.bias", std::vector<double>(10, 1));
    auto const output = numbers_of(net.forward(pack(random_sequences<double>({1000}, 10, 1), 10)).values.rows);
    double const kept = static_cast<double>(output.size() - static_cast<std::size_t>(std::ranges::count(output, 0)));
    CHECK(std::abs(kept / 10'000 - 0.25) < 5 * std::sqrt(0.25 * 0.75 / 10'000));
}

TEST_CASE("dropout: in a network, on steps, words by index and rows, with the gradients of its mask") {
    using network =
        sequential<embedding<6, 4>, dropout, named<"rnn", stacked<2, lstm<4, 3>>>, last_state, dropout, linear<3, 2>>;
    network const description{{}, {.probability = 0.3}, {.dropout = 0.5}, {}, {.probability = 0.2}, {}};
    model<network, cpu, double> net{description, {.seed = 5}};
    auto const text = pack(std::vector<std::vector<int>>{{2, 5, 2}, {1}, {5, 4, 0, 2, 2}});
    auto const d_output = random_values<double>(6, 1);
    auto const loss = [&] {
        net.passes(0);  // so that each pass has the mask of the first
        auto const output = net.forward(text);
        double sum = 0;
        for (std::size_t j = 0; j < 6; ++j) sum += d_output[j] * output.data[j];
        return sum;
    };
    double const value = loss();
    net.backward({d_output.data(), 3, 2});
    double worst = 0;
    for (auto const& parameter : net.parameters()) {
        auto values = net.values(parameter);
        auto const gradient = net.gradient(parameter.name);
        for (std::size_t j = 0; j < values.size(); ++j) {
            double const before = values[j];
            values[j] = before + 1e-6;
            net.assign(parameter, values);
            double const above = loss();
            values[j] = before - 1e-6;
            net.assign(parameter, values);
            double const below = loss();
            values[j] = before;
            net.assign(parameter, values);
            worst = std::max(worst, std::abs((above - below) / 2e-6 - gradient[j]));
        }
    }
    CHECK(worst < 1e-8);

    CHECK(loss() == value);
    net.forward(text);  // the second pass: another mask
    CHECK(net.passes() == 2);
    auto const second = numbers_of(net.forward(text));
    net.eval();
    auto const evaluated = numbers_of(net.forward(text));
    CHECK(evaluated != second);
    CHECK(net.passes() == 3);  // evaluation moves no mask
    model<network, cpu, double> without{network{{}, {.probability = 0}, {}, {}, {.probability = 0}, {}}, {.seed = 5}};
    CHECK(same_bits(numbers_of(without.forward(text)), evaluated));
}

TEST_CASE("dropout: a probability outside [0, 1]") {
    auto const error = [](double p) { return thrown<argument_error>([&] { dropout({.probability = p}); }); };
    CHECK(error(-0.1) == "sequent::dropout: the probability has to be between 0 and 1, but got -0.1");
    CHECK(error(1.5) == "sequent::dropout: the probability has to be between 0 and 1, but got 1.5");
    CHECK(error(std::nan("")) != "");
    CHECK(thrown<argument_error>([] { stacked<2, lstm<3, 4>>({.dropout = 2}); }) != "");
    CHECK(error(0) == "");
    CHECK(error(1) == "");
}
