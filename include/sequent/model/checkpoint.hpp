// A model's weights as a safetensors file, by PyTorch's names and shapes: what torch's state_dict, saved by
// safetensors.torch.save_file, loads into and comes from. Not in the umbrella: it brings JSON.
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "../io/safetensors.hpp"
#include "../io/safetensors_writer.hpp"
#include "model.hpp"

namespace sequent {

using file_metadata = std::map<std::string, std::string, std::less<>>;

// Writes all parameters, or leaves the file at `path` as it was. metadata is kept beside "format" = "pt".
// Throws file_error when the file cannot be written, numeric_error when a parameter is not finite.
template <class Model>
void save(Model& model, std::filesystem::path const& path, file_metadata const& metadata = {}) {
    safetensors_writer file;
    file.metadata("format", "pt");
    for (auto const& [key, value] : metadata) file.metadata(key, value);
    std::vector<std::vector<typename Model::scalar>> tensors;  // the writer keeps views of them
    for (parameter_info const& parameter : model.parameters()) {
        tensors.push_back(model.values(parameter));
        auto const& values = tensors.back();
        auto const bad = std::ranges::find_if_not(values, [](auto value) { return std::isfinite(value); });
        if (bad != values.end())
            throw numeric_error(message("sequent::save: '", parameter.name, "' holds ", *bad, " at place ",
                                        bad - values.begin(), "; nothing was written to ", path.string()));
        file.add(parameter.name, std::vector<std::size_t>(parameter.shape.begin(), parameter.shape.end()),
                 std::span(values));
    }
    file.write(path);
}

// Sets all parameters from a file and returns its metadata. Strict: file and model must hold the same names with the
// same shapes; half, float and double are converted. Throws file_error, naming the tensor; the model is then as before.
template <class Model>
file_metadata load(Model& model, std::filesystem::path const& path) {
    using scalar = typename Model::scalar;
    safetensors const file = safetensors::read(path);
    std::vector<parameter_info> const parameters = model.parameters();
    auto const shape_text = [](auto const& shape) {
        std::string text = "[";
        for (auto const extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    };
    for (auto const& [name, tensor] : file.tensors())
        if (std::ranges::find(parameters, name, &parameter_info::name) == parameters.end())
            throw file_error(path.string(), message("tensor '", name, "'"), "the model has no such parameter");
    std::vector<std::vector<scalar>> tensors;
    for (parameter_info const& parameter : parameters) {
        std::string const place = message("tensor '", parameter.name, "'");
        if (!file.contains(parameter.name)) throw file_error(path.string(), place, "missing; the model needs it");
        if (!std::ranges::equal(file.at(parameter.name).shape, parameter.shape,
                                [](auto a, auto b) { return a == static_cast<std::size_t>(b); }))
            throw file_error(path.string(), place,
                             message("has shape ", shape_text(file.at(parameter.name).shape), "; the model needs ",
                                     shape_text(parameter.shape)));
        tensors.push_back(file.values<scalar>(parameter.name));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) model.assign(parameters[i], tensors[i]);
    return {file.metadata().begin(), file.metadata().end()};
}

}  // namespace sequent
