#include "sequent/io/safetensors.hpp"

#include <cmath>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using namespace std::string_literals;
using sequent_tests::bytes_of;
using sequent_tests::contains;
using sequent_tests::temporary_folder;
using sequent_tests::text_of;
using sequent_tests::thrown;

namespace {

// Two tensors and an entry of metadata, as the reference implementation writes them.
std::string small_file() {
    std::string const header =
        R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
        R"("n":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})"
        "     ";
    auto const length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
    return std::string(length.begin(), length.end()) + header + "\0\0\x80\x3f\0\0\0\xc0\1\2\xff"s;
}

safetensors parse(std::string const& file) { return safetensors(bytes_of(file), "file"); }

// A file with one tensor "x" of the given type and little-endian bytes.
safetensors one_tensor(std::string const& dtype, std::size_t elements, std::string const& data) {
    std::string const header =
        message(R"({"x":{"dtype":")", dtype, R"(","shape":[)", elements, R"(],"data_offsets":[0,)", data.size(), "]}}");
    return parse(static_cast<char>(header.size()) + "\0\0\0\0\0\0\0"s + header + data);
}

std::string file_with(std::string const& header, std::size_t data_bytes = 0) {
    auto const length = std::bit_cast<std::array<char, 8>>(std::uint64_t{header.size()});
    return std::string(length.begin(), length.end()) + header + std::string(data_bytes, '\0');
}

std::string error_of(std::string const& file, safetensors_limits const& limits = {}) {
    return thrown<file_error>([&] { (void)safetensors(bytes_of(file), "file", limits); });
}

std::string tensor(std::string const& dtype, std::string const& shape, std::string const& offsets) {
    return R"({"test":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

safetensors parse(safetensors_writer const& writer) { return safetensors(writer.bytes(), "file"); }

template <class Values>
concept can_be_added = requires(safetensors_writer writer, Values&& values) {
    writer.add("x", {1}, std::forward<Values>(values));
};

template <class Bytes>
concept can_be_added_as_bytes = requires(safetensors_writer writer, Bytes&& bytes) {
    writer.add("x", "F16", {1}, std::forward<Bytes>(bytes));
};

}  // namespace

TEST_CASE("safetensors: tensors and metadata are found by name") {
    safetensors const file = parse(small_file());
    CHECK(file.metadata().at("format") == "pt");
    CHECK(file.tensors().size() == 2);
    CHECK(file.contains("w"));
    CHECK_FALSE(file.contains("__metadata__"));
    CHECK(file.at("w").dtype == "F32");
    CHECK(file.at("w").shape == std::vector<std::size_t>{1, 2});
    CHECK(file.values<float>("w") == std::vector{1.f, -2.f});
    CHECK(file.values<double>("w") == std::vector{1., -2.});
    CHECK(file.values<std::uint8_t>("n") == std::vector<std::uint8_t>{1, 2, 255});
    CHECK(file.bytes("n").size() == 3);

    std::string const error = thrown<file_error>([&] { (void)file.at("fc.weight"); });
    CHECK(error == "file: tensor 'fc.weight': not found among the 2 tensors of the file");
    CHECK(thrown<file_error>([&] { (void)file.values<float>("fc.weight"); }) == error);
}

TEST_CASE("safetensors: a copy does not depend on the original") {
    auto original = std::make_unique<safetensors>(parse(small_file()));
    safetensors const copy = *original;
    original.reset();
    CHECK(copy.values<float>("w") == std::vector{1.f, -2.f});
    CHECK(copy.at("n").dtype == "U8");
}

TEST_CASE("safetensors: all floating types are read as float and double") {
    // 1.5, -2, the largest or smallest that shows the format, infinity
    struct {
        char const* dtype;
        std::string data;
        std::vector<double> expected;
    } const cases[] = {
        {"F16", "\x00\x3e\x00\xc0\x01\x00\x00\x7c"s, {1.5, -2, 0x1p-24, INFINITY}},
        {"BF16", "\xc0\x3f\x00\xc0\x7f\x7f\x80\x7f"s, {1.5, -2, 0x1.FEp127, INFINITY}},
        {"F32", "\0\0\xc0\x3f\0\0\0\xc0\1\0\0\0\0\0\x80\x7f"s, {1.5, -2, 0x1p-149, INFINITY}},
        {"F64",
         "\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\xe0\x47\0\0\0\0\0\0\xf0\x7f"s,
         {1.5, -2, 0x1p127, INFINITY}},
    };
    for (auto const& [dtype, data, expected] : cases) {
        CAPTURE(dtype);
        safetensors const file = one_tensor(dtype, 4, data);
        CHECK(file.values<double>("x") == expected);
        CHECK(file.values<float>("x") == std::vector<float>(expected.begin(), expected.end()));
    }
}

TEST_CASE("safetensors: no conversion loses more than the rounding of double to float") {
    safetensors const wide = one_tensor("F64", 1, "\0\0\0\0\0\0\xf0\x47"s);  // 2^128
    CHECK(wide.values<double>("x") == std::vector{0x1p128});
    CHECK(thrown<file_error>([&] { (void)wide.values<float>("x"); }) ==
          "file: tensor 'x': element 0 is beyond the range of float");

    safetensors const count = one_tensor("I64", 1, "\xfe\xff\xff\xff\xff\xff\xff\xff"s);
    CHECK(count.values<std::int64_t>("x") == std::vector<std::int64_t>{-2});
    auto const refused = [](safetensors const& file, auto number) {
        return contains(thrown<file_error>([&] { (void)file.values<decltype(number)>("x"); }), "tensor 'x': holds ");
    };
    CHECK(refused(count, float{}));
    CHECK(refused(count, std::int32_t{}));
    CHECK(refused(count, std::uint64_t{}));
    CHECK(refused(count, std::uint8_t{}));
    CHECK(refused(wide, std::int64_t{}));
    for (auto const* dtype : {"BOOL", "I8", "F8_E4M3"}) CHECK(refused(one_tensor(dtype, 1, "\1"), float{}));
}

TEST_CASE("safetensors: a file is read from disk within its limit") {
    temporary_folder const folder;
    auto const path = folder / "a.safetensors";
    write_file_atomically(path, bytes_of(small_file()));
    CHECK(safetensors::read(path).values<float>("w") == std::vector{1.f, -2.f});
    std::string const error =
        thrown<file_error>([&] { (void)safetensors::read(path, {.max_file = small_file().size() - 1}); });
    CHECK(contains(error, "a.safetensors: the file has"));
    write_file_atomically(path, bytes_of(small_file() + "x"));
    CHECK(contains(thrown<file_error>([&] { (void)safetensors::read(path); }), "a.safetensors: the tensors have"));
}

TEST_CASE("safetensors: a file cut at any byte is refused") {
    std::string const file = small_file();
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK(error_of(file.substr(0, size))
                  .starts_with(size < 8 ? message("file: the header's length needs 8 bytes, the file has ", size)
                                        : "file: "));
    }
}

