#include "sequent/backend/cuda/recurrent.hpp"

#include "cell/coupled_lstm.hpp"
#include "golden.hpp"
#include "passes.hpp"
#include "sequent/sequent.hpp"

using namespace sequent_tests;

namespace {

template <class Network, class Device, class T = float>
double error_of(std::vector<int> const& lengths, bool with_states) {
    auto const here = pass_of<Network, Device, T>(lengths, with_states);
    if (with_states) CHECK(pass_of<Network, Device, T>(lengths, with_states) == here);  // to the bit
    return relative_error(here, pass_of<Network, cpu_with<precise>, T>(lengths, with_states));
}

std::vector<std::vector<int>> const batches{{4}, {3, 0, 5, 1, 5, 2, 0, 1, 4}, {0, 0}};

template <class Network, class Device, class T = float>
void check(double tolerance) {
    for (auto const& lengths : batches)
        for (bool const with_states : {false, true}) {
            INFO(lengths.size() << " sequences, states: " << with_states);
            if (lengths[0] + lengths.back() > 0 || with_states)
                CHECK(error_of<Network, Device, T>(lengths, with_states) < tolerance);
        }
}

// Some numbers of its own, and what comes in goes out.
struct odd_layer {
    static constexpr int input_size = inputs;
    static constexpr std::ptrdiff_t parameter_size = 3;
    struct options {};
    template <class Shape>
    using output = Shape;
    template <class Backend, class T>
    struct memory {};
    explicit odd_layer(options const& = {}) {}
    void describe(scope const& where, auto&, auto& visitor) const {
        visitor.tensor(tensor_name{where, "numbers"}, {3}, where.offset, initial_values{});
    }
    auto forward(auto const&, auto const*, auto&, auto const& input) const { return input; }
    auto output_view(auto const&, auto const& input) const { return input; }
    auto backward(auto const&, auto const*, auto*, auto&, auto const&, auto const& gradient, input_gradient) const {
        return gradient;
    }
    input_gradient wants(auto const&, input_gradient below) const { return below; }
};

}  // namespace

TEST_CASE("cuda: a layer behind one with an odd number of parameters; gradients that start anywhere") {
    using kernels = emulated_with<precision::f32, strategy::one_block>;
    using network = sequential<odd_layer, lstm<inputs, 4>>;
    CHECK(relative_error(pass_of<network, kernels, float>({3, 2}, true), pass_of<network, cpu, float>({3, 2}, true)) <
          2e-6);
    auto const backward = [](auto device, int first, int stride) {
        model<lstm<inputs, 4>, decltype(device)> net({}, {.device = device});
        net.forward(pack(random_sequences<float>({3, 2}, inputs, 1), inputs));
        on_device<decltype(device), float> here{device};
        net.backward(matrix_view<float const>(here.put(std::vector<float>(40, 1.0f)) + first, 5, 4, stride));
    };
    for (auto const& [first, stride] : {std::pair{1, 6}, {2, 5}}) {
        CHECK_THROWS_WITH(backward(kernels{}, first, stride),
                          "sequent::cuda: the gradient of the output of a recurrent layer of 4 units: its rows must "
                          "start on multiples of 8 bytes; copy it, or use strategy::general");
        CHECK_NOTHROW(backward(emulated_with<precision::f32, strategy::general>{}, first, stride));
    }
    CHECK_NOTHROW(backward(kernels{}, 2, 6));
}

TEMPLATE_TEST_CASE("cuda: recurrent layers, as on the CPU", "", (lstm<inputs, 5>), (gru<inputs, 16>),
                   (elman<inputs, 1>), (elman<inputs, 4, nonlinearity::relu>), (coupled_lstm<inputs, 5>)) {
    using stack = stacked<2, bidirectional<TestType>>;
    check<stack, emulated_with<precision::f32, strategy::general>>(2e-6);
    check<stack, emulated_with<precision::f32x3, strategy::one_block>>(1e-4);
    check<stack, emulated_with<precision::f32x3, strategy::cluster>>(1e-4);
}

