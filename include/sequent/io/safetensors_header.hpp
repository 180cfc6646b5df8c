// The header of a safetensors file: what it says, and the checks that make it safe to believe.
// Format: https://github.com/huggingface/safetensors, README, "Format".
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../core/error.hpp"
#include "bytes.hpp"

namespace sequent {

struct safetensors_dtype {
    std::string_view name;
    std::size_t bytes;  // per element
};

// In the order of the format's reference implementation: a file's tensors go from the last type to the first, so that
// wide elements stay aligned. The types smaller than a byte (F4, F6_E2M3, F6_E3M2) are refused.
inline constexpr std::array<safetensors_dtype, 19> safetensors_dtypes{{
    {"BOOL", 1},        {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1}, {"F8_E4M3FNUZ", 1},
    {"F8_E5M2FNUZ", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},     {"BF16", 2},    {"I32", 4},     {"U32", 4},
    {"F32", 4},         {"C64", 8}, {"F64", 8}, {"I64", 8},     {"U64", 8},
}};

// The type of this name, or nullptr.
[[nodiscard]] constexpr safetensors_dtype const* find_safetensors_dtype(std::string_view name) {
    auto const found = std::ranges::find(safetensors_dtypes, name, &safetensors_dtype::name);
    return found == safetensors_dtypes.end() ? nullptr : &*found;
}

// The format's name of a C++ number: "F32" for float, "I64" for std::int64_t.
template <stored_number T>
inline constexpr std::string_view safetensors_dtype_of = [] {
    constexpr std::array<std::string_view, 4> signed_names{"I8", "I16", "I32", "I64"};
    constexpr std::array<std::string_view, 4> unsigned_names{"U8", "U16", "U32", "U64"};
    constexpr auto width = static_cast<std::size_t>(std::countr_zero(sizeof(T)));
    if constexpr (std::floating_point<T>) return std::string_view{sizeof(T) == 4 ? "F32" : "F64"};
    return std::is_signed_v<T> ? signed_names[width] : unsigned_names[width];
}();

struct safetensors_limits {
    std::size_t max_file = std::size_t{1} << 36;     // bytes: 64 GiB
    std::size_t max_header = std::size_t{16} << 20;  // bytes
    std::size_t max_tensors = 65536;                 // and as many entries of metadata
    std::size_t max_name = 1024;                     // bytes
    std::size_t max_rank = 8;
};

struct safetensors_tensor {
    std::string_view dtype;          // a name of safetensors_dtypes
    std::vector<std::size_t> shape;  // row-major; empty for a scalar
    std::size_t begin = 0, end = 0;  // bytes, in the data behind the header

    [[nodiscard]] std::size_t size() const { return (end - begin) / find_safetensors_dtype(dtype)->bytes; }  // elements
};

struct safetensors_header {
    std::map<std::string, safetensors_tensor, std::less<>> tensors;
    std::map<std::string, std::string, std::less<>> metadata;
    std::size_t data_begin = 0;  // bytes, in the file
};

namespace detail {

// Takes the header from nlohmann's SAX parser, which alone would accept duplicate keys and turn large integers into
// doubles. Every event that the format does not foresee is refused where it occurs, so nesting is bounded by three.
class safetensors_sax {
  public:
    safetensors_sax(std::string_view file, safetensors_limits const& limits) : file_(file), limits_(limits) {}

    bool null() { refuse("null"); }
    bool boolean(bool) { refuse("boolean"); }
    bool number_integer(std::int64_t) { refuse("negative number"); }
    bool number_float(double, std::string const&) { refuse("fraction, exponent or number beyond 2^64"); }
    bool binary(std::vector<std::uint8_t>&) { refuse("binary data"); }

    bool number_unsigned(std::uint64_t number) {
        if (inside_ == place::shape) {
            if (tensor_->shape.size() == limits_.max_rank)
                fail(message("the rank exceeds the limit of ", limits_.max_rank));
            if (number > INT64_MAX) fail(message("dimension ", number, " exceeds 2^63 - 1"));
            tensor_->shape.push_back(number);
        } else if (inside_ == place::offsets && offsets_ < 2) {
            (offsets_++ == 0 ? tensor_->begin : tensor_->end) = number;
        } else {
            refuse("number");
        }
        return true;
    }

    bool string(std::string& text) {
        if (inside_ == place::metadata) {
            header.metadata.insert_or_assign(key_, std::move(text));
        } else if (inside_ == place::tensor && key_ == "dtype") {
            safetensors_dtype const* const dtype = find_safetensors_dtype(text);
            if (dtype == nullptr) fail(message("unknown or unsupported type ", in_quotes(text)));
            tensor_->dtype = dtype->name;
        } else {
            refuse("string");
        }
        return true;
    }

    bool key(std::string& text) {
        if (inside_ == place::top) {
            open_top_key(text);
        } else if (inside_ == place::metadata) {
            if (header.metadata.size() == limits_.max_tensors)
                fail(message("more than ", limits_.max_tensors, " entries of metadata"));
            if (!header.metadata.try_emplace(text).second) fail(message("duplicate key ", in_quotes(text)));
        } else {
            auto const field = std::ranges::find(fields_, text);
            if (field == fields_.end()) fail(message("unknown key ", in_quotes(text)));
            if (std::exchange(seen_[static_cast<std::size_t>(field - fields_.begin())], true))
                fail(message("duplicate key ", in_quotes(text)));
        }
        key_ = std::move(text);
        return true;
    }

    bool start_object(std::size_t) {
        if (inside_ == place::outside)
            inside_ = place::top;
        else if (inside_ == place::top)
            inside_ = tensor_ == nullptr ? place::metadata : place::tensor;
        else
            refuse("object");
        return true;
    }

