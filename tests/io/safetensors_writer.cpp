#include "sequent/io/safetensors_writer.hpp"

#include "catch.hpp"
#include "helpers.hpp"
#include "sequent/io/safetensors.hpp"

using namespace sequent;
using namespace std::string_literals;
using sequent_tests::bytes_of;
using sequent_tests::contains;
using sequent_tests::temporary_folder;
using sequent_tests::text_of;
using sequent_tests::thrown;

namespace {

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
    CHECK(parse({}).tensors().empty());
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
