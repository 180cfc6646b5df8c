// Tensors by name from a safetensors file, the format of checkpoints and of PyTorch's exported weights.
// Format: https://github.com/huggingface/safetensors, README, "Format". Strict reader, and writer.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <ranges>
#include <tuple>

#include "file.hpp"
#include "json.hpp"

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
    constexpr std::string_view names[] = {"U8", "U16", "U32", "U64", "I8", "I16", "I32", "I64"};
    if constexpr (std::floating_point<T>) return std::string_view{sizeof(T) == 4 ? "F32" : "F64"};
    return names[std::countr_zero(sizeof(T)) + (std::signed_integral<T> ? 4 : 0)];
}();

struct safetensors_limits {
    std::size_t max_file = std::size_t{1} << 36;     // bytes: 64 GiB
    std::size_t max_header = std::size_t{16} << 20;  // bytes; reading it may take 40 times as much memory
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

// A whole file in memory, its header checked: what is asked for by name cannot reach outside the file.
class safetensors {
  public:
    // Of a file in memory; name stands in the messages. Throws file_error: not exactly what the format demands.
    safetensors(std::vector<std::byte> file, std::string name, safetensors_limits const& limits = {})
        : file_(std::move(file)), file_name_(std::move(name)) {
        if (file_.size() < 8) fail("", "the header's length needs 8 bytes, the file has ", file_.size());
        auto const length = load_number<std::uint64_t>(file_, 0);
        if (length > limits.max_header)
            fail("byte 0", "header of ", length, " bytes; the limit is ", limits.max_header);
        if (length > file_.size() - 8) fail("byte 0", "header of ", length, " bytes in a file of ", file_.size());
        data_begin_ = 8 + length;

        // JSON would allow more white space.
        std::string_view const text(reinterpret_cast<char const*>(file_.data()) + 8, length);
        if (!text.starts_with('{') || text[text.find_last_not_of(' ')] != '}')
            fail("byte 8", "the header is not from '{' to '}' with spaces behind");
        nlohmann::json const header = detail::parse_json(text, file_name_, 8);
        read_header({header, file_name_, "header"}, limits);
        check_layout();
    }

    // Throws file_error: as above, unreadable, or beyond a limit.
    [[nodiscard]] static safetensors read(std::filesystem::path const& path, safetensors_limits const& limits = {}) {
        return {read_file(path, limits.max_file), path.string(), limits};
    }

    // All tensors, by name in byte order; shape, dtype and size() of one are in at(name).
    [[nodiscard]] std::map<std::string, safetensors_tensor, std::less<>> const& tensors() const { return tensors_; }
    [[nodiscard]] std::map<std::string, std::string, std::less<>> const& metadata() const { return metadata_; }
    [[nodiscard]] bool contains(std::string_view name) const { return tensors_.contains(name); }

    // Throws file_error if there is no such tensor.
    [[nodiscard]] safetensors_tensor const& at(std::string_view name) const {
        auto const found = tensors_.find(name);
        if (found == tensors_.end())
            fail(place_of(name), "not found among the ", tensors_.size(), " tensors of the file");
        return found->second;
    }

    // As the file holds them: row-major, little-endian. The view lives as long as this object.
    [[nodiscard]] std::span<std::byte const> bytes(std::string_view name) const {
        safetensors_tensor const& tensor = at(name);
        return std::span(file_).subspan(data_begin_ + tensor.begin, tensor.end - tensor.begin);
    }

    // Row-major. F16, BF16, F32 and F64 are converted to float or double; an integer must have the file's own type.
    // Throws file_error: no such tensor, another type, or a finite F64 beyond the range of float.
    template <stored_number Number>
    [[nodiscard]] std::vector<Number> values(std::string_view name) const {
        safetensors_tensor const& tensor = at(name);
        auto const load_as = [&]<class Stored>(Stored) {
            return load_numbers<Number, Stored>(bytes(name), file_name_, place_of(name));
        };
        if (tensor.dtype == safetensors_dtype_of<Number>) return load_as(Number{});
        if constexpr (std::floating_point<Number>) {
            if (tensor.dtype == "F32") return load_as(float{});
            if (tensor.dtype == "F64") return load_as(double{});
            if (tensor.dtype == "F16") return load_as(float16_bits{});
            if (tensor.dtype == "BF16") return load_as(bfloat16_bits{});
        }
        fail(place_of(name), "holds type ", tensor.dtype, ", which does not read as ", safetensors_dtype_of<Number>);
    }

  private:
    static std::string place_of(std::string_view tensor) { return "tensor " + in_quotes(tensor); }

