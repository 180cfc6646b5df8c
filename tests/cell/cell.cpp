#include "sequent/cell/cell.hpp"

#include "check_step.hpp"
#include "coupled_lstm.hpp"
#include "golden.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

struct without_backward : lstm<3, 5> {
    template <class Math, class... Arguments>
    static void step_backward(Arguments const&...) = delete;
};
struct without_names {
    static constexpr int input_size = 3, hidden_size = 5, gate_count = 1, state_count = 1, saved_count = 1,
                         unit_count = 0;
};

// Parameters, batch and targets of one network of coupled_lstm, and all gradients against differences.
template <class Network>
void check_network(std::vector<std::string> const& names) {
    model<Network, cpu, double> net{Network{}, {.seed = 3}};
    std::vector<std::string> found;
    for (auto const& parameter : net.parameters()) found.push_back(parameter.name);
    CHECK(found == names);

    random_stream const random{5, 6};
    std::vector<std::vector<double>> sequences;
    std::uint64_t next = 0;
    for (int const length : {2, 5, 0, 4}) {
        auto& sequence = sequences.emplace_back();
        for (int j = 0; j < 3 * length; ++j) sequence.push_back(2 * static_cast<double>(random.uniform(next++)) - 1);
    }
    auto const batch = pack(sequences, 3);
    std::vector<int> const targets{0, 4, 2, 1, 3, 3, 0, 1, 4, 2, 2};
    auto const result = gradient_check(net, batch, targets, cross_entropy{});
    INFO(result.parameter << "[" << result.place << "]: " << result.analytic << ", numerically " << result.numeric);
    CHECK(result.worst < 1e-6);
    CHECK(result.checked > 150);

    // The same in float.
    model<Network, cpu> single{Network{}, {.seed = 3}};
    for (auto const& parameter : net.parameters()) {
        auto const values = net.values(parameter);
        single.assign(parameter.name, std::vector<float>(values.begin(), values.end()));
    }
    packed_sequence<float> const rounded{batch.shape, {batch.values.begin(), batch.values.end()}, 3};
    auto const expected = net.forward(batch).values.rows;
    auto const actual = single.forward(rounded).values.rows;
    std::size_t const size = static_cast<std::size_t>(expected.rows) * static_cast<std::size_t>(expected.columns);
    CHECK(relative_error(std::span(actual.data, size), std::span(expected.data, size)) < 1e-6);
}

}  // namespace

TEST_CASE("cell: the concept") {
    STATIC_REQUIRE(cell<lstm<3, 5>>);
    STATIC_REQUIRE(cell<coupled_lstm<3, 5>>);
    STATIC_REQUIRE_FALSE(cell<without_backward>);
    STATIC_REQUIRE_FALSE(cell<without_names>);
    STATIC_REQUIRE_FALSE(cell<linear<3, 5>>);
}

TEST_CASE("cell: one's own, with peepholes, derivatives of a step") { check_step_backward<coupled_lstm<1, 1>>(); }

TEST_CASE("cell: one's own works as a layer, in both directions, stacked, with every gradient") {
    check_network<recurrent<coupled_lstm<3, 5>>>(
        {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_cf_l0", "weight_co_l0"});
    check_network<stacked<2, bidirectional<coupled_lstm<3, 5>>>>(
        {"weight_ih_l0",       "weight_hh_l0",       "bias_ih_l0",           "bias_hh_l0",
         "weight_cf_l0",       "weight_co_l0",       "weight_ih_l0_reverse", "weight_hh_l0_reverse",
         "bias_ih_l0_reverse", "bias_hh_l0_reverse", "weight_cf_l0_reverse", "weight_co_l0_reverse",
         "weight_ih_l1",       "weight_hh_l1",       "bias_ih_l1",           "bias_hh_l1",
         "weight_cf_l1",       "weight_co_l1",       "weight_ih_l1_reverse", "weight_hh_l1_reverse",
         "bias_ih_l1_reverse", "bias_hh_l1_reverse", "weight_cf_l1_reverse", "weight_co_l1_reverse"});
}

TEST_CASE("precise: values and limits of the activations") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(precise::tanh(0.5) == Approx(0.46211715726000975850).epsilon(1e-15));
    CHECK(precise::tanh(infinity) == 1);
    CHECK(precise::sigmoid(0.0) == 0.5);
    CHECK(precise::sigmoid(2.0) == Approx(0.88079707797788244406).epsilon(1e-15));
    CHECK(precise::sigmoid(-infinity) == 0);
    CHECK(precise::sigmoid(infinity) == 1);
    CHECK(precise::sigmoid(-1000.0) == 0);  // exp overflows; the quotient does not
    CHECK(precise::relu(-2.0f) == 0);
    CHECK(precise::relu(2.0f) == 2);
    CHECK(precise::positive(0.0) == 0);
    CHECK(precise::positive(-1.0) == 0);
    CHECK(precise::positive(1e-300) == 1);
}

TEST_CASE("precise: NaN stays NaN, as in PyTorch") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(precise::tanh(nan)));
    CHECK(std::isnan(precise::sigmoid(nan)));
    CHECK(std::isnan(precise::relu(nan)));
}
