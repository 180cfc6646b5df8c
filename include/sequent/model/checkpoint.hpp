// A model's weights as a safetensors file, by PyTorch's names and shapes: what torch's state_dict, saved by
// safetensors.torch.save_file, loads into and comes from. Not in the umbrella: it brings JSON.
#pragma once

#include "../io/safetensors.hpp"
#include "model.hpp"

namespace sequent {

using file_metadata = std::map<std::string, std::string, std::less<>>;

namespace detail {

// A tensor of a file that is to become the parameter of its name. place: how messages call it.
template <class Scalar>
struct loaded_tensor {
    std::string place;
    std::vector<std::size_t> shape;
    std::vector<Scalar> values;
};
template <class Scalar>
using loaded_tensors = std::map<std::string, loaded_tensor<Scalar>, std::less<>>;

std::string shape_text(auto const& shape) {
    std::string text = "[";
    for (auto const extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    return text + "]";
}

// The place of the first number that is not finite, or the number of them all.
std::size_t first_non_finite(auto const& values) {
    auto const bad = std::ranges::find_if_not(values, [](auto value) { return std::isfinite(value); });
    return static_cast<std::size_t>(bad - values.begin());
}

inline bool has(std::vector<parameter_info> const& parameters, std::string_view name) {
    return std::ranges::find(parameters, name, &parameter_info::name) != parameters.end();
}

template <class Scalar>
loaded_tensor<Scalar> read_tensor(safetensors const& file, std::string const& name) {
    return {"tensor " + in_quotes(name), file.at(name).shape, file.values<Scalar>(name)};
}

// Throws file_error unless names and shapes are those of the parameters, and the numbers finite.
template <class Scalar>
void check_tensors(std::vector<parameter_info> const& parameters, std::string_view file,
                   loaded_tensors<Scalar> const& tensors) {
    for (auto const& [name, tensor] : tensors)
        if (!has(parameters, name)) throw file_error(file, tensor.place, "the model has no such parameter");
    for (parameter_info const& parameter : parameters) {
        auto const found = tensors.find(parameter.name);
        if (found == tensors.end())
            throw file_error(file, message("tensor '", parameter.name, "'"), "missing; the model needs it");
        auto const& [place, shape, values] = found->second;
        if (!std::ranges::equal(shape, parameter.shape, [](auto a, auto b) { return std::cmp_equal(a, b); }))
            throw file_error(file, place, "has shape ", shape_text(shape), "; the model needs ",
                             shape_text(parameter.shape));
        if (std::size_t const bad = first_non_finite(values); bad < values.size())
            throw file_error(file, place, "holds ", values[bad], " at place ", bad);
    }
}

// Sets all parameters, or throws file_error and sets none.
template <class Model>
void assign_all(Model& model, std::string_view file, loaded_tensors<typename Model::scalar> const& tensors) {
    check_tensors(model.parameters(), file, tensors);
    for (parameter_info const& parameter : model.parameters())
        model.assign(parameter, tensors.at(parameter.name).values);
}

// Adds a tensor to a file that is to be written to `path`; numbers must live until then. numeric_error: not finite.
void add_tensor(safetensors_writer& file, std::filesystem::path const& path, parameter_info const& as,
                auto const& numbers) {
    if (std::size_t const bad = first_non_finite(numbers); bad < numbers.size())
        throw numeric_error("sequent::save: '", as.name, "' holds ", numbers[bad], " at place ", bad,
                            "; nothing was written to ", path.string());
    file.add(as.name, std::vector<std::size_t>(as.shape.begin(), as.shape.end()), std::span(numbers));
}

// Of the file of a whole training (train/checkpoint.hpp): how its metadata and the optimizer's tensors are called.
inline constexpr std::string_view training_key = "training.", moment_key = "optimizer.";

}  // namespace detail

// Writes all parameters, or leaves the file at `path` as it was. metadata is kept beside "format" = "pt". While a
// training lives, the rows of its embeddings are written caught up, and no later step changes by it. file_error when
// the file cannot be written, numeric_error when a parameter is not finite, argument_error for metadata that is not
// UTF-8 or holds "format".
template <class Model>
void save(Model& model, std::filesystem::path const& path, file_metadata const& metadata = {}) {
    safetensors_writer file;
    file.metadata("format", "pt");
    for (auto const& [key, value] : metadata) file.metadata(key, value);
    std::vector<std::vector<typename Model::scalar>> tensors;  // the writer keeps views of them
    for (parameter_info const& parameter : model.parameters())
        detail::add_tensor(file, path, parameter, tensors.emplace_back(model.values(parameter)));
    file.write(path);
}

// Sets all parameters from a file and returns its metadata. Strict: file and model must hold the same names with the
// same shapes, and the numbers must be finite; F16, BF16, F32 and F64 are converted to the model's scalar. Of a whole
// training (train/checkpoint.hpp) it reads the weights.
// Throws file_error, naming the tensor; the model is then as before.
template <class Model>
file_metadata load(Model& model, std::filesystem::path const& path) {
    using scalar = typename Model::scalar;
    safetensors const file = safetensors::read(path);
    bool const of_training = file.metadata().contains(message(detail::training_key, "rule"));
    detail::loaded_tensors<scalar> tensors;
    for (auto const& [name, tensor] : file.tensors())
        if (!(of_training && name.starts_with(detail::moment_key)) || detail::has(model.parameters(), name))
            tensors.emplace(name, detail::read_tensor<scalar>(file, name));
    detail::assign_all(model, path.string(), tensors);
    return file.metadata();
}

}  // namespace sequent
