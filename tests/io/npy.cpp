#include "sequent/io/npy.hpp"

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

// A file of the given major version, without any padding.
std::string file_with(std::string const& dictionary, std::string const& data = "", int version = 1) {
    std::string const header = dictionary + "\n";
    auto const length = std::bit_cast<std::array<char, 4>>(static_cast<std::uint32_t>(header.size()));
    return "\x93NUMPY" + std::string{static_cast<char>(version), '\0'} +
           std::string(length.data(), version == 1 ? 2 : 4) + header + data;
}

std::string dictionary(std::string const& descr, std::string const& shape, std::string const& order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

template <class T>
npy_array<T> parse(std::string const& file) {
    return parse_npy<T>(bytes_of(file), "file");
}

template <class T>
std::string error_of(std::string const& file) {
    return thrown<file_error>([&] { (void)parse<T>(file); });
}

template <class T>
std::string raw(std::vector<T> const& values) {
    return text_of(std::as_bytes(std::span(values)));
}

}  // namespace

TEST_CASE("npy: the bytes that numpy.save writes") {
    temporary_folder const folder;
    write_npy(folder / "a.npy", std::array<std::size_t, 2>{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(text_of(read_file(folder / "a.npy", 1000)) ==
          "\x93NUMPY\1\0\x76\0"s
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }                                                 "
          "         \n" +
              raw<float>({1, 2, 3, 4, 5, 6}));
}

TEST_CASE("npy: what is written is read") {
    temporary_folder const folder;
    auto const path = folder / "a.npy";
    auto const round_trip = [&](std::vector<std::size_t> const& shape, auto const& values) {
        write_npy(path, shape, values);
        auto const read = read_npy<std::ranges::range_value_t<decltype(values)>>(path);
        CHECK(read.shape == shape);
        CHECK(read.values == values);
        CHECK((std::filesystem::file_size(path) - std::span(values).size_bytes()) % 64 == 0);
    };
    round_trip({}, std::vector<float>{1.5f});
    round_trip({3}, std::vector<double>{0.1, -0.0, 1e300});
    round_trip({0}, std::vector<double>{});
    round_trip({2, 0, 3}, std::vector<std::uint8_t>{});
    round_trip({2, 1, 2}, std::vector<std::int32_t>{INT32_MIN, -1, 0, INT32_MAX});
    round_trip({1, 1, 1, 1, 1, 1, 1, 2}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX});
    round_trip({2}, std::vector<std::uint8_t>{0, 255});

    std::vector<float> const two{1, 2};
    auto const error = [&](std::vector<std::size_t> const& shape) {
        return thrown<argument_error>([&] { write_npy(folder / "b.npy", shape, two); });
    };
    CHECK(contains(error({3}), "does not fit the 2 values"));
    CHECK(contains(error({std::size_t{1} << 62, 2}), "does not fit the 2 values"));
    CHECK(contains(error(std::vector<std::size_t>(9, 1)), "rank 9; at most 8"));
    CHECK(contains(error({std::size_t{1} << 63, 0}), "a dimension exceeds 2^63 - 1"));
    CHECK_FALSE(std::filesystem::exists(folder / "b.npy"));
}

TEST_CASE("npy: float and double are converted into each other, integers are not") {
    CHECK(parse<double>(file_with(dictionary("<f4", "(1,)"), raw<float>({1.5f}))).values == std::vector{1.5});
    CHECK(parse<float>(file_with(dictionary("<f8", "(1,)"), raw<double>({0.1}))).values == std::vector{0.1f});
    CHECK(error_of<float>(file_with(dictionary("<f8", "(2,)"), raw<double>({1, 1e39}))) ==
          "file: element 1 is beyond the range of float");

    CHECK(error_of<float>(file_with(dictionary("<i4", "(1,)"), "1234")) ==
          "file: header: holds type '<i4', which does not read as <f4");
    CHECK(contains(error_of<std::int64_t>(file_with(dictionary("<i4", "(1,)"), "1234")), "does not read as <i8"));
    CHECK(contains(error_of<std::int32_t>(file_with(dictionary("<f4", "(1,)"), "1234")), "does not read as <i4"));
    CHECK(contains(error_of<std::uint8_t>(file_with(dictionary("|i1", "(1,)"), "1")), "does not read as |u1"));
}

TEST_CASE("npy: a column-major file reads as row-major") {
    // a[i, j, k] = 100 i + 10 j + k, shape (2, 3, 4)
    std::vector<float> columns, rows;
    for (int k = 0; k < 4; ++k)
        for (int j = 0; j < 3; ++j)
            for (int i = 0; i < 2; ++i) columns.push_back(static_cast<float>(100 * i + 10 * j + k));
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) rows.push_back(static_cast<float>(100 * i + 10 * j + k));
    auto const array = parse<float>(file_with(dictionary("<f4", "(2, 3, 4)", "True"), raw(columns)));
    CHECK(array.shape == std::vector<std::size_t>{2, 3, 4});
    CHECK(array.values == rows);
    CHECK(parse<float>(file_with(dictionary("<f4", "(2, 0)", "True"))).values.empty());
    CHECK(parse<float>(file_with(dictionary("<f4", "()", "True"), raw<float>({7}))).values == std::vector{7.f});
}

