// What softmax cross-entropy is asked and answers on every backend. PyTorch's contract:
// torch.nn.functional.cross_entropy.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "../core/error.hpp"

namespace sequent {

struct cross_entropy_request {
    std::span<double const> class_weights;  // one per class, or empty: ones
    int ignore_index = -100;                // targets of this value count for nothing
    double label_smoothing = 0;             // in [0, 1]
    bool sum = false;                       // sum instead of weighted mean

    [[nodiscard]] double weight_of(int c) const {
        return class_weights.empty() ? 1.0 : class_weights[static_cast<std::size_t>(c)];
    }
    // What the sum is divided by. A mean over no weight is NaN, with smoothing too.
    [[nodiscard]] double divisor(double weight) const {
        return sum ? 1 : weight > 0 ? weight : std::numeric_limits<double>::quiet_NaN();
    }
    // Throws argument_error for a target, neither ignored nor a class.
    static void check_target(int target, std::size_t row, int classes) {
        if (target < 0 || target >= classes)
            throw argument_error(message("sequent::cross_entropy: target ", target, " of row ", row,
                                         " is out of bounds; there are ", classes, " classes"));
    }
};

struct cross_entropy_result {
    double loss = 0;
    double weight = 0;  // what the mean divided by: the sum of the weights of the targets that count
    int correct = 0;    // rows whose largest logit (the first, on a tie; NaN is the largest) is the target's
    int rows = 0;       // rows that count
};

}  // namespace sequent
