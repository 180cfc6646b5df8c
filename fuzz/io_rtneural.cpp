// Any bytes: refused with file_error, or a network whose shapes fit its finite numbers and, in a list of layers, each
// other.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "sequent/io/rtneural.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(sequent::rtneural_tensor const& tensor) {
    std::size_t elements = 1;
    for (std::size_t const extent : tensor.shape) elements *= extent;
    require(tensor.shape.size() == 1 || tensor.shape.size() == 2);
    require(elements == tensor.values.size() && elements > 0);
    for (double const value : tensor.values) require(std::isfinite(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) try {
    auto const network = sequent::parse_rtneural(std::as_bytes(std::span(data, size)), "fuzz");
    require(network.layers.empty() != network.tensors.empty());
    for (auto const& [name, tensor] : network.tensors) check(tensor);
    for (std::size_t k = 0; k < network.layers.size(); ++k) {
        auto const& layer = network.layers[k];
        for (auto const& tensor : layer.weights) check(tensor);
        require(layer.inputs > 0 && layer.outputs > 0);
        require(k == 0 || layer.inputs == network.layers[k - 1].outputs);
        require(layer.weights.at(0).shape.at(0) == layer.inputs);
        std::size_t const gates = layer.type == sequent::rtneural_layer::kind::lstm  ? 4
                                  : layer.type == sequent::rtneural_layer::kind::gru ? 3
                                                                                     : 1;
        require(layer.weights.at(0).shape.at(1) == gates * layer.outputs);
        require(layer.weights.back().shape.back() == gates * layer.outputs);
        require(layer.weights.size() == (gates == 1 ? 2 : 3));
    }
    return 0;
} catch (sequent::file_error const&) {
    return 0;
}
