#include "sequent/train/training.hpp"

#include <limits>

#include "allocations.hpp"
#include "cell/coupled_lstm.hpp"
#include "trajectory.hpp"

using namespace sequent_tests;

namespace {

constexpr adam rule{.rate = 1e-2};

template <class Training>
std::vector<double> train(Training& run, trajectory const& golden) {
    std::vector<double> losses;
    for (std::size_t s = 0; s < golden.texts.size(); ++s)
        losses.push_back(run.step(golden.texts[s], golden.topics[s]).loss);
    return losses;
}

using small_net = topic_net<lstm<6, 5>>;
using small_model = model<small_net, cpu, double>;
// A user's cell, with parameters of each unit: rnn.weight_cf_l0 and rnn.weight_co_l0.
using own_net = topic_net<coupled_lstm<6, 5>>;

void train_in_double(std::string const& name, reads what, std::optional<int> padding) {
    trajectory const golden(name, what);
    small_model net{small_net{padding}};
    golden.start(net);
    {
        training run{net, cross_entropy{}, rule};
        run.accumulate(golden.texts[0], golden.topics[0]);
        golden.check_first_gradient(net);
        golden.check_losses(train(run, golden));
        golden.check_weights(run.network());
    }
    golden.check_weights(net);  // the model is whole when the training has ended
    if (padding) check_padding_row(net);
}

// A prefix of names, and the batches, first and end, at which these parameters are frozen.
struct frozen_for {
    std::string prefix;
    std::size_t first, end;
};

// Of 24 batches, `together` to a step: PyTorch's losses, rates and final weights.
template <class Cell, class Rule>
void check_options(std::string const& name, Rule const& how, training_options const& options,
                   std::vector<frozen_for> const& frozen = {}, std::size_t together = 1,
                   cross_entropy const& loss = {}) {
    INFO(name);
    trajectory const golden(name, reads::true_tokens);
    model<topic_net<Cell>, cpu, double> net{topic_net<Cell>{1}};
    golden.start(net);
    training run{net, loss, how, options};
    std::vector<double> losses, rates;
    for (std::size_t s = 0; s < 24; ++s) {
        for (auto const& [prefix, first, end] : frozen) {
            if (s == first) net.freeze(prefix);
            if (s == end) net.unfreeze(prefix);
        }
        if (s % together == 0) net.zero_gradients();
        losses.push_back(run.accumulate(golden.texts[s], golden.topics[s]).loss);
        if (s % together != together - 1) continue;
        run.update();
        rates.push_back(run.rule().rate());
    }
    golden.check_losses(losses, 1e-12);
    golden.check_weights(net, 1e-12);
    CHECK(largest_error(rates, golden.file.values("rates")) < 1e-14);
    check_padding_row(net);
}

template <class Net>
std::vector<double> all_values(model<Net, cpu, double>& net) {
    std::vector<double> all;
    for (auto const& parameter : net.parameters())
        for (double const value : net.values(parameter)) all.push_back(value);
    return all;
}

}  // namespace

TEST_CASE("PyTorch's training of a packed LSTM, step for step", "[training]") {
    train_in_double("lstm", reads::true_tokens, 1);
}

TEST_CASE("PyTorch's training with momentum, decay, clipping and a schedule over gradients of two batches",
          "[training]") {
    check_options<gru<6, 5>>("sgd", sgd{.rate = 0.5, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true},
                             {.clip_norm = 0.3, .schedule = schedule::step{.every = 4, .factor = 0.5}}, {}, 2);
}

TEST_CASE("parameters that are frozen for a while train as PyTorch's, whose steps are counted for each", "[training]") {
    check_options<gru<6, 5>>("sgd_thawed", sgd{.rate = 0.2, .momentum = 0.8, .dampening = 0.6}, {},
                             {{"rnn.bias", 0, 9}, {"embedding", 6, 15}});
    check_options<lstm<6, 5>>("adamw_thawed", adamw{.rate = 0.02, .weight_decay = 0.1},
                              {.schedule = schedule::one_cycle{.steps = 24}},
                              {{"rnn.weight_hh", 0, 9}, {"embedding", 6, 15}});
    check_options<lstm<6, 5>>("adam_thawed", adam{.rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3}, {},
                              {{"fc.", 4, 9}, {"embedding", 0, 11}});
    check_options<gru<6, 5>>("sparse_adam", sparse_adam{.rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3}, {},
                             {{"embedding", 6, 12}});
}

