#include "sequent/model/model.hpp"

#include "allocations.hpp"
#include "golden.hpp"
#include "io/helpers.hpp"
#include "layer/layers.hpp"
#include "layer/random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

using words = std::vector<std::vector<int>>;
using news_net =
    sequential<named<"embedding", embedding<30, 6>>, named<"rnn", gru<6, 5>>, last_state, named<"fc", linear<5, 4>>>;
using news_model = model<news_net, cpu>;

std::vector<float> all_values(news_model& net) {
    std::vector<float> all;
    for (auto const& parameter : net.parameters()) {
        auto const values = net.values(parameter);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

// PyTorch's error cases.
template <class T>
void check_bad_input(any_network<T>& net) {
    int const width = net.features;
    auto const input = pack(random_sequences<T>({2, 5}, 5, 1), 5);
    auto const error = [](auto&& call) { return thrown<argument_error>(call); };
    CHECK(error([&] { net.forward(pack(random_sequences<T>({2}, 7, 1), 7)); }) ==
          "sequent::model: the input must have 5 features, got 7");
    auto damaged = input;
    damaged.values.pop_back();
    CHECK(error([&] { net.forward(damaged); }) == "sequent::model: the input's shape asks for 35 values, got 34");

    CHECK(error([&] { net.forward(input, net.zero_states(3)); }) ==
          "sequent::model: the input's batch size 2 does not match the states' batch size 3");
    states<T> initial = net.zero_states(2);  // whose last one will not fit
    std::string const first = initial.entries[0].name, last = initial.entries.back().name;
    std::string known;
    for (std::size_t k = 0; k + 1 < initial.entries.size(); ++k) known += initial.entries[k].name + ", ";
    initial.entries.back().name = "other";
    CHECK(error([&] { net.forward(input, initial); }) ==
          "sequent::states: no state is called '" + last + "'; there are: " + known + "other");
    CHECK(error([&] {
              net.forward(input, {2, {}});
          }) == "sequent::states: no state is called '" + first + "'; there are: ");
    initial = net.zero_states(2);
    initial.entries.back().width = 4, initial.entries.back().values.resize(8);
    CHECK(error([&] { net.forward(input, initial); }) ==
          "sequent::model: expected the size of state '" + last + "' to be [2, 5], got [2, 4]");
    initial = net.zero_states(2);
    initial.entries.back().values.resize(4);
    CHECK(error([&] { net.forward(input, initial); }) ==
          "sequent::states: expected the size of state '" + last + "' to be [2, 5], got 4 values");

    std::vector<T> const gradient(7 * 10);
    net.forward(input);
    CHECK(error([&] { net.forward(input, initial); }) != "");  // after which there is nothing to go back through
    CHECK_THROWS_AS(net.backward({gradient.data(), 7, width}), argument_error);
    net.forward(input);
    std::string const shape = message("sequent::model: the gradient must have the shape of the output, [7, ", width);
    CHECK(error([&] { net.backward({gradient.data(), 7, 4}); }) == shape + "], got [7, 4]");
    CHECK(error([&] { net.backward({gradient.data(), 2, width}); }) == message(shape, "], got [2, ", width, "]"));
    CHECK_THROWS_AS(net.backward({gradient.data(), 7, width}, net.zero_states(1)), argument_error);
    CHECK_THROWS_AS(net.backward({gradient.data(), 7, width}, initial), argument_error);
    net.backward({gradient.data(), 7, width}, net.zero_states(2));
}

}  // namespace

TEST_CASE("model: a seed draws the parameters, each tensor its own") {
    news_model a{news_net{}, {.seed = 1}}, b{news_net{}, {.seed = 1}}, c{news_net{}, {.seed = 2}};
    CHECK(same_bits(all_values(a), all_values(b)));
    CHECK_FALSE(same_bits(all_values(a), all_values(c)));
    CHECK(a.values("rnn.bias_ih_l0") != a.values("rnn.bias_hh_l0"));
    a.assign("fc.bias", std::vector<float>{1, 2, 3, 4});
    a.reset_parameters();
    CHECK(same_bits(all_values(a), all_values(b)));
    // The same numbers in double, rounded.
    model<news_net, cpu, double> wide{news_net{}, {.seed = 1}};
    auto const values = wide.values("rnn.weight_ih_l0");
    CHECK(std::vector<float>(values.begin(), values.end()) == b.values("rnn.weight_ih_l0"));
}

TEST_CASE("model: recurrent parameters are uniform in PyTorch's interval") {
    model<lstm<64, 100>, cpu> net{{}, {.seed = 3}};
    double const bound = 0.1;  // 1 / sqrt(hidden), for weights and biases alike
    for (auto const& parameter : net.parameters()) {
        double sum = 0, squares = 0, largest = 0;
        for (float const x : net.values(parameter)) {
            largest = std::max(largest, std::abs(static_cast<double>(x)));
            sum += static_cast<double>(x), squares += static_cast<double>(x) * static_cast<double>(x);
        }
        double const n = static_cast<double>(parameter.size());
        INFO(parameter.name);
        CHECK(largest <= bound * (1 + 1e-7));  // rounded to float
        CHECK(std::abs(sum / n) < 5 * bound / std::sqrt(3 * n));
        CHECK(std::abs(squares / n - bound * bound / 3) < 5 * bound * bound * std::sqrt(4 / 45.0 / n));
    }
}

TEST_CASE("model: predict is forward in evaluation mode to the bit, and keeps nothing") {
    news_model net{news_net{}, {.seed = 1}};
    auto const text = pack(words{{2, 5, 2}, {}, {5, 4, 0, 2, 2, 7, 1}, {8}});
    net.eval();
    CHECK_FALSE(net.is_training());
    auto const evaluated = numbers_of(net.forward(text));
    net.train();
    CHECK(net.is_training());
    CHECK(same_bits(numbers_of(net.forward(text)), evaluated));  // there is no dropout
    CHECK(same_bits(numbers_of(net.predict(text)), evaluated));
    CHECK(net.is_training());
    auto const initial = net.zero_states(4);
    CHECK(same_bits(numbers_of(net.predict(text, initial)), evaluated));
    CHECK(same_bits(numbers_of(net.predict(text, {})), evaluated));
    CHECK(net.shape() == text.shape);

    std::vector<float> const gradient(16, 1);
    CHECK(thrown<argument_error>([&] {
              net.backward({gradient.data(), 4, 4});
          }) == "sequent::model: backward needs a forward pass before it (predict keeps nothing)");
    CHECK_THROWS_AS(news_model{}.backward({gradient.data(), 4, 4}), argument_error);
}

TEST_CASE("model: copies are independent") {
    news_model first{news_net{}, {.seed = 1}};
    auto const text = pack(words{{2, 5, 2}, {3, 4}});
    std::vector<int> const topics{1, 3};
    first.forward(text);
    auto second = std::make_unique<news_model>(first);
    auto const values = all_values(first);
    auto const output = numbers_of(first.predict(text));
    {
        training run{*second, cross_entropy{}, adam{.rate = 0.1}};
        for (int step = 0; step < 3; ++step) run.step(text, topics);
    }
    CHECK(same_bits(all_values(first), values));
    CHECK(same_bits(numbers_of(first.predict(text)), output));
    CHECK_FALSE(same_bits(all_values(*second), values));

    // A copy goes on alone, the original gone: from the middle of a pass, and of a training.
    training run{*second, cross_entropy{}, adam{.rate = 0.1}};
    run.step(text, topics);
    run.step(pack(words{{7}}), std::vector<int>{2});
    news_model third = *second;
    CHECK(same_bits(all_values(third), all_values(*second)));
    third.forward(text);
    news_model fourth = third;
    third = first;
    std::vector<float> const gradient(8, 1);
    fourth.zero_gradients();
    fourth.backward({gradient.data(), 2, 4});
    CHECK(fourth.gradient("fc.bias") == std::vector<float>(4, 2));
    CHECK(same_bits(all_values(third), values));
    news_model const moved = std::move(fourth);
    CHECK(moved.parameters().size() == 7);
}

TEST_CASE("model: a copy's gradient of the input is its own") {
    auto original = std::make_unique<model<gru<3, 4>, cpu>>();
    auto const gradient = random_values<float>(8, 1);
    original->forward(pack(random_sequences<float>({2}, 3, 1), 3));
    original->backward({gradient.data(), 2, 4});
    auto const expected = numbers_of(original->input_gradient());
    model<gru<3, 4>, cpu> const copy = *original;
    original.reset();
    CHECK(same_bits(numbers_of(copy.input_gradient()), expected));
}

TEST_CASE("model: changed parameters count from the next pass on") {
    model<recurrent<gru<3, 4>>, cpu, double> net{{}, {.seed = 1}}, other{{}, {.seed = 2}};
    auto const input = pack(random_sequences<double>({4, 2}, 3, 1), 3);
    auto const gradient = random_values<double>(24, 2);
    auto const result = [&](auto& one) {
        auto all = numbers_of(one.forward(input).values.rows);
        one.zero_gradients();
        one.backward({gradient.data(), 6, 4});
        for (double const x : numbers_of(one.input_gradient())) all.push_back(x);
        for (double const x : one.gradient("weight_hh_l0")) all.push_back(x);
        return all;
    };
    auto const before = result(net);
    for (auto const& parameter : net.parameters()) net.assign(parameter, other.values(parameter));
    CHECK(same_bits(result(net), result(other)));
    net.reset_parameters();
    CHECK(same_bits(result(net), before));
    std::copy_n(std::as_const(other).block(), net.block_size(), net.block());
    CHECK(same_bits(result(net), result(other)));
    net = model<recurrent<gru<3, 4>>, cpu, double>{{}, {.seed = 1}};
    CHECK(same_bits(result(net), before));
    {
        optimizer step{net, sgd{.rate = 0.5}};
        step.step();
    }
    CHECK_FALSE(same_bits(result(net), before));
}

TEST_CASE("model: one model runs batches of any size in turn") {
    news_model net{news_net{}, {.seed = 1}};
    std::vector<packed_sequence<int>> const batches{pack(words{{1}}),
                                                    pack(words{{2, 5, 2}, {3, 4}, {1, 2, 3, 4, 5}, {}}),
                                                    pack(words{{}, {}}), pack(words{{9, 8, 7}})};
    for (auto const& batch : batches) {
        news_model fresh{news_net{}, {.seed = 1}};
        auto const output = numbers_of(net.forward(batch));
        CHECK(same_bits(numbers_of(fresh.forward(batch)), output));
        auto const gradient = random_values<float>(output.size(), 1);
        for (auto* one : {&net, &fresh}) {
            one->zero_gradients();
            one->backward({gradient.data(), batch.shape.batch(), 4});
        }
        for (auto const& parameter : net.parameters())
            CHECK(same_bits(net.gradient(parameter.name), fresh.gradient(parameter.name)));
    }
}

TEMPLATE_TEST_CASE("model: inputs, states and gradients that do not fit, PyTorch's error cases", "", float, double) {
    auto const table = networks<TestType, samples>(1);
    CHECK(table.size() >= 2);
    for (auto const& net : table) {
        INFO(net->name);
        check_bad_input(*net);
    }
}

TEST_CASE("model: no gradient at all for a network that gives one row for each sequence") {
    news_model news;
    news.forward(pack(words{{1, 2}}));
    CHECK(thrown<argument_error>([&] { news.backward({}); }) ==
          "sequent::model: the gradient must have the shape of the output, [1, 4], got [0, 0]");
}

TEST_CASE("model: no two parameters have one name") {
    using by_place = sequential<named<"1", linear<2, 3>>, linear<3, 4>>;  // the second is called by its place
    using by_path = sequential<named<"a", sequential<named<"b", linear<2, 3>>>>, named<"a.b", linear<3, 4>>>;
    CHECK(thrown<argument_error>([] { model<by_place, cpu> net; }) ==
          "sequent::model: two parameters are called '1.weight'; give their layers other names");
    CHECK(thrown<argument_error>([] { model<by_path, cpu> net; }) ==
          "sequent::model: two parameters are called 'a.b.weight'; give their layers other names");
}

TEST_CASE("model: parameters by name") {
    news_model net;
    std::vector<float> const bias{1, 2, 3, 4};
    net.assign("fc.bias", bias);
    CHECK(net.values("fc.bias") == bias);
    CHECK(thrown<argument_error>([&] { (void)net.values("fc.bia"); }) ==
          "sequent::model: no parameter is called 'fc.bia'");
    CHECK_THROWS_AS(net.gradient("x"), argument_error);
    CHECK(thrown<argument_error>([&] { net.assign("fc.bias", std::vector<float>(5)); }) ==
          "sequent::model: 'fc.bias' has 4 numbers, but 5 were given");
    CHECK(net.table(net.parameters()[0]).rows() == 30);
    CHECK(thrown<argument_error>([&] {
              (void)net.table({"other", {3}, 0, 1});
          }) == "sequent::model: 'other' is no table of this model");
}

TEST_CASE("model: freezing by prefix") {
    news_model net;
    net.freeze("rnn.");
    for (auto const& parameter : net.parameters()) CHECK(parameter.frozen == parameter.name.starts_with("rnn."));
    net.freeze("");
    net.unfreeze("fc.bias");
    for (auto const& parameter : net.parameters()) CHECK(parameter.frozen == (parameter.name != "fc.bias"));
    CHECK(net.table(net.parameters()[0]).frozen);
    CHECK(thrown<argument_error>([&] { net.freeze("nothing"); }) ==
          "sequent::model: no parameter's name starts with 'nothing'");
}

TEST_CASE("model: final states, and zeros before the first pass") {
    model<lstm<4, 3>, cpu> net{{}, {.seed = 1}};
    auto const input = pack(random_sequences<float>({2, 5}, 4, 1), 4);
    CHECK(net.final_states().batch == 0);
    auto const output = net.forward(input).values.rows;
    auto const final = net.final_states();
    CHECK(final["h_l0"](0, 1) == output(input.shape.row(1, 1), 1));  // the first sequence is the shorter one
    CHECK(final["h_l0"](1, 1) == output(input.shape.row(4, 0), 1));
    CHECK(final["c_l0"](1, 1) != 0);
    CHECK(net.initial_state_gradients().entries[0].values == std::vector<float>(6));
    net.backward({}, final);
    CHECK(net.initial_state_gradients().entries[0].values != std::vector<float>(6));
    net.forward(input);  // whose gradients are not known yet
    CHECK(net.initial_state_gradients().entries[0].values == std::vector<float>(6));
}

TEST_CASE("model: after reserve, prediction takes no memory, whatever the batch") {
    if (!counts_allocations) SKIP_TEST("a sanitizer allocates");
    struct tagger : sequential<embedding<50, 6>, stacked<2, bidirectional<lstm<6, 9>>>, linear<18, 3>> {
        tagger() : sequential{{}, {}, {}} {}
    };
    model<tagger, cpu> words;
    model<sequential<gru<3, 20>, max_state>, cpu> rows;
    words.reserve(200, 12), rows.reserve(200, 12);
    std::vector<packed_sequence<int>> texts;
    std::vector<packed_sequence<float>> samples;
    for (int n = 0; n < 40; ++n) {
        std::vector<std::vector<int>> text(static_cast<std::size_t>(1 + n % 12));
        std::vector<std::vector<float>> sample(text.size());
        int const longest = 200 / static_cast<int>(text.size());
        for (std::size_t i = 0; i < text.size(); ++i) {
            int const length = (n * 29 + static_cast<int>(i) * 7) % (longest + 1);
            for (int t = 0; t < length; ++t) text[i].push_back((t * 7 + n) % 50);
            sample[i].assign(static_cast<std::size_t>(3 * length), 0.5f);
        }
        texts.push_back(pack(text)), samples.push_back(pack(sample, 3));
    }
    long const before = allocations;
    for (std::size_t n = 0; n < texts.size(); ++n) (void)words.predict(texts[n]), (void)rows.predict(samples[n]);
    CHECK(allocations == before);
    CHECK_THROWS_WITH(rows.reserve(3, 4), Catch::Contains("cannot reserve 3 rows of 4 sequences"));
}