TEST_CASE("safetensors: a damaged byte of the header is refused, or the file is as sound as any") {
    std::string const file = small_file();
    std::size_t const header_end = file.size() - 11;
    int accepted = 0, refused = 0;
    for (std::size_t at = 0; at < header_end; ++at)
        for (int value = 0; value < 256; ++value) {
            std::string damaged = file;
            damaged[at] = static_cast<char>(value);
            try {
                safetensors const read = parse(damaged);
                std::size_t bytes = 0;
                for (auto const& [name, tensor] : read.tensors()) {
                    bytes += read.bytes(name).size();
                    if (tensor.dtype == "F32") REQUIRE(read.values<float>(name).size() == tensor.size());
                }
                REQUIRE(bytes == 11);
                ++accepted;
            } catch (file_error const&) {
                ++refused;
            }
        }
    CHECK(accepted > 256);  // other names, at the least
    CHECK(refused > 100 * 200);
}

TEST_CASE("safetensors header: a header is read: types, shapes, offsets, metadata") {
    std::string const header =
        R"({"b":{"shape":[2,3],"data_offsets":[8,14],"dtype":"U8"},"__metadata__":{"format":"pt","":"\u00e9"},)"
        R"("":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
        R"("empty":{"dtype":"I32","shape":[0,7],"data_offsets":[8,8]}})";
    safetensors const read = parse(file_with(header, 14));
    CHECK(read.metadata() == std::map<std::string, std::string, std::less<>>{{"", "\xc3\xa9"}, {"format", "pt"}});
    REQUIRE(read.tensors().size() == 3);
    safetensors_tensor const& b = read.at("b");
    CHECK(b.dtype == "U8");
    CHECK(b.shape == std::vector<std::size_t>{2, 3});
    CHECK(b.begin == 8);
    CHECK(b.end == 14);
    CHECK(b.size() == 6);
    CHECK(read.at("").dtype == "F64");
    CHECK(read.at("").shape.empty());
    CHECK(read.at("").size() == 1);
    CHECK(read.at("empty").size() == 0);
}