TEST_CASE("PyTorch's training with class weights, ignored rows and label smoothing, mean and sum", "[training]") {
    check_options<lstm<6, 5>>("weighted_mean", adam{.rate = 1e-2}, {}, {}, 1,
                              {.class_weights = {0.5, 1, 2, 0.25}, .ignore_index = -1, .label_smoothing = 0.1});
    check_options<gru<6, 5>>(
        "weighted_sum", sgd{.rate = 0.05, .momentum = 0.9}, {}, {}, 1,
        {.reduction = reduction::sum, .class_weights = {0.5, 1, 2, 0.25}, .ignore_index = 2, .label_smoothing = 0.1});
}

TEST_CASE("PyTorch's training of an LSTM that reads padding", "[training]") {
    train_in_double("lesson", reads::padding_too, std::nullopt);
}

TEST_CASE("an LSTM trained in float is as near to double as PyTorch's", "[training]") {
    trajectory const golden("float_lstm", reads::true_tokens);
    using net_type = topic_net<lstm<8, 32>>;
    model<net_type, cpu, float> net{net_type{1}};
    golden.start(net);
    training run{net, cross_entropy{}, rule};
    auto const losses = train(run, golden);
    golden.check_in_float(losses, net);
    check_padding_row(net);
}

TEST_CASE("reading weights during a training changes no later bit", "[training]") {
    trajectory const golden("lstm", reads::true_tokens);
    auto const run = [&](bool look) {
        small_model net{small_net{1}, {.seed = 3}};
        training fit{net, cross_entropy{}, rule};
        for (std::size_t s = 0; s < 40; ++s) {
            fit.step(golden.texts[s], golden.topics[s]);
            if (look && s % 3 == 0) (void)all_values(fit.network());
            if (look && s % 5 == 0) (void)net.predict(golden.texts[s + 1]);
        }
        return all_values(net);
    };
    CHECK(run(false) == run(true));
}

TEST_CASE("gradients of two batches add up to those of both together", "[training]") {
    trajectory const golden("lstm", reads::true_tokens);
    small_model apart{small_net{1}, {.seed = 3}}, together = apart;
    std::vector<std::vector<int>> rows = unpack(golden.texts[0]);
    for (auto const& row : unpack(golden.texts[1])) rows.push_back(row);
    std::vector<int> topics = golden.topics[0];
    topics.insert(topics.end(), golden.topics[1].begin(), golden.topics[1].end());

    cross_entropy const sum{.reduction = reduction::sum};
    training halves{apart, sum, rule};
    training whole{together, sum, rule};
    for (int step = 0; step < 3; ++step) {
        apart.zero_gradients();
        for (std::size_t half : {0u, 1u}) halves.accumulate(golden.texts[half], golden.topics[half]);
        halves.update();
        whole.step(pack(rows), topics);
    }
    CHECK(largest_error(all_values(apart), all_values(together)) < 1e-12);
}

TEST_CASE("a schedule sets the rate of every step", "[training]") {
    trajectory const golden("lstm", reads::true_tokens);
    small_model scheduled{small_net{1}, {.seed = 3}}, by_hand = scheduled;
    schedule::linear const warm_up{.first = 0.1, .last = 1, .steps = 4};
    training run{scheduled, cross_entropy{}, rule, {.schedule = warm_up}};
    training other{by_hand, cross_entropy{}, rule};
    for (int s = 0; s < 8; ++s) {
        run.step(golden.texts[static_cast<std::size_t>(s)], golden.topics[static_cast<std::size_t>(s)]);
        other.rule().rate(warm_up(s, rule.rate));
        other.step(golden.texts[static_cast<std::size_t>(s)], golden.topics[static_cast<std::size_t>(s)]);
        CHECK(run.rule().rate() == warm_up(s, rule.rate));
    }
    CHECK(all_values(scheduled) == all_values(by_hand));
}

