// Softmax cross-entropy and its gradient on the device, in double inside.
#pragma once

#include <span>
#include <vector>

#include "../../core/error.hpp"
#include "../cross_entropy.hpp"
#include "operations.hpp"

namespace sequent {

namespace detail {

// One row's share of the loss; its gradient.
template <class T>
struct cross_entropy_row {
    matrix_view<T const> logits;
    matrix_view<T> gradient;
    int const* targets;
    double const* class_weights;  // null: ones
    int ignore_index;
    double smooth, sharp, all_weights, divisor;
    double* loss;
    int* correct;

    SEQUENT_HD double weight_of(int c) const { return class_weights == nullptr ? 1.0 : class_weights[c]; }
    SEQUENT_HD void operator()(std::ptrdiff_t place) const {
        int const r = static_cast<int>(place), target = targets[r], classes = logits.columns;
        T const* const row = logits.row(r);
        T* const out = gradient.row(r);
        loss[r] = 0, correct[r] = 0;
        if (target == ignore_index) {
            for (int c = 0; c < classes; ++c) out[c] = T(0);
            return;
        }
        int best = 0;
        T largest = row[0];  // as std::max_element sees it, which takes no NaN for an answer but the first
        for (int c = 1; c < classes; ++c) {
            if (largest < row[c]) largest = row[c];
            bool const best_is_nan = row[best] != row[best], is_nan = row[c] != row[c];
            if (!best_is_nan && (row[c] > row[best] || is_nan)) best = c;
        }
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += ::exp(static_cast<double>(row[c]) - static_cast<double>(largest));
        double const log_sum = static_cast<double>(largest) + ::log(sum), weight = weight_of(target);
        double total = sharp * weight * (log_sum - static_cast<double>(row[target]));
        if (smooth > 0)
            for (int c = 0; c < classes; ++c) total += smooth * weight_of(c) * (log_sum - static_cast<double>(row[c]));
        double const on_row = sharp * weight + smooth * all_weights;
        for (int c = 0; c < classes; ++c) {
            double const on_class = smooth * weight_of(c) + (c == target ? sharp * weight : 0);
            out[c] = static_cast<T>((::exp(static_cast<double>(row[c]) - log_sum) * on_row - on_class) / divisor);
        }
        loss[r] = total, correct[r] = best == target;
    }
};

}  // namespace detail

// logits [n, C], targets [n] in [0, C) or ignore_index, gradient [n, C]: of the loss, overwritten. Waits for the
// device. Throws argument_error for a target out of bounds.
template <on_machine Device, class T>
cross_entropy_result softmax_cross_entropy(Device const& device, cross_entropy_request const& request,
                                           matrix_view<T const> logits, std::span<int const> targets,
                                           matrix_view<T> gradient) {
    int const classes = logits.columns;
    cross_entropy_result result = count_targets(request, targets, classes);
    double all_weights = 0;
    for (int c = 0; c < classes; ++c) all_weights += request.weight_of(c);
    double const divisor = request.divisor(result.weight);
    std::size_t const n = targets.size();
    auto& machine = *device.machine;
    double* const loss = machine.template room<double>(2 * n);
    int* const correct = reinterpret_cast<int*>(loss + n);
    machine.each(
        static_cast<std::ptrdiff_t>(n),
        detail::cross_entropy_row<T>{logits, gradient, machine.upload(targets),
                                     request.class_weights.empty() ? nullptr : machine.upload(request.class_weights),
                                     request.ignore_index, request.label_smoothing / classes,
                                     1 - request.label_smoothing, all_weights, divisor, loss, correct});
    std::vector<double> losses(n);
    std::vector<int> right(n);
    machine.to_host(loss, n * sizeof(double), losses.data());
    machine.to_host(correct, n * sizeof(int), right.data());
    for (std::size_t r = 0; r < n; ++r) result.loss += losses[r], result.correct += right[r];
    result.loss /= divisor;
    return result;
}

}  // namespace sequent
