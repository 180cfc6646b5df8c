#include "sequent/sequence/packed_sequence.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

using sequences = std::vector<std::vector<int>>;

std::string padded_error(int batch, int time, int features, std::vector<int> const& lengths) {
    std::vector<int> const array(64);
    return thrown<argument_error>([&] { (void)pack_padded(array.data(), batch, time, features, lengths); });
}

}  // namespace

TEST_CASE("packed_sequence: padded batches as PyTorch packs and pads them") {
    golden const file("packing");
    for (std::string const& name : file.words("cases")) {
        INFO(name);
        auto const shape = file.shape(name + "/padded");
        auto const padded = file.values(name + "/padded");
        auto const packed =
            pack_padded(padded.data(), shape[0], shape[1], shape[2], file.values<int>(name + "/lengths"));
        CHECK(packed.values == file.values(name + "/data"));
        CHECK(packed.features == shape[2]);
        CHECK(packed.shape.steps() == shape[1]);

        std::vector<double> again(padded.size(), 7);
        unpack_padded(packed.shape, packed.rows(), again.data(), shape[1]);
        CHECK(again == padded);  // the padding of the fixtures is zero

        std::vector<double> wider(static_cast<std::size_t>(shape[0] * (shape[1] + 2) * shape[2]), 7);
        unpack_padded(packed.shape, packed.rows(), wider.data(), shape[1] + 2, -1.0);
        std::size_t const row = static_cast<std::size_t>(shape[2]), sequence = static_cast<std::size_t>(shape[1]) * row;
        for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]); ++i) {
            std::size_t const length = static_cast<std::size_t>(file.values<int>(name + "/lengths")[i]) * row;
            for (std::size_t j = 0; j < sequence + 2 * row; ++j)
                CHECK(wider[i * (sequence + 2 * row) + j] == (j < length ? padded[i * sequence + j] : -1));
        }
    }
}

TEST_CASE("packed_sequence: sequences one by one, there and back, empty ones too") {
    sequences const words{{1, 2}, {5, 6, 7, 8}, {}, {9}};
    auto const packed = pack(words);
    STATIC_REQUIRE(std::is_same_v<decltype(packed), packed_sequence<int> const>);
    CHECK(packed.values == std::vector{5, 1, 9, 6, 2, 7, 8});
    CHECK(unpack(packed) == words);

    sequences const pairs{{1, 2, 3, 4}, {}, {5, 6}};
    auto const rows = pack(pairs, 2);
    CHECK(rows.shape.rows() == 3);
    CHECK(rows.rows()(2, 1) == 4);
    CHECK(unpack(rows) == pairs);

    std::vector<std::span<int const>> const spans{words[0], words[3]};
    CHECK(pack(spans).values == std::vector{1, 9, 2});
    CHECK(unpack(pack(sequences{{}, {}})) == sequences{{}, {}});
}

TEST_CASE("packed_sequence: pack_into reuses its memory") {
    packed_sequence<int> packed;
    pack_into(packed, sequences{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
    int const* const memory = packed.values.data();
    pack_into(packed, sequences{{1}, {2, 3}});
    CHECK(packed.values == std::vector{2, 1, 3});
    CHECK(packed.values.data() == memory);
}

TEST_CASE("packed_sequence: says what cannot be packed") {
    struct endless {  // says that it has more steps than an int counts
        std::array<int, 5> values{};
        [[nodiscard]] static std::size_t size() { return (std::size_t{1} << 32) + 5; }
        [[nodiscard]] int const* data() const { return values.data(); }
    };
    CHECK_THROWS_WITH(pack(std::vector<endless>(1)),
                      "sequent::pack: sequence 0 has 4294967301 steps, more than an int counts");
    CHECK(thrown<argument_error>([] {
              (void)pack(sequences{{1, 2, 3}}, 2);
          }) == "sequent::pack: sequence 0 has 3 numbers, not a multiple of features = 2");
    CHECK(thrown<argument_error>([] { (void)pack(sequences{{1}}, 0); }) ==
          "sequent::pack: features is 0; give 1 or more");
    CHECK(thrown<argument_error>([] { (void)pack(sequences{}); }) ==
          "sequent::packing: cannot pack an empty list of sequences");
}

TEST_CASE("packed_sequence: PyTorch's errors of padded batches, and its three holes") {
    CHECK(padded_error(3, 4, 1, {1, 4, 2, 1}) ==
          "sequent::pack_padded: expected one length per sequence, 3, but got 4");
    CHECK(padded_error(3, 4, 1, {4, 2}) ==  // PyTorch drops a row
          "sequent::pack_padded: expected one length per sequence, 3, but got 2");
    CHECK(padded_error(2, 4, 1, {4, 5}) ==  // PyTorch makes an inconsistent object
          "sequent::pack_padded: lengths[1] is 5, but the array has only 4 steps");
    CHECK(padded_error(2, 4, 1, {3, 2}) ==  // PyTorch cuts the array
          "sequent::pack_padded: the array has 4 steps, but the longest length is 3; cut the array or correct the "
          "lengths");
    CHECK(padded_error(2, 4, 1, {4, -1}) == "sequent::packing: lengths[1] is -1; give 0 or more");
    CHECK(padded_error(0, 4, 1, {}) == "sequent::pack_padded: cannot pack an array of shape [0, 4, 1]");
    CHECK(padded_error(2, -1, 1, {0, 0}) == "sequent::pack_padded: cannot pack an array of shape [2, -1, 1]");
    CHECK(padded_error(2, 4, 0, {4, 4}) == "sequent::pack_padded: cannot pack an array of shape [2, 4, 0]");
    CHECK(padded_error(2, 4, 1, {0, 4}) == "");  // a length of zero is legal here
    CHECK(padded_error(2, 0, 1, {0, 0}) == "");

    auto const packed = pack(sequences{{1, 2, 3, 4}, {5}});
    std::vector<int> room(8);
    CHECK(thrown<argument_error>([&] { unpack_padded(packed.shape, packed.rows(), room.data(), 3); }) ==
          "sequent::unpack: expected room for at least the longest sequence, 4 steps, but got 3");
}
