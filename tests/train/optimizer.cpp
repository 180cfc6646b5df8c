#include "sequent/train/optimizer.hpp"

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