TEST_CASE("safetensors header: every type of the format is accepted with its size, and C++ numbers have theirs") {
    for (auto const& [name, bytes] : safetensors_dtypes) {
        CAPTURE(name);
        std::string const offsets = message("[0,", 3 * bytes, "]");
        CHECK(error_of(file_with(tensor(std::string(name), "[3]", offsets), 3 * bytes)).empty());
        CHECK_FALSE(error_of(file_with(tensor(std::string(name), "[2]", offsets), 3 * bytes)).empty());
    }
    CHECK(safetensors_dtype_of<float> == "F32");
    CHECK(safetensors_dtype_of<double> == "F64");
    CHECK(safetensors_dtype_of<std::int8_t> == "I8");
    CHECK(safetensors_dtype_of<std::uint8_t> == "U8");
    CHECK(safetensors_dtype_of<std::int16_t> == "I16");
    CHECK(safetensors_dtype_of<std::int32_t> == "I32");
    CHECK(safetensors_dtype_of<std::int64_t> == "I64");
    CHECK(safetensors_dtype_of<long long> == "I64");
    CHECK(safetensors_dtype_of<std::uint64_t> == "U64");
}

TEST_CASE("safetensors header: hostile files are refused, each for its reason") {
    auto const f32 = [](char const* shape, char const* offsets) { return tensor("F32", shape, offsets); };
    std::string overlapping = "{";
    for (int i = 0; i < 10; ++i)
        overlapping +=
            message(i == 0 ? "" : ",", "\"weight_", i, R"(":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]})");
    overlapping += "}";
    std::string const nul(1, '\0'), million(1'000'000, '[');

    struct {
        char const* name;
        std::string file;
        char const* error;  // a part of the message; empty: the file is valid
    } const cases[] = {
        // The names of the reference implementation's tests.
        {"json_attack", file_with(overlapping, 16),
         "tensor 'weight_1': begins at byte 0 of the data, where 16 is expected"},
        {"metadata_incomplete_buffer: rest", file_with(f32("[1]", "[0,4]"), 5),
         "the tensors have 4 bytes, the file has 5"},
        {"metadata_incomplete_buffer: short", file_with(f32("[1]", "[0,4]"), 3),
         "the tensors have 4 bytes, the file has 3"},
        {"header_too_large", "\xff\xff\xff\xff\xff\xff\xff\xff{}",
         "byte 0: header of 18446744073709551615 bytes; the limit"},
        {"header_too_small", "1234567", "needs 8 bytes, the file has 7"},
        {"header_too_small: empty", "", "needs 8 bytes, the file has 0"},
        {"invalid_header_length", "\x3c"s + std::string(7, '\0'), "byte 0: header of 60 bytes in a file of 8"},
        {"non_utf8", file_with("{\"\xff\":1}"), "not UTF-8 encoded JSON"},
        {"not_json", file_with("{abc}"), "byte 9: not UTF-8 encoded JSON"},
        {"whitespace padded", file_with("{}      "), ""},
        {"whitespace leading", file_with(" {}"), "byte 8: the header is not from '{' to '}'"},
        {"zero_sized", file_with(f32("[2,0]", "[0,0]")), ""},
        {"zero_sized truncated", file_with(f32("[2,0]", "[0,0]"), 4), "the tensors have 0 bytes, the file has 4"},
        {"invalid_info", file_with(f32("[2,2]", "[0,4]"), 4), "'test': the shape needs 16 bytes, the offsets give 4"},
        {"validation_overflow: shape", file_with(f32("[2,9223372036854775807,4]", "[0,16]"), 16),
         "the shape overflows"},
        {"validation_overflow: bytes", file_with(f32("[4611686018427387904]", "[0,16]"), 16), "the shape overflows"},

        // What the text before the object, behind it, or a lenient JSON parser could hide.
        {"empty header", file_with(""), "the header is not from '{' to '}'"},
        {"no tensors", file_with("{}"), ""},
        {"byte order mark", file_with("\xef\xbb\xbf{}"), "the header is not from '{' to '}'"},
        {"array at the top", file_with("[]"), "the header is not from '{' to '}'"},
        {"tab behind", file_with("{}\t"), "the header is not from '{' to '}'"},
        {"NUL behind", file_with("{}" + nul), "the header is not from '{' to '}'"},
        {"NUL and text behind", file_with("{}" + nul + "{}"), "byte 10: not UTF-8 encoded JSON"},
        {"second object behind", file_with("{}{}"), "not UTF-8 encoded JSON"},
        {"NUL byte in a name", file_with("{\"" + nul + "\":1}"), "byte 10: not UTF-8 encoded JSON"},
        {"lone surrogate", file_with(R"({"\ud800":1})"), "not UTF-8 encoded JSON"},
        {"comment", file_with("{/**/}"), "not UTF-8 encoded JSON"},
        {"trailing comma", file_with(R"({"__metadata__":{},})"), "not UTF-8 encoded JSON"},
        {"deep array", file_with("{\"a\":" + million + "}"), "'a': nested deeper than 8"},
        {"deep shape", file_with("{\"a\":{\"shape\":" + million + "}}"), "'a': nested deeper than 8"},
        {"deep object", file_with(R"({"a":{"dtype":"U8","shape":{"b":{}},"data_offsets":[0,1]}})"),
         "tensor 'a'.shape: unexpected object"},
        {"deep metadata", file_with(R"({"__metadata__":{"a":{}}})"), "metadata: unexpected object"},
        {"huge number", file_with(tensor("F32", "[1" + std::string(100'000, '0') + "]", "[0,4]"), 4),
         "'test': a number beyond the range of double"},

        // Keys.
        {"same name twice", file_with(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}})"),
         "file: 'a': duplicate key 'a'"},
        {"same name twice, escaped", file_with(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{}})"),
         "file: 'a': duplicate key 'a'"},
        {"same metadata twice", file_with(R"({"__metadata__":{"a":"1","a":"1"}})"),
         "'__metadata__': duplicate key 'a'"},
        {"metadata twice", file_with(R"({"__metadata__":{},"__metadata__":{}})"), "duplicate key '__metadata__'"},
        {"same field twice", file_with(R"({"a":{"dtype":"U8","dtype":"U8"}})"), "'a': duplicate key 'dtype'"},
        {"unknown field", file_with(R"({"a":{"strides":[1]}})"), "tensor 'a': unknown key 'strides'"},
        {"no dtype", file_with(R"({"a":{"shape":[0],"data_offsets":[0,0]}})"), "tensor 'a': missing key 'dtype'"},
        {"no shape", file_with(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), "tensor 'a': missing key 'shape'"},
        {"no offsets", file_with(R"({"a":{"dtype":"U8","shape":[0]}})"), "missing key 'data_offsets'"},
        {"nothing", file_with(R"({"a":{}})"), "tensor 'a': missing key"},

        // Values.
        {"tensor is null", file_with(R"({"a":null})"), "tensor 'a': unexpected null"},
        {"tensor is a string", file_with(R"({"a":"b"})"), "tensor 'a': unexpected string"},
        {"tensor is a number", file_with(R"({"a":1})"), "tensor 'a': unexpected number"},
        {"metadata is a string", file_with(R"({"__metadata__":"a"})"), "metadata: unexpected string"},
        {"metadata value is a number", file_with(R"({"__metadata__":{"a":1}})"), "metadata: unexpected number"},
        {"metadata value is null", file_with(R"({"__metadata__":{"a":null}})"), "metadata: unexpected null"},
        {"metadata value is an array", file_with(R"({"__metadata__":{"a":[]}})"), "metadata: unexpected array"},
        {"dtype is a number", file_with(R"({"a":{"dtype":1,"shape":[],"data_offsets":[0,1]}})"),
         "tensor 'a'.dtype: unexpected number"},
        {"dtype is an array", file_with(R"({"a":{"dtype":[],"shape":[],"data_offsets":[0,1]}})"),
         "tensor 'a'.dtype: unexpected array"},
        {"shape is a number", file_with(f32("1", "[0,4]"), 4), "tensor 'test'.shape: unexpected number"},
        {"shape is a string", file_with(f32("\"1\"", "[0,4]"), 4), "tensor 'test'.shape: unexpected string"},
        {"shape holds a boolean", file_with(f32("[true]", "[0,4]"), 4), "tensor 'test'.shape[0]: unexpected boolean"},
        {"shape holds a string", file_with(f32("[\"1\"]", "[0,4]"), 4), "tensor 'test'.shape[0]: unexpected string"},
        {"unknown type", file_with(tensor("F33", "[1]", "[0,4]"), 4), "unknown or unsupported type 'F33'"},
        {"type below a byte", file_with(tensor("F4", "[8]", "[0,4]"), 4), "unknown or unsupported type 'F4'"},
        {"lower case type", file_with(tensor("f32", "[1]", "[0,4]"), 4), "unknown or unsupported type 'f32'"},
        {"negative dimension", file_with(f32("[-1]", "[0,4]"), 4), "unexpected sign, fraction, exponent or number"},
        {"minus zero", file_with(f32("[-0]", "[0,0]")), "unexpected sign, fraction, exponent or number"},
        {"fraction", file_with(f32("[1.0]", "[0,4]"), 4), "unexpected sign, fraction, exponent or number"},
        {"exponent", file_with(f32("[1e0]", "[0,4]"), 4), "unexpected sign, fraction, exponent or number"},
        {"2^64", file_with(f32("[18446744073709551616,0]", "[0,0]")), "unexpected sign, fraction, exponent or number"},
        {"2^63", file_with(f32("[0,9223372036854775808]", "[0,0]")), "dimension 9223372036854775808 exceeds 2^63 - 1"},
        {"2^63 - 1", file_with(f32("[0,9223372036854775807]", "[0,0]")), ""},

        // Offsets.
        {"one offset", file_with(f32("[1]", "[0]"), 4), "tensor 'test': data_offsets needs two numbers"},
        {"three offsets", file_with(f32("[1]", "[0,4,8]"), 4), "tensor 'test': data_offsets needs two numbers"},
        {"hole at the start", file_with(f32("[1]", "[4,8]"), 8), "begins at byte 4 of the data, where 0 is expected"},
        {"offsets exchanged", file_with(f32("[0]", "[4,0]"), 4), "begins at byte 4 of the data, where 0 is expected"},
        {"end before begin",
         file_with(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[0],"data_offsets":[4,3]}})",
                   4),
         "tensor 'b': ends at byte 3, before it begins"},
        {"offset 2^64 - 1", file_with(f32("[1]", "[0,18446744073709551615]"), 4), "the shape needs 4 bytes"},
        {"beyond the file", file_with(f32("[1000]", "[0,4000]"), 4), "the tensors have 4000 bytes, the file has 4"},
        {"overlap",
         file_with(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
                   7),
         "tensor 'b': begins at byte 3 of the data, where 4 is expected"},
        {"hole between",
         file_with(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}})",
                   9),
         "tensor 'b': begins at byte 5 of the data, where 4 is expected"},
    };
    for (auto const& [name, file, expected] : cases) {
        CAPTURE(name);
        std::string const error = error_of(file);
        CAPTURE(error);
        CHECK(error.empty() == (*expected == '\0'));
        CHECK(contains(error, expected));
        CHECK(error.size() < 300);  // however large what is wrong
    }
}