TEMPLATE_TEST_CASE("clipping in a training is clip_norm before the update", "[training]", small_net, own_net) {
    trajectory const golden("lstm", reads::true_tokens);
    model<TestType, cpu, double> clipped{TestType{1}, {.seed = 3}}, by_hand = clipped;
    sgd const descent{.rate = 0.5};  // Adam would hardly notice a factor
    training run{clipped, cross_entropy{}, descent, {.clip_norm = 0.05}};
    training other{by_hand, cross_entropy{}, descent};
    for (std::size_t s = 0; s < 8; ++s) {
        run.step(golden.texts[s], golden.topics[s]);
        by_hand.zero_gradients();
        other.accumulate(golden.texts[s], golden.topics[s]);
        CHECK(clip_norm(by_hand, 0.05) > 0.05);
        other.update();
    }
    CHECK(all_values(clipped) == all_values(by_hand));
    CHECK_THROWS_AS((training{clipped, cross_entropy{}, descent, {.clip_norm = -1.0}}), argument_error);
}

TEST_CASE("frozen parameters keep their bits, the others train as if alone", "[training]") {
    trajectory const golden("lstm", reads::true_tokens);
    auto const check = [&](auto const& descent, std::string_view prefix, auto const& description) {
        model<std::decay_t<decltype(description)>, cpu, double> net{description, {.seed = 3}};
        auto before = net;
        net.freeze(prefix);
        {
            training run{net, cross_entropy{}, descent, {.clip_norm = 1.0}};
            for (std::size_t s = 0; s < 5; ++s) run.step(golden.texts[s], golden.topics[s]);
        }
        for (auto const& parameter : net.parameters()) {
            INFO(parameter.name << " with '" << prefix << "' frozen");
            CHECK(parameter.frozen == parameter.name.starts_with(prefix));
            CHECK((net.values(parameter) == before.values(parameter)) == parameter.frozen);
        }
    };
    for (std::string_view const prefix : {"embedding", "rnn.", "rnn.weight_hh", "fc.bias"}) {
        check(rule, prefix, small_net{1});
        check(adamw{}, prefix, small_net{1});
    }
    check(sgd{.rate = 0.1, .momentum = 0.9, .weight_decay = 0.1}, "rnn.bias", small_net{1});
    check(sparse_adam{}, "embedding.weight", small_net{1});
    check(rule, "rnn.weight_c", own_net{1});
    check(rule, "rnn.bias", own_net{1});
    small_model net{small_net{1}};
    CHECK_THROWS_WITH(net.freeze("rrn"), Catch::Contains("'rrn'"));
    net.freeze("");
    training{net, cross_entropy{}, rule}.step(golden.texts[0], golden.topics[0]);
    CHECK(gradient_norm(net) == 0);
}

namespace {
// A layer of a user's that halves its input.
struct halving {
    struct options {};
    static constexpr int input_size = 3;
    static constexpr std::ptrdiff_t parameter_size = 0;
    template <class>
    using output = sequence_of<3>;
    template <class Backend, class T>
    struct memory {};
    template <class Backend, class T>
    void describe(scope const&, memory<Backend, T>&, auto&) const {}
};
}  // namespace

TEST_CASE("an optimizer needs parameters", "[training]") {
    model<halving, cpu> net;
    CHECK_THROWS_WITH((optimizer{net, adam{}}), "sequent::optimizer: the network has no parameters");
    CHECK_THROWS_WITH((optimizer{net, sgd{}}), "sequent::optimizer: the network has no parameters");
}

TEST_CASE("a plateau as the schedule lowers the rate by what the training observes", "[training]") {
    schedule::plateau plateau{.factor = 0.5, .patience = 1, .cooldown = 1};
    small_model net{small_net{1}};
    training run{net, cross_entropy{}, rule, {.schedule = plateau}};
    trajectory const golden("lstm", reads::true_tokens);
    double rate = rule.rate;
    for (double const metric : {3., 2., 2.5, 2.5, 2.5, 2.5, 2.5}) {
        run.step(golden.texts[0], golden.topics[0]);
        CHECK(run.rule().rate() == rate);  // steps leave it
        rate = plateau(metric, rate);
        CHECK(run.observe(metric) == rate);
    }
    CHECK(rate == rule.rate / 4);
    CHECK_THROWS_WITH((training{net, cross_entropy{}, rule}.observe(1)), Catch::Contains("observe needs a plateau"));
}

