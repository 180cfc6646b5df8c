// Weights of LSTM, GRU and dense layers from the JSON files of RTNeural, https://github.com/jatinchowdhury18/RTNeural:
// its own form, a list of layers in Keras's layout, and its form for PyTorch, a state_dict as nested lists.
#pragma once

#include <functional>
#include <map>

#include "file.hpp"
#include "json.hpp"

namespace sequent {

struct rtneural_limits {
    std::size_t max_file = std::size_t{256} << 20;  // bytes; numbers as short as "0," need 8 bytes each
};

struct rtneural_tensor {
    std::vector<std::size_t> shape;  // [columns] or [rows, columns], none of them 0
    std::vector<double> values;      // row-major, finite
};

// weights: as Keras's get_weights() gives them. LSTM: [I, 4 * H] i f c o, [H, 4 * H], [4 * H]. GRU: [I, 3 * H] z r h,
// [H, 3 * H], [2, 3 * H]. Dense: [I, H], [H].
struct rtneural_layer {
    enum class kind { lstm, gru, dense };
    kind type = kind::dense;
    std::size_t inputs = 0, outputs = 0;  // I, H
    std::vector<rtneural_tensor> weights;
};

// One of the two is empty.
struct rtneural_network {
    std::vector<rtneural_layer> layers;                           // RTNeural's own form
    std::map<std::string, rtneural_tensor, std::less<>> tensors;  // its form for PyTorch, by PyTorch's names
};

namespace detail {

inline std::string in_brackets(std::size_t index) { return "[" + std::to_string(index) + "]"; }

// Numbers, or rows of as many numbers each.
inline rtneural_tensor read_rtneural_tensor(json_reader& json) {
    std::vector<double> values;
    std::size_t rows = 0;
    auto const read_number = [&](std::size_t i) {
        json.place += in_brackets(i);
        values.push_back(json.number());
    };
    json.array([&](std::size_t i) {
        if (i == 0 ? json.kind() != "array" : rows == 0) return read_number(i);
        json.place += in_brackets(i);
        std::size_t const before = values.size();
        json.array(read_number);
        std::size_t const columns = values.size() - before;
        if (columns * ++rows != values.size() || columns == 0)
            json.fail("a row of ", columns, " numbers", rows > 1 ? ", unlike those before" : "");
    });
    if (values.empty()) json.fail("has no numbers");
    if (rows == 0) return {{values.size()}, std::move(values)};
    return {{rows, values.size() / rows}, std::move(values)};
}

// The last of the extents; those of batch and time before it may be null.
inline std::size_t read_rtneural_extent(json_reader& json) {
    std::uint64_t extent = 0;
    json.array([&](std::size_t i) {
        if (i == 4) json.fail("more than 4 extents");
        extent = json.accept("null") ? 0 : json.whole_number();
    });
    if (extent == 0 || extent > INT32_MAX) json.fail("the last extent is ", extent, "; expected 1 to ", INT32_MAX);
    return extent;
}

inline rtneural_layer read_rtneural_layer(json_reader& json) {
    using kind = rtneural_layer::kind;
    static std::map<std::string_view, kind> const kinds{
        {"lstm", kind::lstm}, {"gru", kind::gru}, {"dense", kind::dense}, {"time-distributed-dense", kind::dense}};
    rtneural_layer layer;
    std::string activation;
    std::set<std::string_view> missing{"type", "shape", "weights"};
    json.object([&](std::string const& key) {
        if (missing.erase(key) == 0 && key != "activation") json.fail("unknown key ", in_quotes(key));
        json.place += "." + key;
        if (key == "activation") {
            activation = json.string();
        } else if (key == "shape") {
            layer.outputs = read_rtneural_extent(json);
        } else if (key == "type") {
            std::string const name = json.string();
            auto const found = kinds.find(name);
            if (found == kinds.end())
                json.fail("unsupported layer ", in_quotes(name), "; lstm, gru and dense are read");
            layer.type = found->second;
        } else {
            json.array([&](std::size_t i) {
                json.place += in_brackets(i);
                if (i == 3) json.fail("more than 3 weights");
                layer.weights.push_back(read_rtneural_tensor(json));
            });
        }
    });
    if (!missing.empty()) json.fail("missing key ", in_quotes(*missing.begin()));
    // Keras's exporter names the tanh that RTNeural's LSTM and GRU always have.
    if (!activation.empty() && (layer.type == kind::dense || activation != "tanh"))
        json.fail("unsupported activation ", in_quotes(activation));
    return layer;
}

// Sets the layers' inputs. Every layer's weights must fit the outputs of the layer before.
inline void check_rtneural_layers(std::vector<rtneural_layer>& layers, std::size_t inputs, std::string_view file) {
    for (std::size_t k = 0; k < layers.size(); ++k) {
        auto& [type, in, h, weights] = layers[k];
        in = std::exchange(inputs, h);
        bool const gru = type == rtneural_layer::kind::gru;
        std::size_t const columns = (type == rtneural_layer::kind::lstm ? 4 : gru ? 3 : 1) * h;
        std::vector<std::vector<std::size_t>> expected{{in, columns}, {columns}};
        if (type != rtneural_layer::kind::dense) expected.insert(expected.begin() + 1, {h, columns});
        if (gru) expected.back() = {2, columns};
        std::string const where = message("layers[", k, "].weights");
        if (weights.size() != expected.size())
            throw file_error(file, where, weights.size(), " lists, expected ", expected.size(), " (with bias",
                             gru ? ", reset_after=True)" : ")");
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (weights[i].shape != expected[i])
                throw file_error(file, where + in_brackets(i), "has shape ", nlohmann::json(weights[i].shape).dump(),
                                 ", expected ", nlohmann::json(expected[i]).dump());
    }
}

}  // namespace detail

// The network of a file in memory; name stands in the messages. Throws file_error, naming the place in the document:
// not JSON, an unknown, duplicate or missing key, another layer or activation than those above, a shape that does not
// fit the layers, a number that is not finite.
[[nodiscard]] inline rtneural_network parse_rtneural(std::span<std::byte const> file, std::string_view name) {
    detail::json_reader json({reinterpret_cast<char const*>(file.data()), file.size()}, name);
    rtneural_network network;
    auto& layers = network.layers;
    auto& tensors = network.tensors;
    bool has_layers = false;
    std::size_t inputs = 0;  // 0: no in_shape
    json.object([&](std::string const& key) {
        bool const own = key == "layers" || key == "in_shape";
        if (own ? !tensors.empty() : has_layers || inputs > 0) json.fail("unknown key ", in_quotes(key));
        json.place = own ? key : in_quotes(key);
        if (!own) {
            tensors[key] = detail::read_rtneural_tensor(json);
        } else if (key == "in_shape") {
            inputs = detail::read_rtneural_extent(json);
        } else {
            has_layers = true;
            json.array([&](std::size_t k) {
                json.place += detail::in_brackets(k);
                layers.push_back(detail::read_rtneural_layer(json));
            });
        }
    });
    json.end();
    if (has_layers != (inputs > 0)) json.fail(has_layers ? "missing key 'in_shape'" : "missing key 'layers'");
    if (layers.empty() && tensors.empty()) json.fail("no layers and no tensors");
    detail::check_rtneural_layers(layers, inputs, name);
    return network;
}

// As above, of the file at path.
[[nodiscard]] inline rtneural_network read_rtneural(std::filesystem::path const& path,
                                                    rtneural_limits const& limits = {}) {
    return parse_rtneural(read_file(path, limits.max_file), path.string());
}

}  // namespace sequent
