// Recurrent layers of every kind, and trainings, on a GPU. [tiny]: what compute-sanitizer runs too.
#include <thread>

#include "cell/coupled_lstm.hpp"
#include "check_layer.hpp"
#include "sequent/train/adam.hpp"

using namespace sequent_tests;

namespace {

template <class Cell>
void check_paths() {
    using stack = stacked<2, bidirectional<Cell>>;
    check_layer<stack, cuda_with<precision::f32, strategy::general>>(3e-6);
    check_layer<stack, cuda_with<precision::f32x3, strategy::one_block>>(1e-4);
    if (has_clusters()) check_layer<stack, cuda_with<precision::f32x3, strategy::cluster>>(1e-4);
}

// Sequences of 240 words in all.
std::vector<std::vector<int>> texts_of(int sequences, std::uint64_t step) {
    random_stream const random{6, step};
    std::vector<std::vector<int>> made(static_cast<std::size_t>(sequences));
    for (std::uint32_t j = 0; j < 240; ++j) made[j % made.size()].push_back(static_cast<int>(random.below(j, words)));
    return made;
}

// Batches of 66 to 76 sequences are 9 or 10 tiles of 8, and one graph: numbers of rows from 65 to 80 count as one.
template <class Device>
std::vector<double> trained_on_batches(Device const& device, int steps) {
    model<classifier, Device> net({}, {.seed = 3, .device = device});
    training run(net, cross_entropy{}, adam{.rate = 0.01}, {.clip_norm = 0.5});
    std::vector<double> losses;
    for (int t = 0; t < steps; ++t) {
        int const sequences = std::vector{66, 76, 70, 73, 80}[static_cast<std::size_t>(t % 5)];
        std::vector<int> targets;
        for (int i = 0; i < sequences; ++i) targets.push_back((i + t) % 4);
        losses.push_back(run.step(pack(texts_of(sequences, static_cast<std::uint64_t>(t))), targets).loss);
    }
    for (auto const& parameter : net.parameters())
        for (float const value : net.values(parameter)) losses.push_back(static_cast<double>(value));
    return losses;
}

}  // namespace

TEMPLATE_TEST_CASE("gpu: recurrent layers of few units, on every path", "[tiny]", (lstm<inputs, 5>), (gru<inputs, 5>),
                   (elman<inputs, 1>), (coupled_lstm<inputs, 5>)) {
    NEEDS_GPU();
    check_paths<TestType>();
}

TEST_CASE("gpu: recurrent layers in double, step by step in fast modes, and a user's cell") {
    NEEDS_GPU();
    check_layer<reversed<lstm<inputs, 5>>, cuda, double>(1e-13);
    check_layer<recurrent<lstm<inputs, 200>>, cuda_with<precision::tf32, strategy::general>>(5e-3);
    check_layer<bidirectional<coupled_lstm<inputs, 32>>, cuda>(1e-4);
    check_layer<reversed<coupled_lstm<inputs, 200>>, cuda>(1e-4);  // a cluster, where there are some
}

TEST_CASE("gpu: networks train as on the reference, twice to the same bits") {
    NEEDS_GPU();
    training_options const options{.clip_norm = 0.5};
    auto const here = trained<classifier, cuda_with<precision::f32>>(adam{.rate = 0.01}, 12, options);
    CHECK(error_of(here, trained<classifier, reference>(adam{.rate = 0.01}, 12, options)) < 5e-5);
    CHECK(trained<classifier, cuda_with<precision::f32>>(adam{.rate = 0.01}, 12, options) == here);
    auto const stack = trained<deep, cuda>(adam{.rate = 0.01}, 12, options);
    CHECK(error_of(stack, trained<deep, reference>(adam{.rate = 0.01}, 12, options)) < 2e-3);
    CHECK(trained<deep, cuda>(adam{.rate = 0.01}, 12, options) == stack);
    using general = cuda_with<precision::f32, strategy::general>;  // its steps are graphs from the second time on
    auto const steps = trained<deep, general>(adam{.rate = 0.01}, 12, options);
    CHECK(error_of(steps, trained<deep, reference>(adam{.rate = 0.01}, 12, options)) < 5e-5);
    CHECK(trained<deep, general>(adam{.rate = 0.01}, 12, options) == steps);
}

TEST_CASE("gpu: steps are graphs when they come again, with the bits of single launches") {
    NEEDS_GPU();
    auto const check = [](auto device, auto const& rule) {
        using device_type = decltype(device);
        training_options const options{.clip_norm = 0.5, .schedule = schedule::step{.every = 10}};
        auto const with = trained<classifier, device_type>(rule, 60, options, device);
        device_type single;
        single.machine->makes_graphs = false;
        CHECK(trained<classifier, device_type>(rule, 60, options, single) == with);
    };
    check(cuda{}, adam{.rate = 0.01});
    check(cuda_with<precision::f32, strategy::general>{}, adam{.rate = 0.01});
}

TEMPLATE_TEST_CASE("gpu: a graph is renewed for another number of tiles", "[tiny]",
                   (cuda_with<precision::f32x3, strategy::one_block>),
                   (cuda_with<precision::f32x3, strategy::cluster>)) {
    NEEDS_GPU();
    if (TestType::wanted_strategy == strategy::cluster && !has_clusters()) SKIP_TEST("a GPU without clusters");
    auto const with = trained_on_batches(TestType{}, 15);
    TestType single;
    single.machine->makes_graphs = false;
    CHECK(trained_on_batches(single, 15) == with);
    CHECK(error_of(with, trained_on_batches(reference{}, 15)) < 2e-3);
}

TEST_CASE("gpu: two threads train two models, each as alone") {
    NEEDS_GPU();
    auto const train = [](std::vector<double>& text, std::vector<double>& other) {
        std::thread first([&] { text = trained<classifier, cuda>(adam{.rate = 0.01}, 60, {.clip_norm = 0.5}); });
        other = trained<deep, cuda_with<precision::f32, strategy::general>>(adam{.rate = 0.01}, 60, {});
        first.join();
    };
    std::vector<double> text, other;
    train(text, other);
    CHECK(trained<classifier, cuda>(adam{.rate = 0.01}, 60, {.clip_norm = 0.5}) == text);
    CHECK(trained<deep, cuda_with<precision::f32, strategy::general>>(adam{.rate = 0.01}, 60, {}) == other);
}

TEST_CASE("gpu: a step that is not finite changes nothing, and is told at the next", "[tiny]") {
    NEEDS_GPU();
    model<classifier, cuda> net({}, {.seed = 3});
    training run(net, cross_entropy{}, adam{.rate = 0.01}, {.clip_norm = 0.5});
    std::vector<int> const topics{0, 1, 2, 3, 0, 1};
    run.step(pack(texts(0)), topics);
    auto const bias = net.values("fc.bias"), weights = net.values("rnn.weight_hh_l0"),
               words_of = net.values("embedding.weight");
    net.assign("fc.bias", std::vector<float>{0, HUGE_VALF, 0, 0});
    run.step(pack(texts(1)), topics);
    CHECK_THROWS_AS(run.step(pack(texts(2)), topics), numeric_error);
    CHECK(net.values("rnn.weight_hh_l0") == weights);
    CHECK(net.values("embedding.weight") == words_of);
    net.assign("fc.bias", bias);
    CHECK(run.rule().steps() == 1);
    double const loss = run.step(pack(texts(3)), topics).loss;
    CHECK(loss == loss);
    run.settle();
    CHECK(net.values("rnn.weight_hh_l0") != weights);
}
