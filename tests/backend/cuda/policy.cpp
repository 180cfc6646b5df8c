#include "sequent/backend/cuda/policy.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"
#include "passes.hpp"
#include "sequent/model/checkpoint.hpp"
#include "sequent/sequent.hpp"
#include "sequent/train/checkpoint.hpp"

using namespace sequent_tests;

namespace {

template <class Network, class Rule>
void check_training(Rule const& rule) {
    constexpr int steps = 12;
    training_options const options{.clip_norm = 0.5};
    auto const there = trained<Network, cpu>(rule, steps, options);
    auto const here = trained<Network, emulated_with<precision::f32>>(rule, steps, options);
    CHECK(relative_error(here, there) < 2e-5);
    CHECK(trained<Network, emulated_with<precision::f32>>(rule, steps, options) == here);  // to the bit
}

}  // namespace

TEST_CASE("cuda: the policy is a backend") {
    STATIC_REQUIRE(backend<emulated>);
    STATIC_REQUIRE(backend<emulated_with<precision::bf16, strategy::general>>);
    emulated const device, copy = device;
    CHECK(copy.machine == device.machine);  // work of both is done in one order
}

TEST_CASE("cuda: networks train as on the CPU, dropout and all") {
    check_training<classifier>(adam{.rate = 0.01});
    auto const lesson = [](auto device) { return trained<classifier, decltype(device)>(adam{.rate = 0.01}, 12, {}); };
    CHECK(relative_error(lesson(emulated{}), lesson(cpu{})) < 2e-3);
    using clusters = emulated_with<precision::f32, strategy::cluster>;
    CHECK(relative_error(lesson(clusters{}), lesson(emulated_with<precision::f32>{})) < 2e-5);
    check_training<classifier>(sparse_adam{.rate = 0.01});
    check_training<deep>(adamw{.rate = 0.01});
    check_training<tagger>(sgd{.rate = 0.1, .momentum = 0.9, .nesterov = true});
    check_training<largest>(sgd{.rate = 0.1});
}

TEST_CASE("cuda: checkpoints of one backend load on the other, and a training goes on") {
    temporary_folder const folder;
    auto const batch = pack(texts(1));
    std::vector<int> const targets{0, 1, 2, 3, 0, 1};
    model<classifier, emulated> here({}, {.seed = 3});
    model<classifier, cpu> there({}, {.seed = 3});
    {
        training run(here, cross_entropy{}, adam{.rate = 0.01});
        for (int t = 0; t < 3; ++t) run.step(pack(texts(static_cast<std::uint64_t>(t))), targets);
        save_training(run, folder / "training");
        save(here, folder / "weights");
    }
    load(there, folder / "weights");
    for (auto const& parameter : here.parameters()) CHECK(there.values(parameter.name) == here.values(parameter.name));
    training on_cpu(there, cross_entropy{}, adam{.rate = 0.01});
    load_training(on_cpu, folder / "training");
    model<classifier, emulated> again({}, {.seed = 3});
    training on_device(again, cross_entropy{}, adam{.rate = 0.01});
    load_training(on_device, folder / "training");
    CHECK(on_device.step(batch, targets).loss == Approx(on_cpu.step(batch, targets).loss).epsilon(1e-5));
    CHECK(relative_error(again.values("rnn.weight_hh_l0"), there.values("rnn.weight_hh_l0")) < 1e-4);
}

TEST_CASE("cuda: a stopped last step is told when the training settles or is saved") {
    temporary_folder const folder;
    std::vector<int> const topics{0, 1, 2, 3, 0, 1};
    model<classifier, emulated> net({}, {.seed = 3});
    training run(net, cross_entropy{}, adam{.rate = 0.01});
    run.step(pack(texts(0)), topics);
    CHECK_NOTHROW(run.settle());
    net.assign("fc.bias", std::vector<float>(4, std::nanf("")));
    CHECK(std::isnan(run.step(pack(texts(1)), topics).loss));
    CHECK_THROWS_AS(save_training(run, folder / "training"), numeric_error);
    CHECK_NOTHROW(run.settle());  // told once
    CHECK(run.rule().steps() == 1);
}

TEST_CASE("cuda: a model copies, and its copy goes its own way") {
    model<classifier, emulated> net({}, {.seed = 3});
    auto copy = net;
    std::vector<float> const zeros(4, 0.0f);
    copy.assign("fc.bias", zeros);
    CHECK(copy.values("fc.bias") == zeros);
    CHECK(net.values("fc.bias") != zeros);
}

TEST_CASE("cuda: gradients are the differences") {
    model<sequential<lstm<3, 4>, last_state, linear<4, 3>>, emulated, double> net({}, {.seed = 2});
    auto const batch = pack(random_sequences<double>({3, 0, 2}, 3, 1), 3);
    auto const result = gradient_check(net, batch, std::vector{2, 0, 1}, cross_entropy{});
    CHECK(result.worst < 1e-6);
    CHECK(result.worst > 0);
}

TEST_CASE("copy_parameters: from the CPU to another backend and back, and into another scalar") {
    model<classifier, cpu> here({}, {.seed = 1});
    model<classifier, emulated> there({}, {.seed = 2});
    model<classifier, cpu, double> wide({}, {.seed = 3});
    copy_parameters(here, there);
    copy_parameters(there, wide);
    for (auto const& parameter : here.parameters()) {
        auto const values = here.values(parameter);
        CHECK(there.values(parameter.name) == values);
        CHECK(wide.values(parameter.name) == std::vector<double>(values.begin(), values.end()));
    }
    auto const batch = pack(texts(1));
    auto const logits = here.predict(batch);
    std::vector<float> copied(logits.size());
    copy_to_host(there.device(), there.predict(batch).data, copied.size(), copied.data());
    for (std::size_t k = 0; k < copied.size(); ++k)
        CHECK(copied[k] == Approx(logits.data[k]).epsilon(1e-4).margin(1e-5));
}

TEST_CASE("copy_parameters: other parameters are refused, and nothing changes") {
    model<lstm<3, 4>, cpu> from;
    model<lstm<3, 5>, cpu> other_shape;
    model<gru<3, 4>, cpu> other_cell;
    auto const before = other_shape.values("bias_hh_l0");
    std::string const why = "sequent::copy_parameters: the models' parameters have other names or shapes";
    CHECK_THROWS_WITH(copy_parameters(from, other_shape), why);
    CHECK_THROWS_WITH(copy_parameters(from, other_cell), why);
    CHECK(other_shape.values("bias_hh_l0") == before);
}