TEST_CASE("a training refuses a schedule out of range before its first step, and takes functions", "[training]") {
    small_model net{small_net{1}};
    auto const with = [&](sequent::schedule::any const& given) {
        training run{net, cross_entropy{}, rule, {.schedule = given}};
        return std::string(run.schedule().name);
    };
    CHECK_THROWS_WITH(with(schedule::cosine{.steps = 0}), Catch::Contains("schedule::cosine: steps is 0"));
    CHECK(with({}) == "none");
    CHECK(with(schedule::linear{}) == "linear");
    CHECK(with(schedule::plateau{}) == "plateau");
    CHECK(with([](long long, double base) { return base; }) == "own");
    CHECK(with(std::function<double(long long, double)>{}) == "none");
}

TEST_CASE("a loss or gradient that is not finite stops the training and leaves the parameters", "[training]") {
    trajectory const golden("lstm", reads::true_tokens);
    small_model net{small_net{1}, {.seed = 3}};
    training run{net, cross_entropy{}, rule};
    run.step(golden.texts[0], golden.topics[0]);

    auto const healthy = all_values(net);
    auto bias = net.values("fc.bias");
    bias[2] = std::numeric_limits<double>::infinity();
    net.assign("fc.bias", bias);
    auto const before = all_values(net);
    CHECK_THROWS_WITH(run.step(golden.texts[1], golden.topics[1]), Catch::Contains("the loss of step 2 is"));
    CHECK(std::equal(before.begin(), before.end(), all_values(net).begin()));

    bias[2] = 0;
    net.assign("fc.bias", bias);
    net.zero_gradients();
    run.accumulate(golden.texts[1], golden.topics[1]);
    auto const& parameters = net.parameters();
    auto const hidden = std::find_if(parameters.begin(), parameters.end(),
                                     [](auto const& one) { return one.name == "rnn.weight_hh_l0"; });
    net.gradient_block()[hidden->offset + 3] = std::numeric_limits<double>::quiet_NaN();
    auto const unchanged = all_values(net);
    CHECK_THROWS_AS(run.update(), numeric_error);
    CHECK_THROWS_WITH(run.update(), Catch::Contains("'rnn.weight_hh_l0' at step 2"));
    CHECK(all_values(net) == unchanged);
    CHECK(run.rule().steps() == 1);

    net.freeze("rnn.weight_hh_l0");  // nobody uses that gradient now
    CHECK_NOTHROW(run.update());
}

namespace {

template <class Recurrent, class Pooling, int Width>
struct dropping_classifier
    : sequential<embedding<500, 16>, Recurrent, Pooling, dropout, named<"fc", linear<Width, 4>>> {
    dropping_classifier() : dropping_classifier::sequential{{.padding = 1}, {}, {}, {}, {}} {}
};

// What 100 steps take from the heap after one of the largest batch, 16 sequences of 60 tokens.
template <class Network, class Rule>
long allocations_of(Rule const& how) {
    model<Network, cpu> net;
    training run{net, cross_entropy{}, how, {.clip_norm = 1}};
    std::vector<std::vector<int>> texts(16, std::vector<int>(60));
    std::vector<int> labels(16);
    packed_sequence<int> batch;
    int id = 0;
    for (auto& text : texts)
        for (int& token : text) token = id++ % 500;  // every row of the table
    pack_into(batch, texts);
    run.step(batch, labels);
    long taken = 0;
    for (int step = 1; step <= 100; ++step) {
        for (int i = 0; i < 16; ++i) {
            auto& text = texts[static_cast<std::size_t>(i)];
            text.resize(static_cast<std::size_t>((step * 7 + i * 13) % 60));
            for (std::size_t t = 0; t < text.size(); ++t)
                text[t] = (step * 31 + i * 17 + static_cast<int>(t * t)) % 500;
            labels[static_cast<std::size_t>(i)] = (i + step) % 4;
        }
        long const before = allocations;
        pack_into(batch, texts);
        run.step(batch, labels);
        taken += allocations - before;
    }
    return taken;
}

}  // namespace

TEST_CASE("after the first batch of the largest size, training takes no memory", "[training]") {
    if (!counts_allocations) SKIP_TEST("a sanitizer allocates");
    CHECK(allocations_of<dropping_classifier<lstm<16, 32>, last_state, 32>>(adam{}) == 0);
    CHECK(allocations_of<dropping_classifier<gru<16, 24>, mean_state, 24>>(sgd{.rate = 0.1}) == 0);
    CHECK(allocations_of<dropping_classifier<stacked<2, bidirectional<elman<16, 20>>>, max_state, 40>>(adam{}) == 0);
}
