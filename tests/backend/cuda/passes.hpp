// Whole networks on any policy: a pass there and back, and a short training, as numbers on the host.
#pragma once

#include <memory>

#include "on_device.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "sequent/layer/embedding.hpp"
#include "sequent/layer/linear.hpp"
#include "sequent/layer/pooling.hpp"
#include "sequent/layer/sequential.hpp"
#include "sequent/model/model.hpp"
#include "sequent/train/training.hpp"

namespace sequent_tests {

inline constexpr int inputs = 3;

// Everything that a pass there and back makes of a network on a policy.
template <class Network, class Device, class T>
std::vector<double> pass_of(std::vector<int> const& lengths, bool with_states, Device const& device = {}) {
    model<Network, Device, T> net{{}, {.seed = 1, .device = device}};
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

inline constexpr int words = 30;

// The lesson's classifier, and what else layers can do, small.
struct classifier : sequential<named<"embedding", embedding<words, 6>>, named<"rnn", lstm<6, 5>>, last_state,
                               named<"fc", linear<5, 4>>> {
    classifier() : sequential{{.padding = 1}, {}, {}, {}} {}
};
struct deep : sequential<embedding<words, 6>, stacked<2, bidirectional<gru<6, 4>>>, dropout, mean_state, linear<8, 4>> {
    deep() : sequential{{}, {.dropout = 0.3}, {.probability = 0.2}, {}, {}} {}
};
struct tagger : sequential<embedding<words, 6>, dropout, reversed<elman<6, 5>>, linear<5, 4>> {
    tagger() : sequential{{}, {.probability = 0.2}, {}, {}} {}
};
struct largest : sequential<embedding<words, 6>, linear<6, 6>, max_state, linear<6, 4>> {};

inline std::vector<std::vector<int>> texts(std::uint64_t step) {
    random_stream const random{5, step};
    std::vector<std::vector<int>> made;
    for (std::uint32_t i = 0; i < 6; ++i) {
        made.emplace_back(1 + random.below(i, 5));
        for (std::size_t t = 0; t < made[i].size(); ++t)
            made[i][t] = static_cast<int>(random.below(100 + 10 * i + t, words));
    }
    return made;
}

template <class Network, class Device, class Rule>
auto trained(Rule const& rule, int steps, training_options const& options, Device const& device = {}) {
    auto net = std::make_unique<model<Network, Device>>(Network{}, model_options<Device>{.seed = 3, .device = device});
    std::vector<double> losses;
    {
        training run(*net, cross_entropy{}, rule, options);
        for (int t = 0; t < steps; ++t) {
            auto const batch = pack(texts(static_cast<std::uint64_t>(t)));
            std::vector<int> targets;
            int const rows = model<Network, Device>::gives_sequence ? batch.shape.rows() : batch.shape.batch();
            for (int r = 0; r < rows; ++r) targets.push_back((r * 7 + t) % 4);
            losses.push_back(run.step(batch, targets).loss);
        }
    }
    for (auto const& parameter : net->parameters())
        for (float const value : net->values(parameter)) losses.push_back(static_cast<double>(value));
    return losses;
}

}  // namespace sequent_tests
