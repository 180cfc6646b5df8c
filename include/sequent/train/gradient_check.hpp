// Compares every gradient of a model with central differences: for your own cells and layers, as for ours.
#pragma once

#include <cmath>
#include <optional>

#include "../sequence/packed_sequence.hpp"

namespace sequent {

struct gradient_check_options {
    double step = 1e-5;   // of the differences
    double floor = 1e-3;  // errors are relative to max(floor, |gradient|)
};

struct gradient_check_result {
    double worst = 0;       // the largest relative error, or NaN
    std::string parameter;  // where it was
    std::size_t place = 0;  // and at which number of it
    double analytic = 0, numeric = 0;
    std::size_t checked = 0;
};

// Runs the model (double; in evaluation mode, or dropout makes the loss jump) on one batch, with
// loss(device, output, targets, gradient), and differentiates by every parameter; frozen ones and padding rows, whose
// gradients are none, are left out. When it returns, the parameters are as before and the gradients are the batch's.
template <class Model, class Loss>
[[nodiscard]] gradient_check_result
gradient_check(Model& model, packed_sequence<typename Model::input_value> const& batch, std::span<int const> targets,
               Loss const& loss, gradient_check_options const& options = {}) {
    static_assert(std::is_same_v<typename Model::scalar, double>,
                  "sequent::gradient_check: differences need double; make it model<Network, cpu, double>");
    bool const was_training = model.is_training();
    model.eval();
    buffer_of<typename Model::backend_type, double> room;
    matrix_view<double> gradient;
    auto const run = [&] {
        matrix_view<double const> const logits(model.forward(batch));
        gradient = reserve_rows(room, logits.rows, logits.columns);
        return loss(model.device(), logits, targets, gradient).loss;
    };
    model.zero_gradients();
    run();
    model.backward(gradient);

    gradient_check_result result;
    for (auto const& parameter : model.parameters()) {
        if (parameter.frozen) continue;
        std::vector<double> values = model.values(parameter);
        std::vector<double> const analytic = model.gradient(parameter.name);
        std::size_t const width = parameter.shape.size() > 1 ? static_cast<std::size_t>(parameter.shape[1]) : 1;
        auto const padding = parameter.table < 0 ? std::nullopt : model.table(parameter).padding;
        for (std::size_t j = 0; j < values.size(); ++j) {
            if (padding && j / width == static_cast<std::size_t>(*padding)) continue;
            double const value = values[j];
            auto const loss_at = [&](double moved) {
                values[j] = moved;
                model.assign(parameter, values);
                return run();
            };
            double const numeric = (loss_at(value + options.step) - loss_at(value - options.step)) / (2 * options.step);
            values[j] = value;
            model.assign(parameter, values);
            double const error = std::abs(numeric - analytic[j]) / std::max(options.floor, std::abs(analytic[j]));
            ++result.checked;
            if (error > result.worst || (std::isnan(error) && !std::isnan(result.worst)))
                result = {error, parameter.name, j, analytic[j], numeric, result.checked};
        }
    }
    if (was_training) model.train();
    return result;
}

}  // namespace sequent