TEST_CASE("safetensors header: limits are the caller's, and exact") {
    std::string const two = R"({"a":{"dtype":"U8","shape":[1,1],"data_offsets":[0,1]},)"
                            R"("bc":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"__metadata__":{"x":"","y":""}})";
    std::string const file = file_with(two, 1);
    safetensors_limits const exact{.max_header = two.size(), .max_tensors = 2, .max_name = 12, .max_rank = 2};
    CHECK(error_of(file, exact).empty());

    auto limits = exact;
    limits.max_header = two.size() - 1;
    CHECK(contains(error_of(file, limits), message("header of ", two.size(), " bytes; the limit is ", two.size() - 1)));
    limits = exact;
    limits.max_tensors = 1;
    CHECK(contains(error_of(file, limits), "header: more than 1 tensors"));
    CHECK(contains(error_of(file_with(R"({"__metadata__":{"x":"","y":""}})"), limits),
                   "more than 1 tensors or entries of metadata"));
    limits = exact;
    limits.max_name = 1;
    CHECK(contains(error_of(file, limits), "header: a name has more than 1 bytes"));
    limits = exact;
    limits.max_rank = 1;
    CHECK(contains(error_of(file, limits), "tensor 'a': the rank exceeds the limit of 1"));
}

TEST_CASE("safetensors writer: the golden file of the reference implementation") {
    std::array<float, 6> const zeros{};
    safetensors_writer writer;
    writer.add("attn.0", {1, 2, 3}, zeros);
    CHECK(text_of(writer.bytes()) == "\x40\0\0\0\0\0\0\0"s
                                     R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})" +
                                         std::string(24, '\0'));
}