TEST_CASE("npy: all that the format allows is accepted") {
    std::string const data = raw<float>({1, 2});
    for (auto const* header : {
             "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
             "{'shape':(2,),'fortran_order':False,'descr':'<f4'}",
             "{ 'fortran_order' : False , 'shape' : ( 2 , ) , 'descr' : '<f4' , } ",
             "{\"descr\": \"<f4\", \"fortran_order\": True, \"shape\": (2,)}",
         })
        for (int version = 1; version <= 3; ++version) {
            CAPTURE(header, version);
            CHECK(parse<float>(file_with(header, data, version)).values == std::vector{1.f, 2.f});
        }
    for (auto const* shape : {"(1, 2)", "(1, 2,)", "(1,2)"})
        CHECK(parse<float>(file_with(dictionary("<f4", shape), data)).shape == std::vector<std::size_t>{1, 2});
    // A length whose low byte has its highest bit set.
    CHECK(parse<float>(file_with(dictionary("<f4", "(2,)") + std::string(130, ' '), data)).values.size() == 2);
}

TEST_CASE("npy: hostile files are refused, each for its reason") {
    auto const f4 = [](std::string const& shape, std::size_t bytes) {
        return file_with(dictionary("<f4", shape), std::string(bytes, '\0'));
    };
    struct {
        char const* name;
        std::string file;
        char const* error;
    } const cases[] = {
        {"empty", "", "byte 0: not an .npy file"},
        {"other magic", "\x93NUMPX\1\0\0\0", "byte 0: not an .npy file"},
        {"zip archive", "PK\3\4", "byte 0: not an .npy file"},
        {"version 0", file_with("", "", 0), "byte 6: unknown version 0.0"},
        {"version 4", file_with("", "", 4), "byte 6: unknown version 4.0"},
        {"version 1.1", f4("()", 4).replace(7, 1, "\1"), "byte 6: unknown version 1.1"},
        {"header beyond the file", "\x93NUMPY\1\0\xff\0{}"s, "byte 8: header of 255 bytes in a file of 12"},
        {"header beyond the limit", "\x93NUMPY\1\0\xff\xff{}"s, "byte 8: header of 65535 bytes; the limit is 10000"},
        {"header of 4 GiB", "\x93NUMPY\2\0\xff\xff\xff\xff"s, "header of 4294967295 bytes; the limit is 10000"},
        {"no length", "\x93NUMPY\1\0\xff\0{"s, "byte 6: the file ends before the header"},
        {"no header", "\x93NUMPY\1\0\0\0{}"s, "byte 10: expected '{'"},
        {"no line feed", "\x93NUMPY\1\0\2\0{}"s, "byte 11: expected a string"},
        {"space after line feed", file_with(dictionary("<f4", "()") + "\n ", "1234"), "one line feed after '}'"},
        {"tab", file_with("{\t}"), "byte 11: expected a string"},
        {"text behind", file_with(dictionary("<f4", "()") + "x", "1234"), "expected spaces and one line feed"},
        {"second dictionary", file_with(dictionary("<f4", "()") + "{}", "1234"), "expected spaces and one line feed"},
        {"unclosed dictionary", file_with("{'descr': '<f4'"), "expected ',' and key 'fortran_order'"},
        {"unclosed string", file_with("{'descr"), "expected a string without escapes"},
        {"escape", file_with(R"({'de\x73cr': '<f4'})"), "expected a string without escapes"},
        {"no colon", file_with("{'descr' '<f4'}"), "expected ':'"},
        {"no comma", file_with("{'descr': '<f4' 'shape': ()}"), "expected ',' and key"},
        {"only a comma", file_with("{,}"), "byte 11: expected a string"},
        {"missing descr", file_with("{'fortran_order': False, 'shape': ()}"), "expected ',' and key 'descr'"},
        {"missing order", file_with("{'descr': '<f4', 'shape': ()}"), "expected ',' and key 'fortran_order'"},
        {"missing shape", file_with("{'descr': '<f4', 'fortran_order': False}"), "expected ',' and key 'shape'"},
        {"same key twice", file_with("{'shape': (), 'shape': ()}"), "duplicate or unknown key 'shape'"},
        {"unknown key", file_with("{'strides': ()}"), "duplicate or unknown key 'strides'"},
        {"order is a number", file_with("{'fortran_order': 0}"), "byte 28: expected True or False"},
        {"structured type", file_with("{'descr': [('a', '<f4')]}"), "byte 20: expected a string"},
        {"Python objects", file_with(dictionary("|O", "(1,)"), "12345678"),
         "holds type '|O', which does not read as <f4"},
        {"big-endian", file_with(dictionary(">f4", "(1,)"), "1234"), "holds type '>f4'"},
        {"half", file_with(dictionary("<f2", "(1,)"), "12"), "holds type '<f2'"},
        {"long type", file_with(dictionary(std::string(5000, '\x1b'), "(1,)"), "1234"), "holds type '\\x1b"},

        {"shape is a number", f4("4", 16), "expected '('"},
        {"shape is a list", f4("[4]", 16), "expected '('"},
        {"(n) is no tuple", f4("(4)", 16), "(n) is no tuple"},
        {"only a comma in the shape", f4("(,)", 4), "expected a dimension"},
        {"two commas", f4("(1,,1)", 4), "expected a dimension"},
        {"letters", f4("(abc,)", 4), "expected a dimension from 0 to 2^63 - 1"},
        {"negative", f4("(-1,)", 4), "expected a dimension from 0 to 2^63 - 1"},
        {"minus zero", f4("(-0,)", 0), "expected a dimension from 0 to 2^63 - 1"},
        {"plus", f4("(+1,)", 4), "expected a dimension"},
        {"leading zero", f4("(01,)", 4), "expected a dimension"},
        {"long integer of Python 2", f4("(1L,)", 4), "expected ',' or ')'"},
        {"fraction", f4("(1.0,)", 4), "expected ',' or ')'"},
        {"2^63", f4("(9223372036854775808, 0)", 0), "expected a dimension from 0 to 2^63 - 1"},
        {"rank 9", f4("(1,1,1,1,1,1,1,1,1)", 4), "header: rank 9 exceeds the limit of 8"},
        {"unclosed tuple", file_with("{'shape': (1,"), "expected a dimension"},
        {"bytes overflow", f4("(4611686018427387904,)", 0), "header: the shape overflows"},
        {"elements overflow", f4("(4294967296, 4294967296)", 0), "header: the shape overflows"},
        {"huge shape", f4("(1000000000000,)", 4), "the shape needs 4000000000000 bytes, the file has 4"},
        {"short data", f4("(2,)", 7), "the shape needs 8 bytes, the file has 7"},
        {"bytes behind", f4("(2,)", 9), "the shape needs 8 bytes, the file has 9"},
        {"bytes behind an empty array", f4("(0,)", 1), "the shape needs 0 bytes, the file has 1"},
    };
    for (auto const& [name, file, expected] : cases) {
        CAPTURE(name);
        std::string const error = error_of<float>(file);
        CAPTURE(error);
        CHECK(contains(error, expected));
        CHECK(error.size() < 400);
    }
}

