// A model's weights from the JSON files of RTNeural: LSTM, GRU and dense layers. Not in the umbrella: it brings JSON.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "../io/rtneural.hpp"
#include "checkpoint.hpp"
#include "gate_order.hpp"
#include "model.hpp"

namespace sequent {

struct rtneural_options {
    // Of a state_dict: only tensors whose names begin so are read, and the model's names lack it.
    std::string prefix = {};
};

namespace detail {

// The layers of a file under the names of the model's parameters, in whose order they must stand.
class rtneural_names {
  public:
    // states: the names of the model's states, which tell an LSTM from a GRU and both from a cell of the user's.
    rtneural_names(std::string_view file, std::vector<parameter_info> const& parameters,
                   std::vector<std::string> const& states)
        : file_(file), parameters_(parameters), states_(states) {}

    [[nodiscard]] loaded_tensors<double> operator()(std::vector<rtneural_layer>&& layers) {
        for (rtneural_layer& layer : layers) {
            place_ = message("layers[", layer_++, "]");
            if (next_ == parameters_.size()) fail("the model has no layer left for it");
            if (layer.type == rtneural_layer::kind::dense)
                add_dense(layer);
            else
                add_recurrent(layer);
        }
        return std::move(tensors_);
    }

  private:
    void add_dense(rtneural_layer& layer) {
        parameter_info const& weight = parameters_[next_];
        std::string const scope = scope_of(weight.name);
        if (weight.table >= 0 || weight.name != scope + "weight")
            fail(message("is dense; the model's next layer, that of '", weight.name, "', is not"));
        add(scope + "weight", {layer.outputs, layer.inputs}, transposed<double>(layer.weights[0].values, layer.inputs));
        add(scope + "bias", {layer.outputs}, std::move(layer.weights[1].values));
    }

    void add_recurrent(rtneural_layer& layer) {
        bool const is_lstm = layer.type == rtneural_layer::kind::lstm;
        std::string const& name = parameters_[next_].name;
        std::string const scope = scope_of(name);
        std::string_view const stem = "weight_ih";
        std::string const depth = name.substr(std::min(name.size(), scope.size() + stem.size()));  // "_l0"
        auto const has_state = [&](std::string_view state) {
            return std::ranges::find(states_, message(scope, state, depth)) != states_.end();
        };
        if (name != message(scope, stem, depth) || depth.ends_with("_reverse") || has_state("c") != is_lstm)
            fail(message("is ", is_lstm ? "an LSTM" : "a GRU", "; the model's next layer, that of '", name,
                         "', is not"));
        gate_weights<double> weights = from_keras(is_lstm ? gated_cell::lstm : gated_cell::gru, layer.weights[0].values,
                                                  layer.weights[1].values, layer.weights[2].values);
        std::size_t const gate_rows = weights.bias_ih.size();
        add(scope + "weight_ih" + depth, {gate_rows, layer.inputs}, std::move(weights.weight_ih));
        add(scope + "weight_hh" + depth, {gate_rows, layer.outputs}, std::move(weights.weight_hh));
        add(scope + "bias_ih" + depth, {gate_rows}, std::move(weights.bias_ih));
        add(scope + "bias_hh" + depth, {gate_rows}, std::move(weights.bias_hh));
    }

    // "rnn." of "rnn.weight_ih_l0"
    static std::string scope_of(std::string const& name) { return name.substr(0, name.rfind('.') + 1); }

    void add(std::string name, std::vector<std::size_t> shape, std::vector<double> values) {
        std::string place = message(place_, " as '", name, "'");
        tensors_.emplace(std::move(name), loaded_tensor<double>{std::move(place), std::move(shape), std::move(values)});
        ++next_;
    }
    [[noreturn]] void fail(std::string_view what) { throw file_error(file_, place_, what); }

    std::string_view file_;
    std::vector<parameter_info> const& parameters_;
    std::vector<std::string> const& states_;
    std::string place_;
    std::size_t layer_ = 0, next_ = 0;  // in the file; among the parameters
    loaded_tensors<double> tensors_;
};

inline loaded_tensors<double> without_prefix(std::string_view file, rtneural_network&& network,
                                             std::string const& prefix) {
    loaded_tensors<double> tensors;
    for (auto& [name, tensor] : network.tensors)
        if (name.starts_with(prefix))
            tensors.emplace(name.substr(prefix.size()),
                            loaded_tensor<double>{in_quotes(name), std::move(tensor.shape), std::move(tensor.values)});
    if (tensors.empty()) throw file_error(file, "", message("no tensor's name begins with ", in_quotes(prefix)));
    return tensors;
}

}  // namespace detail

// Sets all parameters from a file of RTNeural's. In its own form (a list of layers) the file's layers must be those of
// the model in order, wherever they have parameters; in its form for PyTorch, names and shapes must be the model's.
// Throws file_error, naming the place in the document; the model is then as before.
template <class Model>
void load_rtneural(Model& model, std::filesystem::path const& path, rtneural_options const& options = {}) {
    using scalar = typename Model::scalar;
    std::string const file = path.string();
    rtneural_network network = read_rtneural(path);
    detail::loaded_tensors<double> found;
    if (network.layers.empty()) {
        found = detail::without_prefix(file, std::move(network), options.prefix);
    } else {
        if (!options.prefix.empty()) throw file_error(file, "", "has layers without names, so no prefix fits");
        std::vector<parameter_info> const parameters = model.parameters();
        std::vector<std::string> states;
        for (auto const& state : model.zero_states(1).entries) states.push_back(state.name);
        found = detail::rtneural_names(file, parameters, states)(std::move(network.layers));
    }
    detail::loaded_tensors<scalar> tensors;
    for (auto& [name, tensor] : found) {
        for (std::size_t i = 0; i < tensor.values.size(); ++i)
            if (std::abs(tensor.values[i]) > std::numeric_limits<scalar>::max())
                throw file_error(file, tensor.place, message("number ", i, " is beyond the range of float"));
        auto& [place, shape, values] = tensors[name];
        place = std::move(tensor.place), shape = std::move(tensor.shape);
        values.assign(tensor.values.begin(), tensor.values.end());
    }
    detail::assign_all(model, file, tensors);
}

}  // namespace sequent
