// The lesson's network in training on made-up news, on any policy: its curve of losses.
#pragma once

#include <vector>

#include "sequent/cell/lstm.hpp"
#include "sequent/layer/embedding.hpp"
#include "sequent/layer/linear.hpp"
#include "sequent/layer/pooling.hpp"
#include "sequent/layer/recurrent.hpp"
#include "sequent/layer/sequential.hpp"
#include "sequent/model/model.hpp"
#include "sequent/train/adam.hpp"
#include "sequent/train/cross_entropy.hpp"
#include "sequent/train/training.hpp"

namespace sequent_tests {

using namespace sequent;

struct lesson_network : sequential<named<"embedding", embedding<4000, 64>>, named<"rnn", lstm<64, 32>>, last_state,
                                   named<"fc", linear<32, 4>>> {};

// Half of the words are of the topic's thousand, the others are anybody's; frequencies fall as real ones do.
inline std::vector<std::vector<int>> made_up_news(std::uint64_t step, std::vector<int>& topics) {
    random_stream const random{7, step};
    std::uint64_t drawn = 0;
    std::vector<std::vector<int>> texts(16);
    topics.clear();
    for (auto& text : texts) {
        topics.push_back(static_cast<int>(random.below(drawn++, 4)));
        text.resize(20 + random.below(drawn++, 53));
        for (int& word : text) {
            bool const telling = random.below(drawn++, 2) == 0;
            int const topic = telling ? topics.back() : static_cast<int>(random.below(drawn++, 4));
            word = 4 * static_cast<int>(std::pow(1000.0, static_cast<double>(random.uniform(drawn++))) - 1) + topic;
        }
    }
    return texts;
}

template <class Device, class T = float>
std::vector<double> lesson_curve(int steps, Device const& device = {}) {
    model<lesson_network, Device, T> net({}, {.seed = 1, .device = device});
    training run(net, cross_entropy{}, adam{.rate = 0.001}, {.clip_norm = 0.25});
    std::vector<double> losses;
    std::vector<int> topics;
    for (int t = 0; t < steps; ++t) {
        auto const batch = pack(made_up_news(static_cast<std::uint64_t>(t), topics));
        losses.push_back(run.step(batch, topics).loss);
    }
    return losses;
}

}  // namespace sequent_tests