TEST_CASE("npy: limits are the caller's, and exact") {
    std::string const header = dictionary("<f4", "(1, 1)");
    std::vector<std::byte> const file = bytes_of(file_with(header, "1234"));
    auto const error = [&](npy_limits const& limits) {
        return thrown<file_error>([&] { (void)parse_npy<float>(file, "file", limits); });
    };
    CHECK(error({.max_header = header.size() + 1, .max_rank = 2}).empty());
    CHECK(contains(error({.max_header = header.size()}), message("the limit is ", header.size())));
    CHECK(contains(error({.max_rank = 1}), "rank 2 exceeds the limit of 1"));

    temporary_folder const folder;
    write_file_atomically(folder / "a.npy", file);
    CHECK(read_npy<float>(folder / "a.npy", {.max_file = file.size()}).values.size() == 1);
    CHECK(contains(thrown<file_error>([&] { (void)read_npy<float>(folder / "a.npy", {.max_file = file.size() - 1}); }),
                   "a.npy: the file has"));
}

TEMPLATE_TEST_CASE("npy: a file of any type cut at any byte is refused", "", float, double, std::uint8_t, std::int32_t,
                   std::int64_t) {
    temporary_folder const folder;
    write_npy(folder / "a.npy", std::array<std::size_t, 2>{1, 3}, std::vector<TestType>{1, 2, 3});
    std::string const file = text_of(read_file(folder / "a.npy", 1000));
    CHECK(error_of<TestType>(file).empty());
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(error_of<TestType>(file.substr(0, size)).empty());
    }
}

TEST_CASE("npy: a damaged header is refused or read with as many values as its shape says") {
    std::string const file = file_with(dictionary("<f4", "(1, 3)") + "   ", raw<float>({1, 2, 3}));
    int accepted = 0, refused = 0;
    for (std::size_t at = 0; at < file.size() - 12; ++at)
        for (int value = 0; value < 256; ++value) {
            std::string damaged = file;
            damaged[at] = static_cast<char>(value);
            try {
                auto const array = parse<float>(damaged);
                REQUIRE(dense_bytes(array.shape, 1) == array.values.size());
                ++accepted;
            } catch (file_error const&) {
                ++refused;
            }
        }
    CHECK(accepted > 70);  // the byte it was, at the least
    CHECK(refused > 70 * 240);
}
