// Softmax cross-entropy and its gradient on the CPU, in double inside: a row's maximum is subtracted first, so no logit
// overflows.
#pragma once

#include <algorithm>
#include <cmath>

#include "../../core/matrix.hpp"
#include "../cross_entropy.hpp"

namespace sequent {

struct cpu;

// logits [n, C], targets [n] in [0, C) or ignore_index, gradient [n, C]: of the loss, overwritten.
// Throws argument_error for a target out of bounds.
template <class T>
cross_entropy_result softmax_cross_entropy(cpu const&, cross_entropy_request const& request,
                                           matrix_view<T const> logits, std::span<int const> targets,
                                           matrix_view<T> gradient) {
    int const classes = logits.columns;
    double const smooth = request.label_smoothing / classes, sharp = 1 - request.label_smoothing;
    double all_weights = 0;
    for (int c = 0; c < classes; ++c) all_weights += request.weight_of(c);

    cross_entropy_result result = count_targets(request, targets, classes);
    double const divisor = request.divisor(result.weight);

    double total = 0;
    for (int r = 0; r < logits.rows; ++r) {
        int const target = targets[static_cast<std::size_t>(r)];
        T const* const row = logits.row(r);
        T* const out = gradient.row(r);
        if (target == request.ignore_index) {
            std::fill_n(out, classes, T(0));
            continue;
        }
        T const* const best =
            std::max_element(row, row + classes, [](T a, T b) { return a < b || (std::isnan(b) && !std::isnan(a)); });
        double const largest = static_cast<double>(*best);
        double sum = 0;
        for (int c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(row[c]) - largest);
        double const log_sum = largest + std::log(sum), weight = request.weight_of(target);
        total += sharp * weight * (log_sum - static_cast<double>(row[target]));
        if (smooth > 0)
            for (int c = 0; c < classes; ++c)
                total += smooth * request.weight_of(c) * (log_sum - static_cast<double>(row[c]));
        // d/dz_c = (softmax_c * (all weights of the row) - the weight put on c) / divisor
        double const on_row = sharp * weight + smooth * all_weights;
        for (int c = 0; c < classes; ++c) {
            double const on_class = smooth * request.weight_of(c) + (c == target ? sharp * weight : 0);
            double const softmax = std::exp(static_cast<double>(row[c]) - log_sum);
            out[c] = static_cast<T>((softmax * on_row - on_class) / divisor);
        }
        result.correct += best - row == target;
    }
    result.loss = total / divisor;
    return result;
}

}  // namespace sequent
