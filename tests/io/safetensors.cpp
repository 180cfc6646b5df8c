#include "sequent/io/safetensors.hpp"

#include <cmath>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using namespace std::string_literals;
using sequent_tests::bytes_of;
using sequent_tests::contains;
using sequent_tests::scratch_folder;
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

safetensors parse(std::string const& file) { return safetensors::parse(bytes_of(file), "file"); }

// A file with one tensor "x" of the given type and little-endian bytes.
safetensors one_tensor(std::string const& dtype, std::size_t elements, std::string const& data) {
    std::string const header =
        message(R"({"x":{"dtype":")", dtype, R"(","shape":[)", elements, R"(],"data_offsets":[0,)", data.size(), "]}}");
    return parse(static_cast<char>(header.size()) + "\0\0\0\0\0\0\0"s + header + data);
}

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

TEST_CASE("safetensors: copy_to fills memory of the tensor's size, and no other") {
    safetensors const file = parse(small_file());
    std::array<float, 2> numbers{};
    file.copy_to("w", std::span<float>(numbers));
    CHECK(numbers == std::array{1.f, -2.f});
    std::array<float, 3> more{};
    CHECK(contains(thrown<argument_error>([&] { file.copy_to("w", std::span<float>(more)); }), "'w' has 2 elements"));
    CHECK(more == std::array<float, 3>{});
}

TEST_CASE("safetensors: a file is read from disk within its limit") {
    scratch_folder const folder;
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
        CHECK_THROWS_AS(parse(file.substr(0, size)), file_error);
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
