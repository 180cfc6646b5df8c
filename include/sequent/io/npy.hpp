// NumPy's .npy files: one dense array each. Strict reader, writer of version 1.0.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <array>
#include <charconv>
#include <ranges>
#include <set>

#include "bytes.hpp"
#include "file.hpp"

namespace sequent {

template <class T>
struct npy_array {
    std::vector<std::size_t> shape;  // empty for a scalar
    std::vector<T> values;           // row-major, whatever the order in the file
};

struct npy_limits {
    std::size_t max_file = std::size_t{1} << 36;  // bytes: 64 GiB
    std::size_t max_header = 10000;               // bytes, NumPy's own limit
    std::size_t max_rank = 8;
};

// The type in NumPy's notation: byte order, kind, bytes.
template <stored_number T>
[[nodiscard]] std::string npy_descr() {
    char const kind = std::floating_point<T> ? 'f' : std::signed_integral<T> ? 'i' : 'u';
    return {sizeof(T) == 1 ? '|' : '<', kind, static_cast<char>('0' + sizeof(T))};
}

namespace detail {

// Reads the dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } with its keys in any order, and the
// spaces and the line feed that end the header. offset: of the text in the file.
struct npy_header {
    std::string_view text, file;
    std::size_t offset, at = 0;
    std::string_view descr = {};
    bool fortran_order = false;
    std::vector<std::size_t> shape = {};

    void parse() {
        std::set<std::string_view> missing{"descr", "fortran_order", "shape"};
        expect("{");
        while (!missing.empty()) {
            std::string_view const key = string();
            if (missing.erase(key) == 0) fail("duplicate or unknown key ", in_quotes(key));
            expect(":");
            if (key == "descr") {
                descr = string();
            } else if (key == "shape") {
                bool separated = true;
                for (expect("("); !accept(")"); separated = accept(",")) {
                    if (!separated) fail("expected ',' or ')'");
                    shape.push_back(dimension());
                }
                if (shape.size() == 1 && !separated) fail("(n) is no tuple; expected (n,)");
            } else {
                fortran_order = accept("True");
                if (!fortran_order && !accept("False")) fail("expected True or False");
            }
            if (!accept(",") && !missing.empty()) fail("expected ',' and key ", in_quotes(*missing.begin()));
        }
        expect("}");
        if (!accept("\n") || at < text.size()) fail("expected spaces and one line feed after '}'");
    }

    [[noreturn]] void fail(auto const&... what) const {
        throw file_error(file, message("byte ", offset + at), what...);
    }

    // Takes spaces, and the token if it comes next.
    bool accept(std::string_view token) {
        at = std::min(text.find_first_not_of(' ', at), text.size());
        bool const found = text.substr(at).starts_with(token);
        if (found) at += token.size();
        return found;
    }
    void expect(std::string_view token) {
        if (!accept(token)) fail("expected ", in_quotes(token));
    }

    std::string_view string() {
        std::string_view const quote = accept("\"") ? "\"" : "'";
        if (quote == "'" && !accept(quote)) fail("expected a string");
        std::string_view const content = text.substr(at, text.find_first_of("'\"\\", at) - at);
        at += content.size();
        if (!accept(quote)) fail("expected a string without escapes");
        return content;
    }

    std::size_t dimension() {
        accept("");
        std::size_t value = 0;
        char const* const first = text.data() + at;
        auto const [end, failure] = std::from_chars(first, text.data() + text.size(), value);
        if (failure != std::errc() || value > INT64_MAX || (*first == '0' && end != first + 1))
            fail("expected a dimension from 0 to 2^63 - 1");
        at += static_cast<std::size_t>(end - first);
        return value;
    }
};

// Values in order of the last index fastest, from those in order of the first index fastest.
template <class T>
std::vector<T> row_major(std::vector<T> const& column_major, std::span<std::size_t const> shape) {
    std::vector<T> result(column_major.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
        std::size_t from = 0, rest = i, stride = result.size();
        for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
            stride /= shape[axis];
            from += rest % shape[axis] * stride;
        }
        result[i] = column_major[from];
    }
    return result;
}

}  // namespace detail

