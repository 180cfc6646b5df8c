// A model's weights from the JSON files of RTNeural, https://github.com/jatinchowdhury18/RTNeural: LSTM, GRU and dense
// layers, in its own form, a list of layers in Keras's layout, or in its form for PyTorch, a state_dict as nested
// lists. Not in the umbrella: it brings JSON.
#pragma once

#include "checkpoint.hpp"
#include "gate_order.hpp"

namespace sequent {

struct rtneural_options {
    // Of a state_dict: only tensors whose names begin so are taken, and the model's names lack it.
    std::string prefix = {};
    std::size_t max_file = std::size_t{64} << 20;  // bytes; reading it may take 40 times as much memory
};

namespace detail {

// Numbers, or rows of as many numbers each.
template <class Scalar>
loaded_tensor<Scalar> rtneural_tensor(json_value const& list) {
    loaded_tensor<Scalar> tensor{list.place, {}, {}};
    auto const append = [&](json_value const& row) {
        auto const& numbers = row.as<json_array>();
        if (numbers.empty()) row.fail("has no numbers");
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            if (!numbers[i].is_number()) row.element(i).fail("unexpected ", numbers[i].type_name());
            auto const number = numbers[i].get<double>();
            if (std::abs(number) > std::numeric_limits<Scalar>::max()) row.element(i).fail("beyond the range of float");
            tensor.values.push_back(static_cast<Scalar>(number));
        }
        return numbers.size();
    };
    auto const& rows = list.as<json_array>();
    if (rows.empty() || !rows.front().is_array()) {
        tensor.shape = {append(list)};
        return tensor;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (auto const columns = append(list.element(i)); columns != rows.front().size())
            list.element(i).fail("a row of ", columns, " numbers, unlike those before");
    tensor.shape = {rows.size(), rows.front().size()};
    return tensor;
}

// The last of the extents; those of batch and time before it may be null.
inline std::size_t rtneural_extent(json_value const& shape) {
    std::size_t const rank = shape.as<json_array>().size();
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < rank && rank <= 4; ++i)
        last = shape.element(i).json.is_null() ? 0 : shape.element(i).as<std::uint64_t>();
    if (rank > 4 || last == 0 || last > INT32_MAX)
        shape.fail("expected at most 4 extents, the last of them from 1 to ", INT32_MAX);
    return last;
}

// The layers of a file as the model's parameters, in whose order they must stand.
template <class Model, class Scalar = typename Model::scalar>
loaded_tensors<Scalar> rtneural_layers(Model& model, json_value const& file) {
    struct {
        std::string_view type, called;
        std::size_t gates;
    } constexpr kinds[] = {
        {"lstm", "an LSTM", 4}, {"gru", "a GRU", 3}, {"dense", "dense", 1}, {"time-distributed-dense", "dense", 1}};
    file.check_keys({"in_shape", "layers"});
    auto const layers = file.member("layers");
    auto const& parameters = model.parameters();
    auto const states = model.zero_states(1).entries;
    std::size_t inputs = rtneural_extent(file.member("in_shape")), next = 0;
    loaded_tensors<Scalar> tensors;
    for (std::size_t k = 0; k < layers.as<json_array>().size(); ++k) {
        auto const layer = layers.element(k);
        layer.check_keys({"shape", "type", "weights"}, {"activation"});
        auto const type = layer.member("type"), weights = layer.member("weights");
        auto const kind = std::ranges::find_if(kinds, [&](auto& one) { return one.type == type.as<std::string>(); });
        if (kind == std::end(kinds))
            type.fail("unsupported layer ", in_quotes(type.as<std::string>()), "; lstm, gru and dense are read");
        bool const lstm = kind->gates == 4, gru = kind->gates == 3, dense = kind->gates == 1;
        // Keras's exporter names the tanh that RTNeural's LSTM and GRU always have.
        if (layer.json.contains("activation"))
            if (auto const& of = layer.member("activation").as<std::string>(); of != "" && (dense || of != "tanh"))
                layer.fail("unsupported activation ", in_quotes(of));

        // As Keras's get_weights() gives them.
        std::size_t const outputs = rtneural_extent(layer.member("shape")), rows = kind->gates * outputs;
        std::vector<std::vector<std::size_t>> shapes{{inputs, rows}, {outputs, rows}, {rows}};
        if (dense) shapes.erase(shapes.begin() + 1);
        if (gru) shapes.back() = {2, rows};
        std::vector<std::vector<Scalar>> given;
        if (std::size_t const size = weights.as<json_array>().size(); size != shapes.size())
            weights.fail(size, " lists, expected ", shapes.size(), " (with bias", gru ? ", reset_after=True)" : ")");
        for (auto const& shape : shapes) {
            auto const list = weights.element(given.size());
            auto tensor = rtneural_tensor<Scalar>(list);
            if (tensor.shape != shape)
                list.fail("has shape ", shape_text(tensor.shape), ", expected ", shape_text(shape));
            given.push_back(std::move(tensor.values));
        }

        if (next >= parameters.size()) layer.fail("the model has no layer left for it");
        std::string const& name = parameters[next].name;
        std::string const scope = name.substr(0, name.rfind('.') + 1);  // "rnn."
        std::string const stem = scope + (dense ? "weight" : "weight_ih");
        std::string const end = name.substr(std::min(name.size(), stem.size()));               // "", or "_l0"
        auto const is_c = [&](auto const& state) { return state.name == scope + "c" + end; };  // an LSTM's
        bool const fits = dense ? end.empty() && parameters[next].table < 0
                                : !end.ends_with("_reverse") && std::ranges::any_of(states, is_c) == lstm;
        if (!name.starts_with(stem) || !fits)
            layer.fail("is ", kind->called, "; the model's next layer, that of '", name, "', is not");
        auto const add = [&](std::string const& tensor, std::vector<std::size_t> shape, std::vector<Scalar> values) {
            tensors[scope + tensor] = {message(layer.place, " as '", scope, tensor, "'"), shape, std::move(values)};
            ++next;
        };
        if (dense) {
            add("weight", {outputs, inputs}, transposed<Scalar>(given[0], inputs));
            add("bias", {outputs}, std::move(given[1]));
        } else {
            auto own = from_keras(lstm ? gated_cell::lstm : gated_cell::gru, given[0], given[1], given[2]);
            add("weight_ih" + end, {rows, inputs}, std::move(own.weight_ih));
            add("weight_hh" + end, {rows, outputs}, std::move(own.weight_hh));
            add("bias_ih" + end, {rows}, std::move(own.bias_ih));
            add("bias_hh" + end, {rows}, std::move(own.bias_hh));
        }
        inputs = outputs;
    }
    return tensors;
}

}  // namespace detail

