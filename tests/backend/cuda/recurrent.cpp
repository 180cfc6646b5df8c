#include "sequent/backend/cuda/recurrent.hpp"

#include "cell/coupled_lstm.hpp"
#include "golden.hpp"
#include "on_device.hpp"
#include "sequent/sequent.hpp"

using namespace sequent_tests;

namespace {

constexpr int inputs = 3;

// Everything that a pass there and back makes of a network on a policy.
template <class Network, class Device, class T>
std::vector<double> pass_of(std::vector<int> const& lengths, bool with_states) {
    model<Network, Device, T> net{{}, {.seed = 1}};
    auto const input = pack(random_sequences<T>(lengths, inputs, 1), inputs);
    int const rows = input.shape.rows(), batch = input.shape.batch();
    auto initial = net.zero_states(batch), final_gradient = initial;
    if (with_states) randomise(initial, 10), randomise(final_gradient, 20);
    on_device<Device, T> here{net.device()};
    std::vector<double> results;
    auto const append = [&](std::vector<T> const& numbers) {
        results.insert(results.end(), numbers.begin(), numbers.end());
    };
    auto const append_states = [&](states<T> const& all) {
        for (auto const& entry : all.entries) append(entry.values);
    };
    constexpr int features = decltype(net)::output_shape::features;
    std::size_t const size = static_cast<std::size_t>(rows) * features;
    append(here.get(net.predict(input, initial).values.rows.data, size));
    append(here.get(net.forward(input, initial).values.rows.data, size));
    append_states(net.final_states());
    matrix_view<T const> const cotangent(here.put(random_values<T>(size, 3)), rows, features);
    if (with_states)
        net.backward(cotangent, final_gradient);
    else
        net.backward(cotangent);
    append_states(net.initial_state_gradients());
    for (auto const& parameter : net.parameters()) append(net.gradient(parameter.name));
    append(here.get(net.input_gradient().data, static_cast<std::size_t>(rows) * inputs));
    return results;
}

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

}  // namespace

TEMPLATE_TEST_CASE("cuda: recurrent layers, as on the CPU", "", (lstm<inputs, 5>), (gru<inputs, 16>),
                   (elman<inputs, 1>), (elman<inputs, 4, nonlinearity::relu>), (coupled_lstm<inputs, 5>)) {
    using stack = stacked<2, bidirectional<TestType>>;
    check<stack, emulated_with<precision::f32, strategy::general>>(2e-6);
    check<stack, emulated_with<precision::f32x3, strategy::one_block>>(1e-4);
}

TEST_CASE("cuda: recurrent layers in one direction, in double and in every format") {
    check<reversed<coupled_lstm<inputs, 5>>, emulated, double>(1e-14);
    check<recurrent<lstm<inputs, 5>>, emulated_with<precision::tf32, strategy::general>>(3e-3);
    check<reversed<lstm<inputs, 5>>, emulated_with<precision::bf16, strategy::general>>(3e-2);
    check<reversed<lstm<inputs, 5>>, emulated_with<precision::f32, strategy::one_block>>(2e-6);
    check<recurrent<gru<inputs, 5>>, emulated_with<precision::f16, strategy::one_block>>(1e-2);
}
