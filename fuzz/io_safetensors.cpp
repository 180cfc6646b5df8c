// Any bytes: refused with file_error, or sound: every value can be read, and writing and reading again changes nothing.
#include <cstdint>
#include <cstdlib>

#include "sequent/io/safetensors.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

template <class Number>
void touch(sequent::safetensors const& file, std::string const& name) {
    try {
        require(file.values<Number>(name).size() == file.at(name).size());
    } catch (sequent::file_error const&) {  // another type
    }
}

std::vector<std::byte> rewritten(sequent::safetensors const& file) {
    sequent::safetensors_writer writer;
    for (auto const& [key, value] : file.metadata()) writer.metadata(key, value);
    for (auto const& [name, tensor] : file.tensors()) writer.add(name, tensor.dtype, tensor.shape, file.bytes(name));
    return writer.bytes();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) try {
    auto const bytes = std::as_bytes(std::span(data, size));
    auto const file = sequent::safetensors({bytes.begin(), bytes.end()}, "fuzz");
    auto const again = sequent::safetensors(rewritten(file), "rewritten");
    require(again.metadata() == file.metadata());
    require(again.tensors().size() == file.tensors().size());
    for (auto const& [name, tensor] : file.tensors()) {
        touch<float>(file, name);
        touch<double>(file, name);
        touch<std::int64_t>(file, name);
        touch<std::uint8_t>(file, name);
        require(again.at(name).dtype == tensor.dtype);
        require(again.at(name).shape == tensor.shape);
        require(std::ranges::equal(again.bytes(name), file.bytes(name)));
    }
    require(rewritten(again) == rewritten(file));
    return 0;
} catch (sequent::file_error const& error) {
    require(!std::string_view(error.what()).starts_with("rewritten"));
    return 0;
}