TEST_CASE("safetensors writer: an empty file") {
    CHECK(text_of(safetensors_writer().bytes()) == "\x08\0\0\0\0\0\0\0{}      "s);
    CHECK(parse(safetensors_writer()).tensors().empty());
}

TEST_CASE("safetensors writer: widest type first, then by name, padded to eight bytes, metadata sorted: the "
          "reference's bytes") {
    float const scalar = 1.f, other = 2.f;
    std::int64_t const count = 3;
    double const wide = 4;
    std::uint8_t const flag = 5;
    safetensors_writer writer;
    writer.metadata("z", "1");
    writer.metadata("format", "pt");
    writer.add("u", {1}, std::span(&flag, 1));
    writer.add("b", {}, std::span(&scalar, 1));
    writer.add("D", {1}, std::span(&wide, 1));
    writer.add("a\xc3\xa9\"\n\x7f", {1}, std::span(&other, 1));
    writer.add("I", {1}, std::span(&count, 1));
    std::string const header =
        R"({"__metadata__":{"format":"pt","z":"1"},"I":{"dtype":"I64","shape":[1],"data_offsets":)"
        R"([0,8]},"D":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},)"
        "\"a\xc3\xa9\\\"\\n\x7f\""
        R"(:{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"b":{"dtype":"F32","shape":[],)"
        R"("data_offsets":[20,24]},"u":{"dtype":"U8","shape":[1],"data_offsets":[24,25]}})";
    std::string const file = text_of(writer.bytes());
    CHECK(file.substr(8, header.size()) == header);
    CHECK(file.size() % 8 == 1);
    CHECK(file.substr(file.size() - 25) == "\3\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\x40\0\0\0\x40\0\0\x80\x3f\5"s);
}