    bool end_object() {
        if (inside_ == place::tensor && std::ranges::count(seen_, true) != 3)
            fail("needs the keys dtype, shape and data_offsets");
        inside_ = inside_ == place::top ? place::outside : place::top;
        return true;
    }

    bool start_array(std::size_t) {
        if (inside_ != place::tensor || key_ == "dtype") refuse("array");
        inside_ = key_ == "shape" ? place::shape : place::offsets;
        return true;
    }

    bool end_array() {
        if (inside_ == place::offsets && offsets_ != 2) fail("data_offsets needs two numbers");
        inside_ = place::tensor;
        return true;
    }

    // The parser's own text quotes the last token, however long, so only the position is taken from it.
    bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const&) {
        throw file_error(file_, message("byte ", 7 + position), "the header is not UTF-8 encoded JSON");
    }

    safetensors_header header;

  private:
    enum class place { outside, top, metadata, tensor, shape, offsets };

    void open_top_key(std::string const& name) {
        if (name.size() > limits_.max_name) fail(message("a name has more than ", limits_.max_name, " bytes"));
        if (name == "__metadata__") {
            tensor_ = nullptr;
            if (std::exchange(metadata_seen_, true)) fail("duplicate key '__metadata__'");
            return;
        }
        if (header.tensors.size() == limits_.max_tensors) fail(message("more than ", limits_.max_tensors, " tensors"));
        auto const [entry, is_new] = header.tensors.try_emplace(name);
        if (!is_new) fail(message("duplicate key ", in_quotes(name)));
        name_ = name;
        tensor_ = &entry->second;
        seen_ = {};
        offsets_ = 0;
    }

    [[noreturn]] void refuse(std::string_view event) { fail(message("unexpected ", event)); }
    [[noreturn]] void fail(std::string_view what) {
        bool const in_tensor = tensor_ != nullptr && inside_ >= place::tensor;
        throw file_error(file_,
                         in_tensor                    ? "tensor " + in_quotes(name_)
                         : inside_ == place::metadata ? "metadata"
                                                      : "header",
                         what);
    }

    std::string_view file_;
    safetensors_limits limits_;
    place inside_ = place::outside;
    std::string key_, name_;
    safetensors_tensor* tensor_ = nullptr;  // the one being read, an element of header; null in the metadata
    std::array<bool, 3> seen_{};            // which of fields_
    int offsets_ = 0;
    bool metadata_seen_ = false;
    static constexpr std::array<std::string_view, 3> fields_{"dtype", "shape", "data_offsets"};
};

// The data must be tiled by the tensors: no hole, no overlap, no rest.
inline void check_safetensors_layout(safetensors_header const& header, std::string_view file, std::size_t data_bytes) {
    using entry = std::pair<std::string const, safetensors_tensor>;
    std::vector<entry const*> entries;
    for (entry const& one : header.tensors) entries.push_back(&one);
    std::ranges::sort(entries, {}, [](entry const* one) { return std::pair(one->second.begin, one->second.end); });

    std::size_t running_end = 0;
    for (entry const* const one : entries) {
        auto const& [name, tensor] = *one;
        auto const fail = [&, &key = name](std::string_view what) {
            throw file_error(file, "tensor " + in_quotes(key), what);
        };
        if (tensor.begin != running_end)
            fail(message("begins at byte ", tensor.begin, " of the data, where ", running_end, " is expected"));
        if (tensor.end < tensor.begin) fail(message("ends at byte ", tensor.end, ", before it begins"));
        auto const bytes = dense_bytes(tensor.shape, find_safetensors_dtype(tensor.dtype)->bytes);
        if (!bytes) fail("the shape overflows");
        if (tensor.end - tensor.begin != *bytes)
            fail(message("the shape needs ", *bytes, " bytes, the offsets give ", tensor.end - tensor.begin));
        running_end = tensor.end;
    }
    if (running_end != data_bytes)
        throw file_error(file, "", message("the tensors have ", running_end, " bytes, the file has ", data_bytes));
}

}  // namespace detail

// Reads and checks the header at the start of a whole file; name stands in the messages. Throws file_error.
[[nodiscard]] inline safetensors_header parse_safetensors_header(std::span<std::byte const> file, std::string_view name,
                                                                 safetensors_limits const& limits = {}) {
    if (file.size() < 8)
        throw file_error(name, "", message("the header's length needs 8 bytes, the file has ", file.size()));
    auto const length = load_number<std::uint64_t>(file, 0);
    if (length > limits.max_header)
        throw file_error(name, "byte 0", message("header of ", length, " bytes; the limit is ", limits.max_header));
    if (length > file.size() - 8)
        throw file_error(name, "byte 0", message("header of ", length, " bytes in a file of ", file.size()));

    std::string_view text(reinterpret_cast<char const*>(file.data()) + 8, length);
    if (!text.starts_with('{')) throw file_error(name, "byte 8", "the header does not start with '{'");
    text = text.substr(0, text.find_last_not_of(' ') + 1);
    if (!text.ends_with('}'))  // nlohmann would take a NUL byte as the end of the text
        throw file_error(name, message("byte ", 7 + text.size()), "the header does not end with '}' and spaces");
    if (auto const nul = text.find('\0'); nul != text.npos)
        throw file_error(name, message("byte ", 8 + nul), "the header has a NUL byte");
    detail::safetensors_sax sax(name, limits);
    nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
    sax.header.data_begin = 8 + length;
    detail::check_safetensors_layout(sax.header, name, file.size() - sax.header.data_begin);
    return std::move(sax.header);
}

}  // namespace sequent
