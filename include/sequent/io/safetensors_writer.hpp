// Writes safetensors files: the same bytes as the format's reference implementation, except that metadata is sorted.
#pragma once

#include <ranges>

#include "safetensors.hpp"

namespace sequent {

// Collects views of tensors, then writes them all. What exceeds the default limits of the reader is refused, so what
// was written can be read. All errors of add and metadata are argument_error and leave the writer as it was.
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