TEST_CASE("safetensors writer: what is written is read, byte for byte, in memory and on disk") {
    std::vector<float> const floats{1, 2, 3, 4, 5, 6};
    std::vector<double> const doubles{0.1, -0.0};
    std::vector<std::int64_t> const longs{INT64_MIN, INT64_MAX};
    std::vector<std::uint64_t> const words{UINT64_MAX};
    std::vector<std::uint8_t> const none;
    std::vector<std::byte> const halves = bytes_of("\x00\x3c\x00\xc0"s);
    std::string const odd_name = "\"\\/\b\f\n\r\t\x01\0 \xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d"s;
    safetensors_writer writer;
    writer.add("floats", {2, 3}, floats);
    writer.add("doubles", {2}, doubles);
    writer.add("longs", {2, 1}, longs);
    writer.add(odd_name, {}, words);
    writer.add("none", {4, 0}, none);
    writer.add("halves", "F16", {2}, halves);
    writer.metadata(odd_name, odd_name);

    temporary_folder const folder;
    writer.write(folder / "a");
    CHECK(read_file(folder / "a", 10000) == writer.bytes());
    safetensors const file = safetensors::read(folder / "a");
    CHECK(file.tensors().size() == 6);
    CHECK(file.at("floats").shape == std::vector<std::size_t>{2, 3});
    CHECK(file.values<float>("floats") == floats);
    CHECK(file.values<double>("doubles") == doubles);
    CHECK(std::signbit(file.values<double>("doubles")[1]));
    CHECK(file.values<std::int64_t>("longs") == longs);
    CHECK(file.values<std::uint64_t>(odd_name) == words);
    CHECK(file.at(odd_name).shape.empty());
    CHECK(file.at("none").shape == std::vector<std::size_t>{4, 0});
    CHECK(file.values<float>("halves") == std::vector{1.f, -2.f});
    CHECK(file.metadata().at(odd_name) == odd_name);
}