// The array in the bytes of a file; name stands in the messages. float and double are converted into each other;
// integers must have the file's own type. Throws file_error: damaged, another type (Python objects are never read),
// beyond a limit, a finite double beyond the range of float, or bytes behind the data.
template <stored_number T>
[[nodiscard]] npy_array<T> parse_npy(std::span<std::byte const> file, std::string_view name,
                                     npy_limits const& limits = {}) {
    auto const fail = [&](auto const&... place_and_what) { throw file_error(name, place_and_what...); };
    std::string_view const text(reinterpret_cast<char const*>(file.data()), file.size());
    if (!text.starts_with("\x93NUMPY")) fail("byte 0", "not an .npy file: the magic string is missing");
    if (file.size() < 12) fail("byte 6", "the file ends before the header");
    int const major = std::to_integer<int>(file[6]), minor = std::to_integer<int>(file[7]);
    if (major < 1 || major > 3 || minor != 0) fail("byte 6", "unknown version ", major, ".", minor);

    std::size_t const begin = major == 1 ? 10 : 12;
    std::size_t const length = major == 1 ? load_number<std::uint16_t>(file, 8) : load_number<std::uint32_t>(file, 8);
    if (length > limits.max_header) fail("byte 8", "header of ", length, " bytes; the limit is ", limits.max_header);
    if (length > file.size() - begin) fail("byte 8", "header of ", length, " bytes in a file of ", file.size());
    detail::npy_header header{text.substr(begin, length), name, begin};
    header.parse();
    std::size_t const rank = header.shape.size();
    if (rank > limits.max_rank) fail("header", "rank ", rank, " exceeds the limit of ", limits.max_rank);

    auto const load_as = [&]<class Stored>(Stored) {
        auto const data = file.subspan(begin + length);
        auto const bytes = dense_bytes(header.shape, sizeof(Stored));
        if (!bytes) fail("header", "the shape overflows");
        if (*bytes != data.size()) fail("", "the shape needs ", *bytes, " bytes, the file has ", data.size());
        std::vector<T> values = load_numbers<T, Stored>(data, name, "");
        if (header.fortran_order) values = detail::row_major(values, header.shape);
        return npy_array<T>{std::move(header.shape), std::move(values)};
    };
    if (header.descr == npy_descr<T>()) return load_as(T{});
    if constexpr (std::floating_point<T>) {
        if (header.descr == "<f4") return load_as(float{});
        if (header.descr == "<f8") return load_as(double{});
    }
    throw file_error(name, "header", "holds type ", in_quotes(header.descr), ", which does not read as ",
                     npy_descr<T>());
}

// As parse_npy, from a file.
template <stored_number T>
[[nodiscard]] npy_array<T> read_npy(std::filesystem::path const& path, npy_limits const& limits = {}) {
    return parse_npy<T>(read_file(path, limits.max_file), path.string(), limits);
}

// All that stands before the values, which then begin at a multiple of 64. What exceeds the default limits of the
// reader is refused with argument_error.
template <stored_number T>
[[nodiscard]] std::string make_npy_header(std::span<std::size_t const> shape) {
    if (shape.size() > npy_limits{}.max_rank)
        throw argument_error("sequent::write_npy: rank ", shape.size(), "; at most ", npy_limits{}.max_rank);
    if (std::ranges::any_of(shape, [](std::size_t dimension) { return dimension > INT64_MAX; }))
        throw argument_error("sequent::write_npy: a dimension exceeds 2^63 - 1");
    std::string text = message("{'descr': '", npy_descr<T>(), "', 'fortran_order': False, 'shape': (");
    for (std::size_t const dimension : shape) text += message(dimension, shape.size() == 1 ? "," : ", ");
    if (shape.size() > 1) text.resize(text.size() - 2);
    text += "), }";
    text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 11, ' ');
    text += '\n';
    auto const length = std::bit_cast<std::array<char, 2>>(static_cast<std::uint16_t>(text.size()));
    return "\x93NUMPY\x01" + std::string{'\0', length[0], length[1]} + text;
}

// Replaces the file at path. values: row-major, as many as shape says, else argument_error. Throws file_error as
// write_file_atomically does.
template <std::ranges::contiguous_range Values>
requires stored_number<std::ranges::range_value_t<Values>>
void write_npy(std::filesystem::path const& path, std::span<std::size_t const> shape, Values const& values) {
    using number = std::ranges::range_value_t<Values>;
    std::span const numbers(values);
    std::string const header = make_npy_header<number>(shape);
    if (dense_bytes(shape, sizeof(number)) != numbers.size_bytes())
        throw argument_error("sequent::write_npy: the shape does not fit the ", numbers.size(), " values");
    std::array const chunks{std::as_bytes(std::span(header)), std::as_bytes(numbers)};
    write_file_atomically(path, chunks);
}

}  // namespace sequent