    [[noreturn]] void fail(std::string_view place, auto const&... what) const {
        throw file_error(file_name_, place, what...);
    }

    void read_header(detail::json_value const& header, safetensors_limits const& limits) {
        for (auto const& [name, json] : header.as<detail::json_object>()) {
            if (name.size() > limits.max_name) header.fail("a name has more than ", limits.max_name, " bytes");
            if (name != "__metadata__") {
                tensors_[name] = read_tensor({json, file_name_, place_of(name)}, limits);
                continue;
            }
            detail::json_value const metadata{json, file_name_, "metadata"};
            for (auto const& [key, text] : metadata.as<detail::json_object>())
                metadata_[key] = detail::json_value{text, file_name_, "metadata"}.as<std::string>();
        }
        if (std::max(tensors_.size(), metadata_.size()) > limits.max_tensors)
            header.fail("more than ", limits.max_tensors, " tensors or entries of metadata");
    }

    static safetensors_tensor read_tensor(detail::json_value const& json, safetensors_limits const& limits) {
        json.check_keys({"data_offsets", "dtype", "shape"});
        auto const numbers = [&](char const* key) {  // no more of them than tell that they are too many
            auto const list = json.member(key);
            std::vector<std::size_t> result(std::min(list.as<detail::json_array>().size(), limits.max_rank + 3));
            for (std::size_t i = 0; i < result.size(); ++i) result[i] = list.element(i).as<std::uint64_t>();
            return result;
        };
        auto const& name = json.member("dtype").as<std::string>();
        auto const* const dtype = find_safetensors_dtype(name);
        if (dtype == nullptr) json.fail("unknown or unsupported type ", in_quotes(name));
        auto const shape = numbers("shape"), offsets = numbers("data_offsets");
        if (shape.size() > limits.max_rank) json.fail("the rank exceeds the limit of ", limits.max_rank);
        for (std::size_t const dimension : shape)
            if (dimension > INT64_MAX) json.fail("dimension ", dimension, " exceeds 2^63 - 1");
        if (offsets.size() != 2) json.fail("data_offsets needs two numbers");
        return {dtype->name, shape, offsets[0], offsets[1]};
    }

    // The data must be tiled by the tensors: no hole, no overlap, no rest.
    void check_layout() const {
        std::set<std::tuple<std::size_t, std::size_t, std::string_view>> in_file_order;
        for (auto const& [name, tensor] : tensors_) in_file_order.emplace(tensor.begin, tensor.end, name);
        std::size_t running_end = 0;
        for (auto const& [begin, end, name] : in_file_order) {
            safetensors_tensor const& tensor = at(name);
            auto const bytes = dense_bytes(tensor.shape, find_safetensors_dtype(tensor.dtype)->bytes);
            if (begin != running_end)
                fail(place_of(name), "begins at byte ", begin, " of the data, where ", running_end, " is expected");
            if (end < begin) fail(place_of(name), "ends at byte ", end, ", before it begins");
            if (!bytes) fail(place_of(name), "the shape overflows");
            if (end - begin != *bytes)
                fail(place_of(name), "the shape needs ", *bytes, " bytes, the offsets give ", end - begin);
            running_end = end;
        }
        if (std::size_t const data = file_.size() - data_begin_; running_end != data)
            fail("", "the tensors have ", running_end, " bytes, the file has ", data);
    }

    std::vector<std::byte> file_;
    std::string file_name_;
    std::map<std::string, safetensors_tensor, std::less<>> tensors_;
    std::map<std::string, std::string, std::less<>> metadata_;
    std::size_t data_begin_ = 0;
};

// Collects views of tensors, then writes them all: the same bytes as the format's reference implementation, except that
// metadata is sorted. What exceeds the reader's default limits but that of the file is refused, so what was written can
// be read. All errors of add and metadata are argument_error and leave the writer as it was.
class safetensors_writer {
  public:
    // values: row-major, as many as shape says; they must live, in place, until the file is written.
    template <std::ranges::contiguous_range Values>
    requires std::ranges::borrowed_range<Values> && stored_number<std::ranges::range_value_t<Values>>
    void add(std::string name, std::vector<std::size_t> shape, Values&& values) {
        std::span const numbers(values);
        add(std::move(name), safetensors_dtype_of<std::ranges::range_value_t<Values>>, std::move(shape),
            std::as_bytes(numbers));
    }

