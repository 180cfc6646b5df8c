#include "sequent/backend/cpu/recurrent_layout.hpp"

#include <set>

#include "catch.hpp"
#include "layer/random_data.hpp"
#include "sequent/cell/gru.hpp"

using namespace sequent;
using namespace sequent_tests;

TEST_CASE("cpu_recurrent_layout: gates have places of their own, and weights come back from them") {
    using cell = gru<4, 19>;
    using layout = cpu_recurrent_layout<cell, float>;
    STATIC_REQUIRE(layout::padded == 32);
    STATIC_REQUIRE(layout::gate_row == 96);
    std::set<int> places;
    for (int g = 0; g < 3; ++g)
        for (int u = 0; u < 19; ++u) places.insert(layout::place(g, u));
    CHECK(places.size() == 57);
    CHECK(*places.begin() == 0);
    CHECK(*places.rbegin() < layout::gate_row);

    // A panel's number (block, k, gate, lane) is the weight of its unit and gate, and zero in the padding.
    auto const weight = random_values<float>(57 * 4, 1), bias = random_values<float>(57, 2);
    std::vector<float> packed(layout::packed_size(4), 7);
    layout::pack_gates(weight.data(), bias.data(), 4, packed.data());
    for (int block = 0; block < 2; ++block)
        for (int g = 0; g < 3; ++g)
            for (int lane = 0; lane < 16; ++lane) {
                int const u = block * 16 + lane;
                for (int k = 0; k < 4; ++k)
                    CHECK(packed[static_cast<std::size_t>(((block * 4 + k) * 3 + g) * 16 + lane)] ==
                          (u < 19 ? weight[static_cast<std::size_t>((g * 19 + u) * 4 + k)] : 0));
                CHECK(packed[static_cast<std::size_t>(4 * 96 + (block * 3 + g) * 16 + lane)] ==
                      (u < 19 ? bias[static_cast<std::size_t>(g * 19 + u)] : 0));
            }

    // Rows of a block, of 2 columns and 3 apart, are added to the weights of its units.
    std::vector<float> rows(96 * 3), sum(57 * 2, 1);
    for (std::size_t j = 0; j < rows.size(); ++j) rows[j] = static_cast<float>(j);
    for (int block = 0; block < 2; ++block) layout::add_gates(rows.data() + block * 48 * 3, block, 3, 2, sum.data());
    for (int g = 0; g < 3; ++g)
        for (int u = 0; u < 19; ++u)
            CHECK(sum[static_cast<std::size_t>((g * 19 + u) * 2 + 1)] ==
                  static_cast<float>(layout::place(g, u) * 3 + 2));
}

TEST_CASE("cpu_recurrent_layout: transposed weights and columns stand in blocks, with zeros behind the last") {
    using layout = cpu_recurrent_layout<gru<4, 19>, float>;
    auto const weight = random_values<float>(57 * 21, 1);
    std::vector<float> back(layout::back_size(21), 7);
    REQUIRE(back.size() == 2 * 96 * 16);
    layout::pack_back(weight.data(), 21, back.data());
    std::vector<float> expected(back.size());
    for (int g = 0; g < 3; ++g)
        for (int u = 0; u < 19; ++u)
            for (int k = 0; k < 21; ++k)
                expected[static_cast<std::size_t>((k / 16 * 96 + layout::place(g, u)) * 16 + k % 16)] =
                    weight[static_cast<std::size_t>((g * 19 + u) * 21 + k)];
    CHECK(back == expected);

    std::vector<float> columns(2 * 3 * 16, 7);
    for (int row = 0; row < 3; ++row) layout::put_columns<21>(weight.data() + row * 21, 3, row, columns.data());
    for (int row = 0; row < 3; ++row)
        for (int k = 0; k < 32; ++k)
            CHECK(columns[static_cast<std::size_t>((k / 16 * 3 + row) * 16 + k % 16)] ==
                  (k < 21 ? weight[static_cast<std::size_t>(row * 21 + k)] : 0));
    CHECK(layout::at(1, 3, 2, 3) == (3 + 2) * 3 * 16);
}

TEST_CASE("cpu_recurrent_weights: made anew when the version changes, or is not known") {
    using cell = gru<4, 3>;
    std::vector<double> parameters(static_cast<std::size_t>(recurrent_layout<cell>::size), 1);
    cpu_recurrent_weights<cell, double> weights;
    weights.update(parameters.data(), 5);
    CHECK(weights.hidden[0] == 1);
    std::fill(parameters.begin(), parameters.end(), 2);
    weights.update(parameters.data(), 5);
    CHECK(weights.hidden[0] == 1);
    weights.update(parameters.data(), 6);
    CHECK(weights.hidden[0] == 2);
    weights.update_back(parameters.data(), 6);
    CHECK(weights.back[0] == 2);
    std::fill(parameters.begin(), parameters.end(), 3);
    weights.update(parameters.data(), 0);
    weights.update_back(parameters.data(), 0);
    CHECK(weights.input[0] == 3);
    CHECK(weights.back[0] == 3);
}

TEST_CASE("step_order: who goes on, who starts and who ends") {
    packing const shape(std::vector{3, 1, 4});
    struct visited {
        int t, first, last;
        bool continues;
        bool operator==(visited const&) const = default;
    };
    auto const visits = [&](direction way, bool backwards, int begin, int end) {
        std::vector<visited> seen;
        step_order{shape, way}.visit(backwards, begin, end, [&](int t, int first, int last, bool continues) {
            seen.push_back({t, first, last, continues});
        });
        return seen;
    };
    using list = std::vector<visited>;
    CHECK(visits(direction::forward, false, 0, 3) ==
          list{{0, 0, 3, false}, {1, 0, 2, true}, {2, 0, 2, true}, {3, 0, 1, true}});
    CHECK(visits(direction::forward, true, 0, 3) ==
          list{{3, 0, 1, true}, {2, 0, 2, true}, {1, 0, 2, true}, {0, 0, 3, false}});
    CHECK(
        visits(direction::reverse, false, 0, 3) ==
        list{{3, 0, 1, false}, {2, 0, 1, true}, {2, 1, 2, false}, {1, 0, 2, true}, {0, 0, 2, true}, {0, 2, 3, false}});
    CHECK(visits(direction::forward, false, 1, 3) == list{{0, 1, 3, false}, {1, 1, 2, true}, {2, 1, 2, true}});
}
