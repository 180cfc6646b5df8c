// The networks that are timed as a whole, each behind an interface and compiled in a file of its own.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "flops.hpp"
#include "sequent/sequence/packed_sequence.hpp"

namespace bench {

// A network with its loss (cross-entropy) and optimizer (Adam with dense semantics, rate 1e-3).
template <class Input>
class trainee {
  public:
    struct parameter {
        std::string name;  // PyTorch's
        std::vector<std::size_t> shape;
        std::vector<float> values;
    };

    virtual ~trainee() = default;
    // A training step with everything it includes; the loss before it.
    virtual double step(sequent::packed_sequence<Input> const& batch, std::span<int const> topics) = 0;
    // The logits, [batch, 4]; valid until the next call.
    virtual std::span<float const> predict(sequent::packed_sequence<Input> const& batch) = 0;
    [[nodiscard]] virtual std::vector<parameter> parameters() = 0;
    // The recurrent layers, one for each direction.
    [[nodiscard]] virtual std::span<layer_size const> layers() const = 0;
    // FLOPs of a training step on so many tokens: see layer_size.
    [[nodiscard]] double flops(double tokens) const {
        double sum = 0;
        for (layer_size const& layer : layers()) sum += layer.training(tokens);
        return sum;
    }
};

// Word vectors of 64, one recurrent layer of 32 units, its last state, four topics.
std::unique_ptr<trainee<int>> lesson_elman(int words, int threads = 1);
std::unique_ptr<trainee<int>> lesson_gru(int words, int threads = 1);
std::unique_ptr<trainee<int>> lesson_lstm(int words, int threads = 1);

// 256 features, two bidirectional layers of 256 units, their last states, four topics.
std::unique_ptr<trainee<float>> wide_bielman(int threads = 1);
std::unique_ptr<trainee<float>> wide_bigru(int threads = 1);
std::unique_ptr<trainee<float>> wide_bilstm(int threads = 1);

}  // namespace bench
