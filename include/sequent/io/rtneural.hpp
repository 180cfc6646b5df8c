// Weights of LSTM, GRU and dense layers from the JSON files of RTNeural, https://github.com/jatinchowdhury18/RTNeural:
// its own form, a list of layers in Keras's layout, and its form for PyTorch, a state_dict as nested lists.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "bytes.hpp"
#include "file.hpp"

namespace sequent {

struct rtneural_limits {
    std::size_t max_file = std::size_t{256} << 20;  // bytes; numbers as short as "0," need 8 bytes each
    std::size_t max_items = 65536;                  // layers, or tensors
    std::size_t max_name = 1024;                    // bytes
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

// Takes the network from nlohmann's SAX parser. Every event that the format does not foresee is refused where it
// occurs, so nesting is bounded; what is stored is bounded by the size of the file.
class rtneural_sax {
  public:
    rtneural_sax(std::string_view file, rtneural_limits const& limits) : file_(file), limits_(limits) {}

    bool boolean(bool) { refuse("boolean"); }
    bool binary(std::vector<std::uint8_t>&) { refuse("binary data"); }
    bool number_integer(std::int64_t number) { return add_number(static_cast<double>(number)); }
    bool number_float(double number, std::string const&) { return add_number(number); }
    bool number_unsigned(std::uint64_t number) {
        if (inside_ == place::in_shape || inside_ == place::shape) return add_extent(number);
        return add_number(static_cast<double>(number));
    }
    bool null() {  // the extents of batch and time
        if (inside_ != place::in_shape && inside_ != place::shape) refuse("null");
        return add_extent(0);
    }

    bool string(std::string& text) {
        if (inside_ != place::layer || (key_ != "type" && key_ != "activation")) refuse("string");
        if (key_ == "activation") {
            activation_ = std::move(text);
        } else if (text == "lstm" || text == "gru") {
            layer().type = text == "lstm" ? rtneural_layer::kind::lstm : rtneural_layer::kind::gru;
        } else if (text != "dense" && text != "time-distributed-dense") {
            fail(message("unsupported layer ", in_quotes(text), "; lstm, gru and dense are read"));
        }
        return true;
    }

    bool key(std::string& text) {
        if (inside_ == place::top) {
            open_top_key(text);
        } else {
            auto const field = std::ranges::find(fields, text);
            if (field == fields.end()) fail(message("unknown key ", in_quotes(text)));
            if (std::exchange(seen_[static_cast<std::size_t>(field - fields.begin())], true))
                fail(message("duplicate key ", in_quotes(text)));
        }
        key_ = std::move(text);
        return true;
    }

    bool start_object(std::size_t) {
        if (inside_ == place::outside) {
            inside_ = place::top;
        } else if (inside_ == place::layers) {
            if (network.layers.size() == limits_.max_items) fail(message("more than ", limits_.max_items, " layers"));
            network.layers.emplace_back();
            seen_ = {};
            activation_.clear();
            inside_ = place::layer;
        } else {
            refuse("object");
        }
        return true;
    }

    bool end_object() {
        if (inside_ == place::layer) {
            for (std::size_t k = 0; k < fields.size(); ++k)
                if (!seen_[k] && fields[k] != "activation") fail(message("missing key ", in_quotes(fields[k])));
            // Keras's exporter names the tanh that RTNeural's LSTM and GRU always have.
            if (!activation_.empty() && (layer().type == rtneural_layer::kind::dense || activation_ != "tanh"))
                fail(message("unsupported activation ", in_quotes(activation_)));
            inside_ = place::layers;
        } else {
            inside_ = place::outside;
            check_network();
        }
        return true;
    }