    // As above, for elements of any type of the format, little-endian: dtype is the format's name, such as "F16".
    template <std::ranges::contiguous_range Bytes>
    requires std::ranges::borrowed_range<Bytes> && std::same_as<std::ranges::range_value_t<Bytes>, std::byte>
    void add(std::string name, std::string_view dtype, std::vector<std::size_t> shape, Bytes&& elements) {
        std::span<std::byte const> const bytes(elements);
        auto const refuse_it = [&](auto const&... what) { refuse("tensor ", in_quotes(name), ": ", what...); };
        safetensors_dtype const* const type = find_safetensors_dtype(dtype);
        if (type == nullptr) refuse_it("unknown or unsupported type ", in_quotes(dtype));
        if (name == "__metadata__") refuse_it("the name is reserved");
        if (name.size() > limits_.max_name) refuse_it("the name has more than ", limits_.max_name, " bytes");
        if (shape.size() > limits_.max_rank) refuse_it("the rank ", shape.size(), " exceeds ", limits_.max_rank);
        if (tensors_.size() == limits_.max_tensors) refuse_it("more than ", limits_.max_tensors, " tensors");
        if (std::ranges::any_of(shape, [](std::size_t dimension) { return dimension > INT64_MAX; }))
            refuse_it("a dimension exceeds 2^63 - 1");
        auto const expected = dense_bytes(shape, type->bytes);
        if (!expected || bytes.size() != *expected)
            refuse_it("the shape ", nlohmann::json(shape).dump(), " does not fit the ", bytes.size(), " bytes given");
        check_utf8(name);
        if (!names_.insert(name).second) refuse_it("added twice");
        tensors_.emplace(std::pair(safetensors_dtypes.data() - type, std::move(name)),
                         tensor{type, std::move(shape), bytes});
    }

    // An entry of "__metadata__", such as ("format", "pt"), which PyTorch's loaders look for.
    void metadata(std::string_view key, std::string_view value) {
        if (metadata_.size() == limits_.max_tensors) refuse("more than ", limits_.max_tensors, " metadata");
        check_utf8(key);
        check_utf8(value);
        if (!metadata_.try_emplace(std::string(key), value).second) refuse("metadata ", in_quotes(key), " added twice");
    }

    // Replaces the file at path, or leaves it as it was and throws file_error (see write_file_atomically).
    void write(std::filesystem::path const& path) const {
        std::string const header = make_header();
        write_file_atomically(path, chunks(header));
    }

    // The file as bytes.
    [[nodiscard]] std::vector<std::byte> bytes() const {
        std::string const header = make_header();
        std::vector<std::byte> file;
        for (auto const chunk : chunks(header)) file.insert(file.end(), chunk.begin(), chunk.end());
        return file;
    }

  private:
    struct tensor {
        safetensors_dtype const* dtype;
        std::vector<std::size_t> shape;
        std::span<std::byte const> bytes;
    };

    [[nodiscard]] std::vector<std::span<std::byte const>> chunks(std::string const& header) const {
        std::vector<std::span<std::byte const>> result{std::as_bytes(std::span(header))};
        for (auto const& [key, value] : tensors_) result.push_back(value.bytes);
        return result;
    }

    // Length and JSON, padded so that the data begins at a multiple of 8.
    [[nodiscard]] std::string make_header() const {
        using object = nlohmann::ordered_json::object_t;
        object header;  // push_back: its other ways to insert compare with every key that is there
        if (!metadata_.empty()) header.push_back({"__metadata__", metadata_});
        std::size_t end = 0;
        for (auto const& [key, value] : tensors_) {
            std::size_t const begin = std::exchange(end, end + value.bytes.size());
            header.push_back(
                {key.second,
                 object{{"dtype", value.dtype->name}, {"shape", value.shape}, {"data_offsets", {begin, end}}}});
        }
        std::string json = nlohmann::ordered_json(std::move(header)).dump();
        json.resize((json.size() + 7) / 8 * 8, ' ');
        if (json.size() > limits_.max_header)
            refuse("header of ", json.size(), " bytes; the limit is ", limits_.max_header);
        auto const length = std::bit_cast<std::array<char, 8>>(std::uint64_t{json.size()});
        return std::string(length.begin(), length.end()) + json;
    }

    [[noreturn]] static void refuse(auto const&... what) {
        throw argument_error("sequent::safetensors_writer: ", what...);
    }

    static void check_utf8(std::string_view text) {
        try {
            (void)nlohmann::json(text).dump();
        } catch (nlohmann::json::exception const&) {
            refuse(in_quotes(text), " is not valid UTF-8");
        }
    }

    static constexpr safetensors_limits limits_{};
    // By type, the widest first, so that every tensor is aligned to its elements, and by name.
    std::map<std::pair<std::ptrdiff_t, std::string>, tensor> tensors_;
    std::set<std::string> names_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace sequent
