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
};

// Loss and Count: double and int, or numbers of a device that become these when they are read.
template <class Loss, class Count>
struct cross_entropy_answer {
    Loss loss{};
    double weight = 0;  // what the mean divided by: the sum of the weights of the targets that count
    Count correct{};    // rows whose largest logit (the first, on a tie; NaN is the largest) is the target's
    int rows = 0;       // rows that count
};
using cross_entropy_result = cross_entropy_answer<double, int>;

// Weight and rows of the targets that count. Throws argument_error for a target that is neither ignored nor a class.
[[nodiscard]] inline cross_entropy_result count_targets(cross_entropy_request const& request,
                                                        std::span<int const> targets, int classes) {
    cross_entropy_result result;
    for (std::size_t r = 0; r < targets.size(); ++r) {
        if (targets[r] == request.ignore_index) continue;
        require(targets[r] >= 0 && targets[r] < classes, "sequent::cross_entropy: target ", targets[r], " of row ", r,
                " is out of bounds; there are ", classes, " classes");
        result.weight += request.weight_of(targets[r]);
        ++result.rows;
    }
    return result;
}

}  // namespace sequent