    bool start_array(std::size_t) {
        bool const at_top = inside_ == place::top;
        if (at_top ? key_ == "in_shape" : inside_ == place::layer && key_ == "shape") {
            inside_ = at_top ? place::in_shape : place::shape;
            rank_ = extent_ = 0;
        } else if (at_top && key_ == "layers") {
            inside_ = place::layers;
        } else if (at_top) {
            open_tensor(network.tensors[key_]);
        } else if (inside_ == place::layer && key_ == "weights") {
            inside_ = place::weights;
        } else if (inside_ == place::weights) {
            if (layer().weights.size() == 3) fail("more than 3 weights");
            open_tensor(layer().weights.emplace_back());
        } else if (inside_ == place::tensor && (tensor_->values.empty() || rows_ > 0)) {
            inside_ = place::row;
            columns_ = 0;
        } else {
            refuse("array");
        }
        return true;
    }

    bool end_array() {
        switch (inside_) {
        case place::row:
            if (columns_ == 0) fail("expected a number");
            inside_ = place::tensor;
            if (columns_ * (rows_ + 1) != tensor_->values.size())
                fail(message("a row of ", columns_, " numbers, unlike those before"));
            ++rows_;
            break;
        case place::tensor:
            if (tensor_->values.empty()) fail("expected a number");
            tensor_->shape.push_back(tensor_->values.size());
            if (rows_ > 0) tensor_->shape = {rows_, columns_};
            inside_ = seen_layers_ ? place::weights : place::top;
            break;
        case place::in_shape:
        case place::shape:
            if (extent_ == 0 || extent_ > INT32_MAX)
                fail(message("the last extent is ", extent_, "; expected 1 to ", INT32_MAX));
            (inside_ == place::shape ? layer().outputs : inputs_) = extent_;
            inside_ = inside_ == place::shape ? place::layer : place::top;
            break;
        default:  // weights, layers
            inside_ = inside_ == place::weights ? place::layer : place::top;
        }
        return true;
    }

    // The parser's own text quotes the last token, however long, so only the position is taken from it.
    bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const& error) {
        std::string const path = this->path();
        throw file_error(file_, message("byte ", position - 1, path.empty() ? "" : ", in ", path),
                         error.id == 406 ? "a number beyond the range of double"
                                         : "not UTF-8 encoded JSON (which has no NaN and no infinity)");
    }

    rtneural_network network;

  private:
    enum class place { outside, top, in_shape, layers, layer, shape, weights, tensor, row };
    static constexpr std::array<std::string_view, 4> fields{"type", "activation", "shape", "weights"};

    [[nodiscard]] rtneural_layer& layer() { return network.layers.back(); }

    void open_top_key(std::string const& name) {
        bool* const seen = name == "layers" ? &seen_layers_ : name == "in_shape" ? &seen_in_shape_ : nullptr;
        if (seen != nullptr ? *seen : network.tensors.contains(name)) fail(message("duplicate key ", in_quotes(name)));
        if (seen != nullptr ? !network.tensors.empty() : seen_layers_ || seen_in_shape_)
            fail(message("unknown key ", in_quotes(name)));
        if (name.size() > limits_.max_name) fail(message("a name has more than ", limits_.max_name, " bytes"));
        if (network.tensors.size() == limits_.max_items) fail(message("more than ", limits_.max_items, " tensors"));
        if (seen != nullptr) *seen = true;
    }
    void open_tensor(rtneural_tensor& tensor) {
        tensor_ = &tensor;
        rows_ = columns_ = 0;
        inside_ = place::tensor;
    }
    bool add_number(double number) {
        if (inside_ != place::row && (inside_ != place::tensor || rows_ > 0)) refuse("number");
        tensor_->values.push_back(number);
        ++columns_;
        return true;
    }
    bool add_extent(std::uint64_t extent) {
        if (++rank_ > 4) fail("more than 4 extents");
        extent_ = extent;
        return true;
    }

