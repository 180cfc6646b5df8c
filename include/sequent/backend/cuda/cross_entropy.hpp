// Softmax cross-entropy and its gradient on the device, in double inside.
#pragma once

#include <algorithm>
#include <span>

#include "../../core/error.hpp"
#include "../cross_entropy.hpp"
#include "device_number.hpp"
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
        T largest = row[0];
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

// Adds the rows from `parts` on to the first `parts`.
struct fold_losses {
    double* loss;
    int* correct;
    std::ptrdiff_t n, parts;
    SEQUENT_HD void operator()(std::ptrdiff_t p) const {
        double sum = loss[p];  // not loss[p] itself: each load would wait for the sum before
        int right = correct[p];
        for (std::ptrdiff_t r = p + parts; r < n; r += parts) sum += loss[r], right += correct[r];
        loss[p] = sum, correct[p] = right;
    }
};
struct loss_and_correct {
    double loss;
    int correct;
};
struct sum_losses {
    double const* loss;
    int const* correct;
    std::ptrdiff_t n;
    double divisor;
    loss_and_correct* to;
    SEQUENT_HD void operator()(std::ptrdiff_t) const {
        loss_and_correct sum{0, 0};
        for (std::ptrdiff_t r = 0; r < n; ++r) sum.loss += loss[r], sum.correct += correct[r];
        *to = {sum.loss / divisor, sum.correct};
    }
};

}  // namespace detail

// logits [n, C], targets [n] in [0, C) or ignore_index, gradient [n, C]: of the loss, overwritten. Waits for nothing;
// whoever reads the loss does. Throws argument_error for a target out of bounds.
template <on_machine Device, class T>
auto softmax_cross_entropy(Device const& device, cross_entropy_request const& request, matrix_view<T const> logits,
                           std::span<int const> targets, matrix_view<T> gradient) {
    int const classes = logits.columns;
    cross_entropy_result const counted = count_targets(request, targets, classes);
    double all_weights = 0;
    for (int c = 0; c < classes; ++c) all_weights += request.weight_of(c);
    double const divisor = request.divisor(counted.weight);
    std::size_t const n = targets.size();
    auto& machine = *device.machine;
    double* const loss = machine.template room<double>(2 * n);
    int* const correct = reinterpret_cast<int*>(loss + n);
    std::ptrdiff_t const rows = static_cast<std::ptrdiff_t>(n), parts = std::min<std::ptrdiff_t>(rows, 64);
    machine.each(rows, detail::cross_entropy_row<T>{
                           logits, gradient, machine.upload(targets),
                           request.class_weights.empty() ? nullptr : machine.upload(request.class_weights),
                           request.ignore_index, request.label_smoothing / classes, 1 - request.label_smoothing,
                           all_weights, divisor, loss, correct});
    if (rows > parts) machine.each(parts, detail::fold_losses{loss, correct, rows, parts});
    using machine_type = typename Device::machine_type;
    device_number<machine_type, detail::loss_and_correct> const answer(machine, [&](detail::loss_and_correct* to) {
        machine.each(1, detail::sum_losses{loss, correct, parts, divisor, to});
    });
    return cross_entropy_answer<device_number<machine_type, double>, device_number<machine_type, int>>{
        answer.part(&detail::loss_and_correct::loss), counted.weight, answer.part(&detail::loss_and_correct::correct),
        counted.rows};
}

}  // namespace sequent
