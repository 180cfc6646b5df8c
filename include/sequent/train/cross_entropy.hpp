// Softmax cross-entropy as a loss: PyTorch's nn.CrossEntropyLoss on class indices.
#pragma once

#include <vector>

#include "../backend/cross_entropy.hpp"
#include "../core/matrix.hpp"

namespace sequent {

enum class reduction { mean, sum };

// Semantics, defaults and edge cases are PyTorch's: with all rows ignored, the mean is NaN; with smoothing, one
// denominator for both terms.
struct cross_entropy {
    sequent::reduction reduction = sequent::reduction::mean;
    std::vector<double> class_weights = {};  // one per class, or none
    int ignore_index = -100;
    double label_smoothing = 0;

    // logits: [n, C]; targets: [n]; gradient: [n, C], overwritten with that of the loss. Throws argument_error when the
    // sizes, a target, the weights or the smoothing do not fit.
    template <class Backend, class T>
    auto operator()(Backend const& device, matrix_view<T const> logits, std::span<int const> targets,
                    matrix_view<T> gradient) const {
        require(targets.size() == static_cast<std::size_t>(logits.rows),
                "sequent::cross_entropy: expected input batch_size (", logits.rows, ") to match target batch_size (",
                targets.size(), ")");
        require(gradient.rows == logits.rows && gradient.columns == logits.columns,
                "sequent::cross_entropy: the gradient must have the shape of the logits, [", logits.rows, ", ",
                logits.columns, "], got [", gradient.rows, ", ", gradient.columns, "]");
        require(label_smoothing >= 0 && label_smoothing <= 1,
                "sequent::cross_entropy: label_smoothing must be between 0.0 and 1.0, got ", label_smoothing);
        require(class_weights.empty() || class_weights.size() == static_cast<std::size_t>(logits.columns),
                "sequent::cross_entropy: class_weights must hold one weight for each of the ", logits.columns,
                " classes, got ", class_weights.size());
        cross_entropy_request const request{class_weights, ignore_index, label_smoothing,
                                            reduction == sequent::reduction::sum};
        return softmax_cross_entropy(device, request, logits, targets, gradient);
    }
};

}  // namespace sequent
