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

}  // namespace

TEMPLATE_TEST_CASE("cuda: recurrent layers, as on the CPU", "", (lstm<inputs, 5>), (gru<inputs, 16>),
                   (elman<inputs, 1>), (elman<inputs, 4, nonlinearity::relu>), (coupled_lstm<inputs, 5>)) {
    using stack = stacked<2, bidirectional<TestType>>;
    check<stack, emulated_with<precision::f32, strategy::general>>(2e-6);
    check<stack, emulated_with<precision::f32x3, strategy::one_block>>(1e-4);
    check<stack, emulated_with<precision::f32x3, strategy::cluster>>(1e-4);
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
