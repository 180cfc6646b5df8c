// Tensors by name from a safetensors file, the format of checkpoints and of PyTorch's exported weights.
// The writer is safetensors_writer.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "bytes.hpp"
#include "file.hpp"
#include "safetensors_header.hpp"

namespace sequent {

// A whole file in memory, its header checked: what is asked for by name cannot reach outside the file.
class safetensors {
  public:
    // Throws file_error: unreadable, beyond a limit, or not exactly what the format demands.
    [[nodiscard]] static safetensors read(std::filesystem::path const& path, safetensors_limits const& limits = {}) {
        return parse(read_file(path, limits.max_file), path.string(), limits);
    }

    // As read, from the bytes of a file; name stands in the messages.
    [[nodiscard]] static safetensors parse(std::vector<std::byte> file, std::string name,
                                           safetensors_limits const& limits = {}) {
        return {std::move(file), std::move(name), limits};
    }

    // All tensors, by name in byte order; shape, dtype and size() of one are in at(name).
    [[nodiscard]] std::map<std::string, safetensors_tensor, std::less<>> const& tensors() const {
        return header_.tensors;
    }
    [[nodiscard]] std::map<std::string, std::string, std::less<>> const& metadata() const { return header_.metadata; }
    [[nodiscard]] bool contains(std::string_view name) const { return header_.tensors.contains(name); }

    // Throws file_error if there is no such tensor.
    [[nodiscard]] safetensors_tensor const& at(std::string_view name) const {
        auto const found = header_.tensors.find(name);
        if (found == header_.tensors.end())
            throw file_error(file_name_, "tensor " + in_quotes(name),
                             message("not found among the ", header_.tensors.size(), " tensors of the file"));
        return found->second;
    }

    // As the file holds them: row-major, little-endian. The view lives as long as this object.
    [[nodiscard]] std::span<std::byte const> bytes(std::string_view name) const {
        safetensors_tensor const& tensor = at(name);
        return std::span(file_).subspan(header_.data_begin + tensor.begin, tensor.end - tensor.begin);
    }

    // Row-major. F16, BF16, F32 and F64 are converted to float or double; an integer must have the file's own type.
    // Throws file_error: no such tensor, another type, or a finite F64 beyond the range of float.
    template <stored_number Number>
    [[nodiscard]] std::vector<Number> values(std::string_view name) const {
        std::vector<Number> numbers(at(name).size());
        copy_to(name, std::span(numbers));
        return numbers;
    }

    // As values, into memory of the caller's. Throws argument_error if it has not the tensor's number of elements.
    template <stored_number Number>
    void copy_to(std::string_view name, std::span<Number> numbers) const {
        safetensors_tensor const& tensor = at(name);
        auto const fail = [&](std::string_view what) {
            throw file_error(file_name_, "tensor " + in_quotes(name), what);
        };
        if (numbers.size() != tensor.size())
            throw argument_error(message("sequent::safetensors: tensor ", in_quotes(name), " has ", tensor.size(),
                                         " elements, the memory for it ", numbers.size()));
        auto const load_as = [&]<class Stored>(Stored) {
            if (auto const bad = load_numbers<Stored>(bytes(name), numbers))
                fail(message("element ", *bad, " is beyond the range of float"));
        };
        if (tensor.dtype == safetensors_dtype_of<Number>) return load_as(Number{});
        if constexpr (std::floating_point<Number>) {
            if (tensor.dtype == "F32") return load_as(float{});
            if (tensor.dtype == "F64") return load_as(double{});
            if (tensor.dtype == "F16") return load_as(float16_bits{});
            if (tensor.dtype == "BF16") return load_as(bfloat16_bits{});
        }
        fail(message("holds type ", tensor.dtype, ", which does not read as ", safetensors_dtype_of<Number>));
    }

  private:
    safetensors(std::vector<std::byte> file, std::string name, safetensors_limits const& limits)
        : file_(std::move(file)), file_name_(std::move(name)),
          header_(parse_safetensors_header(file_, file_name_, limits)) {}

    std::vector<std::byte> file_;
    std::string file_name_;
    safetensors_header header_;
};

}  // namespace sequent