// Sets all parameters from a file of RTNeural's in memory; name stands in the messages. In its own form (a list of
// layers) the file's layers must be those of the model in order, wherever they have parameters; in its form for
// PyTorch, names and shapes must be the model's. Throws file_error, naming the place in the document, or the byte; the
// model is then as before: not JSON, an unknown, duplicate or missing key, another layer or activation than those
// above, a shape that does not fit, a number that is not finite.
template <class Model>
void load_rtneural(Model& model, std::span<std::byte const> file, std::string const& name,
                   rtneural_options const& options = {}) {
    using scalar = typename Model::scalar;
    std::string const& prefix = options.prefix;
    auto const json = detail::parse_json({reinterpret_cast<char const*>(file.data()), file.size()}, name);
    detail::json_value const document{json, name, ""};
    detail::loaded_tensors<scalar> tensors;
    if (json.is_object() && (json.contains("layers") || json.contains("in_shape"))) {
        if (!prefix.empty()) document.fail("has layers without names, so no prefix fits");
        tensors = detail::rtneural_layers(model, document);
    } else {
        for (auto const& [key, list] : document.as<detail::json_object>()) {
            detail::json_value const named{list, name, in_quotes(key)};
            if (key.starts_with(prefix))
                tensors[key.substr(prefix.size())] = detail::rtneural_tensor<scalar>(named);
            else
                (void)detail::rtneural_tensor<double>(named);
        }
    }
    if (tensors.empty()) document.fail("no layers, and no tensors whose names begin with ", in_quotes(prefix));
    detail::assign_all(model, name, tensors);
}

// As above, of the file at path.
template <class Model>
void load_rtneural(Model& model, std::filesystem::path const& path, rtneural_options const& options = {}) {
    load_rtneural(model, read_file(path, options.max_file), path.string(), options);
}

}  // namespace sequent
