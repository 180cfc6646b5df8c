// The one implementation of trainee.
#pragma once

#include <utility>

#include "sequent/backend/cpu/cpu.hpp"
#include "sequent/layer/embedding.hpp"
#include "sequent/layer/linear.hpp"
#include "sequent/layer/pooling.hpp"
#include "sequent/layer/recurrent.hpp"
#include "sequent/layer/sequential.hpp"
#include "sequent/model/model.hpp"
#include "sequent/train/adam.hpp"
#include "sequent/train/cross_entropy.hpp"
#include "sequent/train/training.hpp"
#include "trainee.hpp"

namespace bench {

template <class Network, class Input>
class trained_network : public trainee<Input> {
  public:
    // layers: one for each direction of each recurrent layer.
    trained_network(Network const& network, std::vector<layer_size> layers, int threads)
        : net_(network, {.seed = 1, .device = device(threads)}), layers_(std::move(layers)) {}

    double step(sequent::packed_sequence<Input> const& batch, std::span<int const> topics) override {
        return run_.step(batch, topics).loss;
    }
    std::span<float const> predict(sequent::packed_sequence<Input> const& batch) override {
        auto const logits = net_.predict(batch);
        return {logits.data, static_cast<std::size_t>(logits.rows) * static_cast<std::size_t>(logits.columns)};
    }
    std::vector<typename trainee<Input>::parameter> parameters() override {
        std::vector<typename trainee<Input>::parameter> all;
        for (auto const& one : net_.parameters())
            all.push_back({one.name, {one.shape.begin(), one.shape.end()}, net_.values(one)});
        return all;
    }
    std::span<layer_size const> layers() const override { return layers_; }

  private:
    static sequent::cpu device(int threads) {
        return threads == 1 ? sequent::cpu{} : sequent::cpu{std::make_shared<sequent::thread_pool>(threads)};
    }

    sequent::model<Network, sequent::cpu> net_;
    sequent::training<sequent::model<Network, sequent::cpu>, sequent::cross_entropy, sequent::adam> run_{
        net_, sequent::cross_entropy{}, sequent::adam{.rate = 1e-3}};
    std::vector<layer_size> layers_;
};

template <class Cell>
struct lesson_network
    : sequent::sequential<sequent::named<"embedding", sequent::embedding<sequent::dynamic, Cell::input_size>>,
                          sequent::named<"rnn", Cell>, sequent::last_state,
                          sequent::named<"fc", sequent::linear<Cell::hidden_size, 4>>> {
    explicit lesson_network(int words) : lesson_network::sequential{{.rows = words}, {}, {}, {}} {}
};

template <class Cell>
std::unique_ptr<trainee<int>> make_lesson(int words, int threads) {
    using network = lesson_network<Cell>;
    return std::make_unique<trained_network<network, int>>(network(words), std::vector{layer_size::of<Cell>(16)},
                                                           threads);
}

template <class Cell>
struct wide_network
    : sequent::sequential<sequent::named<"rnn", sequent::stacked<2, sequent::bidirectional<Cell>>>, sequent::last_state,
                          sequent::named<"fc", sequent::linear<2 * Cell::hidden_size, 4>>> {
    wide_network() : wide_network::sequential{{}, {}, {}} {}
};

template <class Cell>
std::unique_ptr<trainee<float>> make_wide(int threads) {
    layer_size const first = layer_size::of<Cell>(64);
    layer_size second = first;
    second.input = 2 * Cell::hidden_size;
    return std::make_unique<trained_network<wide_network<Cell>, float>>(
        wide_network<Cell>{}, std::vector{first, first, second, second}, threads);
}

}  // namespace bench
