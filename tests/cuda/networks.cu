// Recurrent layers of every kind, and trainings, on a GPU.
#include "backend/cuda/passes.hpp"
#include "cell/coupled_lstm.hpp"
#include "on_gpu.hpp"
#include "sequent/train/adam.hpp"

using namespace sequent_tests;

namespace {

std::vector<std::vector<int>> const batches{{4}, {3, 0, 5, 1, 5, 2, 0, 1, 4}, {0, 0}};

template <class Network, class Device, class T = float>
void check(double tolerance) {
    for (auto const& lengths : batches) {
        auto const here = pass_of<Network, Device, T>(lengths, true);
        CHECK(error_of(here, pass_of<Network, reference, T>(lengths, true)) < tolerance);
        CHECK(pass_of<Network, Device, T>(lengths, true) == here);  // to the bit
    }
}

}  // namespace

TEMPLATE_TEST_CASE("gpu: recurrent layers, step by step and in one block", "", (lstm<inputs, 5>), (gru<inputs, 32>),
                   (elman<inputs, 1>), (coupled_lstm<inputs, 16>)) {
    NEEDS_GPU();
    using stack = stacked<2, bidirectional<TestType>>;
    check<stack, cuda_with<precision::f32, strategy::general>>(3e-6);
    check<stack, cuda_with<precision::f32x3, strategy::one_block>>(1e-4);
}

TEST_CASE("gpu: recurrent layers in double and in every format, at the planner's edges") {
    NEEDS_GPU();
    check<reversed<lstm<inputs, 5>>, cuda, double>(1e-13);
    check<recurrent<lstm<inputs, 64>>, cuda>(1e-4);
    check<recurrent<lstm<inputs, 96>>, cuda_with<precision::bf16>>(3e-2);
    check<recurrent<lstm<inputs, 64>>, cuda_with<precision::f32>>(3e-6);
    check<recurrent<lstm<inputs, 200>>, cuda_with<precision::tf32, strategy::general>>(5e-3);
    check<reversed<gru<inputs, 96>>, cuda_with<precision::tf32>>(5e-3);
    check<recurrent<gru<inputs, 128>>, cuda_with<precision::f16>>(1e-2);
    check<reversed<elman<inputs, 128>>, cuda>(1e-4);
}

// On a GPU without clusters these run step by step.
TEST_CASE("gpu: recurrent layers of medium size, in clusters") {
    NEEDS_GPU();
    check<stacked<2, bidirectional<lstm<inputs, 128>>>, cuda>(1e-4);
    check<bidirectional<gru<inputs, 256>>, cuda>(1e-4);
    check<reversed<coupled_lstm<inputs, 200>>, cuda>(1e-4);
    check<recurrent<lstm<inputs, 256>>, cuda_with<precision::bf16>>(3e-2);
    check<recurrent<elman<inputs, 512>>, cuda>(1e-4);
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

TEST_CASE("gpu: a step that is not finite changes nothing, and is told at the next") {
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