TEST_CASE("cuda: recurrent layers whose products of the whole batch are split, as on the CPU") {
    auto const check_layer = []<class Network, class Device>(Network const*, Device const*) {
        for (auto const& lengths : batches)
            for (bool const with_states : {false, true}) {
                if (lengths[0] + lengths.back() == 0 && !with_states) continue;
                auto const here = pass_of<Network, Device, float>(lengths, with_states, that_splits<Device>());
                CHECK(relative_error(here, pass_of<Network, cpu_with<precise>, float>(lengths, with_states)) < 1e-4);
                CHECK(pass_of<Network, Device, float>(lengths, with_states, that_splits<Device>()) == here);
                bool const is_empty = lengths[0] == 0;
                CHECK((pass_of<Network, Device, float>(lengths, with_states) == here) == is_empty);
            }
    };
    using general = emulated_with<precision::f32x3, strategy::general>;
    std::tuple<stacked<2, bidirectional<lstm<inputs, 5>>>*, stacked<2, bidirectional<gru<inputs, 16>>>*> const layers;
    check_layer(std::get<0>(layers), static_cast<general*>(nullptr));
    check_layer(std::get<1>(layers), static_cast<general*>(nullptr));
    check_layer(std::get<0>(layers), static_cast<emulated*>(nullptr));
    check_layer(std::get<1>(layers), static_cast<emulated*>(nullptr));
}

TEST_CASE("cuda: recurrent layers in one direction, in double and in every format") {
    check<reversed<coupled_lstm<inputs, 5>>, emulated, double>(1e-14);
    check<recurrent<lstm<inputs, 5>>, emulated_with<precision::tf32, strategy::general>>(3e-3);
    check<reversed<lstm<inputs, 5>>, emulated_with<precision::bf16, strategy::general>>(3e-2);
    check<reversed<lstm<inputs, 5>>, emulated_with<precision::f32, strategy::one_block>>(2e-6);
    check<reversed<lstm<inputs, 20>>, emulated_with<precision::f32, strategy::cluster>>(3e-6);
    check<recurrent<gru<inputs, 20>>, emulated_with<precision::bf16, strategy::cluster>>(3e-2);
    check<recurrent<gru<inputs, 5>>, emulated_with<precision::f16, strategy::one_block>>(1e-2);
}

TEST_CASE("cuda: medium layers run in clusters, as on the CPU") {
    using device = emulated_with<precision::f32x3>;
    using wide = lstm<inputs, 136>;
    STATIC_REQUIRE(planned_strategy<wide, float, precision::f32x3> == strategy::cluster);
    CHECK(error_of<bidirectional<wide>, device>({2, 0, 3}, true) < 1e-4);
    CHECK(error_of<recurrent<gru<inputs, 200>>, device>({2, 1}, false) < 1e-4);
    CHECK(error_of<recurrent<gru<inputs, 386>>, device>({2}, false) < 1e-4);
}

TEST_CASE("cuda: a machine without clusters runs step by step, or says that it cannot do what is asked for") {
    using wide = recurrent<lstm<inputs, 136>>;
    std::vector<int> const lengths{2, 0, 3};
    auto const on = [&]<class Device>(Device device, bool has_clusters) {
        device.machine->has_clusters = has_clusters;
        return pass_of<wide, Device, float>(lengths, true, device);
    };
    using automatic = emulated_with<precision::f32x3>;
    auto const step_by_step = on(emulated_with<precision::f32x3, strategy::general>{}, true);
    CHECK(on(automatic{}, false) == step_by_step);
    CHECK(on(automatic{}, true) != step_by_step);
    CHECK_THROWS_WITH(on(emulated_with<precision::f32x3, strategy::cluster>{}, false),
                      Catch::Matchers::Contains("cannot run clusters of 4 blocks"));
}

TEST_CASE("cuda: what a layer runs on, in words") {
    emulated const device;
    CHECK(recurrent_plan<lstm<inputs, 600>>(device) == "general");
    CHECK(recurrent_plan<lstm<inputs, 64>, double>(device) == "general");
    CHECK(recurrent_plan<lstm<inputs, 64>>(device) ==
          "one_block: tiles of 8 sequences, 256 threads a block; forward and backward 64 and 64 registers of a thread "
          "hold weights, a block has 5632 and 16896 bytes of shared memory");
    std::string const cluster =
        "cluster of 2 blocks: tiles of 8 sequences, 256 threads a block; forward and backward 128 and 128 registers of "
        "a thread hold weights, a block has 9744 and 25104 bytes of shared memory";
    CHECK(recurrent_plan<lstm<inputs, 128>>(device) == cluster);
    CHECK(recurrent_plan<lstm<inputs, 512>>(device) ==
          "cluster of 16 blocks: tiles of 8 sequences, 128 and 256 threads a block; forward and backward 128 and 128 "
          "registers of a thread hold weights, a block has 230416 and 172560 bytes of shared memory");
    device.machine->has_clusters = false;
    CHECK(recurrent_plan<lstm<inputs, 128>>(device) == "general, as this machine does not run " + cluster);
    CHECK_THROWS_WITH(
        (recurrent_plan<lstm<inputs, 128>>(emulated_with<precision::f32x3, strategy::cluster>{device.machine})),
        Catch::Matchers::Contains("cannot run clusters of 2 blocks"));
}
