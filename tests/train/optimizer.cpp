#include "sequent/train/optimizer.hpp"

#include "optimizer_golden.hpp"
#include "trajectory.hpp"

using namespace sequent_tests;

namespace {

// The explicit path: what training does, by hand.
template <class Model, class Optimizer>
std::vector<double> train(Model& net, Optimizer& rule, trajectory const& golden) {
    cross_entropy const loss;
    std::vector<typename Model::scalar> room;
    std::vector<double> losses;
    for (std::size_t s = 0; s < golden.texts.size(); ++s) {
        auto const logits = net.forward(golden.texts[s]);
        room.resize(static_cast<std::size_t>(logits.rows * logits.columns));
        matrix_view const gradient(room.data(), logits.rows, logits.columns);
        losses.push_back(loss(net.device(), logits, golden.topics[s], gradient).loss);
        net.zero_gradients();
        net.backward(gradient);
        if (s == 0 && golden.file.contains("first_gradient/fc.bias")) golden.check_first_gradient(net);
        rule.step();
    }
    return losses;
}

using small_net = topic_net<gru<6, 5>>;

}  // namespace

TEST_CASE("PyTorch's training of a packed GRU, step for step", "[optimizer]") {
    trajectory const golden("gru", reads::true_tokens);
    model<small_net, cpu, double> net{small_net{1}};
    golden.start(net);
    {
        optimizer rule{net, adam{.rate = 1e-2}};
        golden.check_losses(train(net, rule, golden));
        CHECK(rule.steps() == 200);
        golden.check_weights(net);
    }
    golden.check_weights(net);
    check_padding_row(net);
}

TEST_CASE("a GRU trained in float is as near to double as PyTorch's", "[optimizer]") {
    trajectory const golden("float_gru", reads::true_tokens);
    using net_type = topic_net<gru<8, 32>>;
    model<net_type, cpu, float> net{net_type{1}};
    golden.start(net);
    optimizer rule{net, adam{.rate = 1e-2}};
    auto const losses = train(net, rule, golden);
    golden.check_in_float(losses, net);
    check_padding_row(net);
}

TEST_CASE("an optimizer refuses a rate below zero", "[optimizer]") {
    model<small_net, cpu, double> net{small_net{1}};
    optimizer rule{net, adam{.rate = 1e-2}};
    CHECK_THROWS_AS(rule.rate(-1), argument_error);
    CHECK_THROWS_AS(rule.rate(std::nan("")), argument_error);
    rule.rate(0);
    CHECK(rule.rate() == 0);
}

TEST_CASE("the options of every rule have PyTorch's defaults", "[optimizer]") {
    using all = std::vector<double>;  // every member, so that a new one is not forgotten here
    auto const& [adam_rate, adam_beta1, adam_beta2, adam_epsilon, adam_decay] = adam{};
    CHECK(all{adam_rate, adam_beta1, adam_beta2, adam_epsilon, adam_decay} == all{1e-3, 0.9, 0.999, 1e-8, 0});
    auto const& [adamw_rate, adamw_beta1, adamw_beta2, adamw_epsilon, adamw_decay] = adamw{};
    CHECK(all{adamw_rate, adamw_beta1, adamw_beta2, adamw_epsilon, adamw_decay} == all{1e-3, 0.9, 0.999, 1e-8, 1e-2});
    auto const& [sparse_rate, sparse_beta1, sparse_beta2, sparse_epsilon] = sparse_adam{};
    CHECK(all{sparse_rate, sparse_beta1, sparse_beta2, sparse_epsilon} == all{1e-3, 0.9, 0.999, 1e-8});
    auto const& [sgd_rate, momentum, dampening, sgd_decay, nesterov] = sgd{};
    CHECK(all{sgd_rate, momentum, dampening, sgd_decay} == all{1e-3, 0, 0, 0});
    CHECK_FALSE(nesterov);
}

TEST_CASE("a padding row that is not zero has no gradient, yet decays as PyTorch's", "[optimizer]") {
    double const x = 0.5, rate = 0.1, decay = 0.2;
    auto const check = [&](auto const& rule, double expected) {
        INFO(rule.name);
        six_rows net{embedding<6, 3>{{.padding = 1}}};
        net.assign("weight", std::vector<double>(18, x));
        optimizer run{net, rule};
        std::vector<double> const gradient(9, 1);
        net.forward(pack(std::vector<std::vector<int>>{{2, 1, 3}}));
        net.zero_gradients();
        net.backward({gradient.data(), 3, 3});
        run.step();
        auto const rows = net.values("weight");
        for (std::size_t j = 3; j < 6; ++j) CHECK(rows[j] == Approx(expected).epsilon(1e-15));
        CHECK(rows[6] < x - 0.05);  // a row with a gradient moves by the rate, at the least
    };
    check(sgd{.rate = rate}, x);
    check(sgd{.rate = rate, .weight_decay = decay}, x - rate * decay * x);
    check(adam{.rate = rate}, x);
    check(adam{.rate = rate, .weight_decay = decay}, x - rate * decay * x / (decay * x + 1e-8));  // m / (sqrt(v) + eps)
    check(adamw{.rate = rate, .weight_decay = decay}, x * (1 - rate * decay));
}

TEST_CASE("an optimizer counts the steps of each parameter that is not frozen", "[optimizer]") {
    ten_numbers net;  // weight, bias
    optimizer rule{net, adam{}};
    rule.step();
    net.freeze("bias");
    rule.step();
    CHECK(rule.counts() == step_counts{2, 1});
    CHECK(rule.steps() == 2);
}

TEST_CASE("an optimizer that begins makes up for what another's Adam owes, and drops it", "[optimizer]") {
    auto const check = [](auto const& rule) {
        INFO(rule.name);
        six_rows net = make_six_rows(std::vector<double>(18, 0.5));
        optimizer first{net, adam{.rate = 1e-2}};
        auto const step = [](six_rows& of, auto& with, int row) {
            give_gradient(of, {row}, {1, 2, 3});
            with.step();
        };
        step(net, first, 4), step(net, first, 2);  // row 4 owes a step
        six_rows copy = net;
        optimizer of_copy{copy, rule};
        copy.each_table([](auto& table) { CHECK_FALSE(table.adam.has_value()); });
        auto const before = net.values("weight");
        CHECK(copy.values("weight") == before);
        step(copy, of_copy, 1), step(net, first, 1);  // each its own
        for (std::size_t j = 0; j < 18; ++j) CHECK((copy.values("weight")[j] != before[j]) == (j / 3 == 1));
        CHECK(net.values("weight") != copy.values("weight"));

        optimizer second{net, rule};
        CHECK_THROWS_WITH(first.step(), Catch::Contains("another optimizer has taken over"));
        step(net, second, 0);
    };
    check(sgd{.rate = 0.1});
    check(sparse_adam{.rate = 1e-2});
}