TEST_CASE("safetensors writer: the writer refuses what the reader would, and stays as it was") {
    std::vector<float> const two{1, 2};
    safetensors_writer writer;
    writer.add("a", {2}, two);
    writer.metadata("key", "value");
    auto const before = writer.bytes();
    auto const add = [&](std::string const& name, std::vector<std::size_t> const& shape) {
        return thrown<argument_error>([&] { writer.add(name, shape, two); });
    };
    CHECK(contains(add("a", {2}), "tensor 'a': added twice"));
    CHECK(contains(add("__metadata__", {2}), "the name is reserved"));
    CHECK(contains(add("\xff", {2}), "'\\xff' is not valid UTF-8"));
    CHECK(contains(add("b", {3}), "tensor 'b': the shape [3] does not fit the 8 bytes given"));
    CHECK(contains(add("b", {std::size_t{1} << 62}), "does not fit"));
    CHECK(contains(add("b", {0, std::size_t{1} << 63}), "a dimension exceeds 2^63 - 1"));
    CHECK(contains(add("b", {2, 1, 1, 1, 1, 1, 1, 1, 1}), "the rank 9 exceeds 8"));
    CHECK(contains(add(std::string(1025, 'x'), {2}), "the name has more than 1024 bytes"));
    CHECK(contains(thrown<argument_error>([&] { writer.add("b", "F4", {2}, std::span<std::byte const>()); }),
                   "unsupported type 'F4'"));
    CHECK(contains(thrown<argument_error>([&] { writer.metadata("key", "x"); }), "metadata 'key' added twice"));
    CHECK(contains(thrown<argument_error>([&] { writer.metadata("\xc3", "x"); }), "is not valid UTF-8"));
    CHECK(contains(thrown<argument_error>([&] { writer.metadata("x", "\xc3"); }), "is not valid UTF-8"));
    CHECK(writer.bytes() == before);

    writer.metadata("large", std::string(safetensors_limits{}.max_header, 'x'));
    CHECK(contains(thrown<argument_error>([&] { (void)writer.bytes(); }), "header of 16777"));
}

TEST_CASE("safetensors writer: values that would not live until the file is written do not compile") {
    STATIC_REQUIRE(can_be_added<std::vector<float> const&>);
    STATIC_REQUIRE(can_be_added<std::span<double>>);
    STATIC_REQUIRE_FALSE(can_be_added<std::vector<float>>);
    STATIC_REQUIRE_FALSE(can_be_added<std::vector<bool>&>);
    STATIC_REQUIRE_FALSE(can_be_added<std::vector<std::string>&>);
    STATIC_REQUIRE(can_be_added_as_bytes<std::vector<std::byte> const&>);
    STATIC_REQUIRE_FALSE(can_be_added_as_bytes<std::vector<std::byte>>);
}
