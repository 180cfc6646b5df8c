// The L2 norm of all gradients of a model, and PyTorch's clip_grad_norm_.
#pragma once

#include <cmath>

#include "../core/error.hpp"
#include "../core/matrix.hpp"

namespace sequent {

namespace detail {

// f(parameter, its gradient: as a matrix, or the touched rows of a table) for each that is not frozen, in their order.
void each_gradient(auto& model, auto const& f) {
    for (auto const& one : model.parameters()) {
        if (one.frozen) continue;
        int const rows = one.shape.empty() ? 1 : std::max(one.shape.front(), 1);  // no shape: a single number
        int const columns = static_cast<int>(one.size() / static_cast<std::size_t>(rows));
        f(one, one.table >= 0 ? model.table(one).gradient_rows()
                              : matrix_view(model.gradient_block() + one.offset, rows, columns));
    }
}

// f(name, sum of the squares of its gradient) for each of them. in_order: the sum is that of a table's dense gradient,
// whose rows ascend; else faster, for whoever only asks whether all are finite.
void each_squared_gradient(auto& model, bool in_order, auto const& f) {
    each_gradient(model, [&](auto const& of, auto const& gradient) {
        f(of.name, in_order && of.table >= 0 ? model.table(of).sum_of_squared_gradients(model.device())
                                             : sum_of_squares(model.device(), gradient.data, gradient.size()));
    });
}
double norm_of_gradients(auto& model, bool in_order) {
    double sum = 0;
    each_squared_gradient(model, in_order, [&](std::string const&, double squares) { sum += squares; });
    return std::sqrt(sum);
}

// Scales all gradients by min(1, max_norm / (norm + 1e-6)); NaN stays.
template <class Model>
void clip_gradients(Model& model, double norm, double max_norm) {
    double const ratio = max_norm / (norm + 1e-6);
    auto const factor = static_cast<typename Model::scalar>(ratio > 1 ? 1 : ratio);
    each_gradient(model, [&](auto const&, auto const& all) { scale(model.device(), all.data, all.size(), factor); });
}

}  // namespace detail

// Of the gradients of all parameters that are not frozen, as one vector; the same bits for the same gradients.
[[nodiscard]] double gradient_norm(auto& model) { return detail::norm_of_gradients(model, true); }

// The first parameter whose gradient, or its norm, is not finite; "" where there is none.
[[nodiscard]] std::string non_finite_gradient(auto& model) {
    std::string found;
    detail::each_squared_gradient(model, true, [&](std::string const& name, double squares) {
        if (found.empty() && !std::isfinite(squares)) found = name;
    });
    return found;
}

// What clip_norm does where the norm is infinite or NaN: PyTorch's error_if_nonfinite.
enum class if_non_finite { scale, error };

// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where norm is theirs before, which it returns. Throws
// argument_error unless max_norm >= 0. Where the norm is not finite: scales by it all the same, or throws
// numeric_error, naming the first bad parameter, and leaves the gradients.
double clip_norm(auto& model, double max_norm, if_non_finite bad = if_non_finite::scale) {
    require(max_norm >= 0, "sequent::clip_norm: max_norm is ", max_norm, "; give 0 or more");
    double const norm = gradient_norm(model);
    if (bad == if_non_finite::error && !std::isfinite(norm))
        throw numeric_error(message("sequent::clip_norm: the norm of the gradients is ", norm, ", first in '",
                                    non_finite_gradient(model), "'"));
    detail::clip_gradients(model, norm, max_norm);
    return norm;
}

}  // namespace sequent
