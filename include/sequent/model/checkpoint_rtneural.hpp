// A model's weights from the JSON files of RTNeural: LSTM, GRU and dense layers. Not in the umbrella: it brings JSON.
#pragma once

#include "../io/rtneural.hpp"
#include "checkpoint.hpp"
#include "gate_order.hpp"

namespace sequent {

struct rtneural_options {
    // Of a state_dict: only tensors whose names begin so are read, and the model's names lack it.
    std::string prefix = {};
};

namespace detail {

// The layers of a file as the model's parameters, in whose order they must stand. states: the names of the model's
// states, which tell an LSTM from a GRU.
inline loaded_tensors<double> named_after(std::vector<parameter_info> const& parameters,
                                          std::vector<std::string> const& states, std::string_view file,
                                          std::vector<rtneural_layer>&& layers) {
    using kind = rtneural_layer::kind;
    loaded_tensors<double> tensors;
    std::size_t next = 0;
    for (std::size_t k = 0; k < layers.size(); ++k) {
        auto& [type, inputs, outputs, given] = layers[k];
        std::string const place = message("layers[", k, "]");
        if (next >= parameters.size()) throw file_error(file, place, "the model has no layer left for it");
        std::string const& name = parameters[next].name;
        std::string const scope = name.substr(0, name.rfind('.') + 1);  // "rnn."
        std::string const stem = scope + (type == kind::dense ? "weight" : "weight_ih");
        std::string const end = name.substr(std::min(name.size(), stem.size()));  // "", or "_l0"
        bool const has_c = std::ranges::find(states, scope + "c" + end) != states.end();
        bool const fits = type == kind::dense ? end.empty() && parameters[next].table < 0
                                              : !end.ends_with("_reverse") && has_c == (type == kind::lstm);
        if (!name.starts_with(stem) || !fits)
            throw file_error(file, place, "is ",
                             std::array{"an LSTM", "a GRU", "dense"}[static_cast<std::size_t>(type)],
                             "; the model's next layer, that of '", name, "', is not");
        auto const add = [&](std::string const& tensor, std::vector<std::size_t> shape, std::vector<double> values) {
            tensors[scope + tensor] = {message(place, " as '", scope, tensor, "'"), std::move(shape),
                                       std::move(values)};
            ++next;
        };
        if (type == kind::dense) {
            add("weight", {outputs, inputs}, transposed<double>(given[0].values, inputs));
            add("bias", {outputs}, std::move(given[1].values));
        } else {
            auto weights = from_keras(type == kind::lstm ? gated_cell::lstm : gated_cell::gru, given[0].values,
                                      given[1].values, given[2].values);
            std::size_t const gate_rows = weights.bias_ih.size();
            add("weight_ih" + end, {gate_rows, inputs}, std::move(weights.weight_ih));
            add("weight_hh" + end, {gate_rows, outputs}, std::move(weights.weight_hh));
            add("bias_ih" + end, {gate_rows}, std::move(weights.bias_ih));
            add("bias_hh" + end, {gate_rows}, std::move(weights.bias_hh));
        }
    }
    return tensors;
}

}  // namespace detail

// Sets all parameters from a file of RTNeural's. In its own form (a list of layers) the file's layers must be those of
// the model in order, wherever they have parameters; in its form for PyTorch, names and shapes must be the model's.
// Throws file_error, naming the place in the document; the model is then as before.
template <class Model>
void load_rtneural(Model& model, std::filesystem::path const& path, rtneural_options const& options = {}) {
    using scalar = typename Model::scalar;
    std::string const file = path.string(), &prefix = options.prefix;
    rtneural_network network = read_rtneural(path);
    detail::loaded_tensors<double> found;
    for (auto& [name, tensor] : network.tensors)
        if (name.starts_with(prefix))
            found[name.substr(prefix.size())] = {in_quotes(name), std::move(tensor.shape), std::move(tensor.values)};
    if (network.layers.empty() && found.empty())
        throw file_error(file, "", "no tensor's name begins with ", in_quotes(prefix));
    if (!network.layers.empty()) {
        if (!prefix.empty()) throw file_error(file, "", "has layers without names, so no prefix fits");
        std::vector<std::string> states;
        for (auto const& state : model.zero_states(1).entries) states.push_back(state.name);
        found = detail::named_after(model.parameters(), states, file, std::move(network.layers));
    }
    detail::loaded_tensors<scalar> tensors;
    for (auto& [name, tensor] : found) {
        for (std::size_t i = 0; i < tensor.values.size(); ++i)
            if (std::abs(tensor.values[i]) > std::numeric_limits<scalar>::max())
                throw file_error(file, tensor.place, "number ", i, " is beyond the range of float");
        tensors[name] = {tensor.place, tensor.shape, {tensor.values.begin(), tensor.values.end()}};
    }
    detail::assign_all(model, file, tensors);
}

}  // namespace sequent