    // Every layer's weights must fit the outputs of the layer before.
    void check_network() {
        if (seen_layers_ != seen_in_shape_) fail(seen_layers_ ? "missing key 'in_shape'" : "missing key 'layers'");
        if (network.layers.empty() && network.tensors.empty()) fail("no layers and no tensors");
        for (std::size_t k = 0; k < network.layers.size(); ++k) {
            rtneural_layer& one = network.layers[k];
            one.inputs = std::exchange(inputs_, one.outputs);
            std::size_t const h = one.outputs;
            using shapes = std::vector<std::vector<std::size_t>>;
            shapes const expected =
                one.type == rtneural_layer::kind::lstm  ? shapes{{one.inputs, 4 * h}, {h, 4 * h}, {4 * h}}
                : one.type == rtneural_layer::kind::gru ? shapes{{one.inputs, 3 * h}, {h, 3 * h}, {2, 3 * h}}
                                                        : shapes{{one.inputs, h}, {h}};
            std::string const where = message("layers[", k, "].weights");
            if (one.weights.size() != expected.size())
                throw file_error(file_, where,
                                 message(one.weights.size(), " lists, expected ", expected.size(), " (with bias",
                                         one.type == rtneural_layer::kind::gru ? ", reset_after=True)" : ")"));
            for (std::size_t i = 0; i < expected.size(); ++i)
                if (one.weights[i].shape != expected[i])
                    throw file_error(file_, message(where, "[", i, "]"),
                                     message("has shape ", nlohmann::json(one.weights[i].shape).dump(), ", expected ",
                                             nlohmann::json(expected[i]).dump()));
        }
    }

    // Where the parser is: layers[1].weights[0][2][7], or 'lstm.bias_ih_l0'[3]; empty at the top.
    [[nodiscard]] std::string path() const {
        std::string text;
        if (inside_ == place::in_shape) return "in_shape";
        if (inside_ == place::layers) return message("layers[", network.layers.size(), "]");
        if (seen_layers_ && inside_ >= place::layer) text = message("layers[", network.layers.size() - 1, "]");
        if (inside_ == place::shape) return text + ".shape";
        if (inside_ == place::weights) return message(text, ".weights[", network.layers.back().weights.size(), "]");
        if (inside_ >= place::tensor) {
            text +=
                seen_layers_ ? message(".weights[", network.layers.back().weights.size() - 1, "]") : in_quotes(key_);
            if (inside_ == place::row || rows_ > 0) text += message("[", rows_, "]");
            if (inside_ == place::row || rows_ == 0) text += message("[", columns_, "]");
        }
        return text;
    }
    [[noreturn]] void refuse(std::string_view event) {
        bool const has_key = inside_ == place::top || inside_ == place::layer;
        fail(message("unexpected ", event, has_key ? " at key " + in_quotes(key_) : ""));
    }
    [[noreturn]] void fail(std::string_view what) { throw file_error(file_, path(), what); }

    std::string_view file_;
    rtneural_limits limits_;
    place inside_ = place::outside;
    std::string key_, activation_;
    bool seen_in_shape_ = false, seen_layers_ = false;
    std::array<bool, 4> seen_{};          // which of fields, in this layer
    rtneural_tensor* tensor_ = nullptr;   // the one being read, an element of network
    std::size_t rows_ = 0, columns_ = 0;  // of the tensor: whole rows, and numbers of this row
    std::size_t rank_ = 0, extent_ = 0;   // of the shape being read: extents so far, and the last
    std::size_t inputs_ = 0;              // the last extent of in_shape
};

}  // namespace detail

// The network of a file in memory; name stands in the messages. Throws file_error, naming the place in the document:
// not JSON, an unknown, duplicate or missing key, another layer or activation than those above, a shape that does not
// fit the layers, a number that is not finite.
[[nodiscard]] inline rtneural_network parse_rtneural(std::span<std::byte const> file, std::string_view name,
                                                     rtneural_limits const& limits = {}) {
    std::string_view const text(reinterpret_cast<char const*>(file.data()), file.size());
    if (auto const nul = text.find('\0'); nul != text.npos)  // which nlohmann would take for the end of the text
        throw file_error(name, message("byte ", nul), "a NUL byte");
    detail::rtneural_sax sax(name, limits);
    nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
    return std::move(sax.network);
}

// As above, of the file at path.
[[nodiscard]] inline rtneural_network read_rtneural(std::filesystem::path const& path,
                                                    rtneural_limits const& limits = {}) {
    return parse_rtneural(read_file(path, limits.max_file), path.string(), limits);
}

}  // namespace sequent
