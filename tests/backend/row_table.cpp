#include "sequent/backend/row_table.hpp"

#include "catch.hpp"
#include "dense_adam.hpp"
#include "layer/random_data.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

constexpr int rows = 6, width = 3;
using table = row_table<cpu, float>;

table make_table(std::uint64_t seed = 1) {
    table made;
    made.resize(rows, width);
    auto const values = random_values<float>(rows * width, seed);
    std::copy(values.begin(), values.end(), made.writable_values({}).data);
    return made;
}
void add(table& to, std::vector<int> const& ids, std::vector<float> const& gradient) {
    to.add_gradient({}, ids, matrix_view<float const>(gradient.data(), static_cast<int>(ids.size()), width));
}
std::vector<float> row(matrix_view<float const> m, int r) { return {m.row(r), m.row(r) + m.columns}; }

}  // namespace

TEST_CASE("row_table: reads rows, gradients add up row by row") {
    table t = make_table();
    std::vector<float> read(2 * width);
    t.read({}, std::vector{4, 1}, matrix_view<float>(read.data(), 2, width));
    CHECK(std::vector<float>(read.begin() + width, read.end()) == row(t.values({}), 1));

    add(t, {4, 1}, {1, 2, 3, 4, 5, 6});
    add(t, {0, 4}, {7, 8, 9, 10, 20, 30});
    CHECK(std::vector<int>(t.touched().begin(), t.touched().end()) == std::vector{4, 1, 0});
    CHECK(row(t.gradient_rows(), 0) == std::vector<float>{11, 22, 33});
    CHECK(row(t.gradient_rows(), 1) == std::vector<float>{4, 5, 6});
    CHECK(row(t.gradient_rows(), 2) == std::vector<float>{7, 8, 9});
    CHECK(t.sum_of_squared_gradients({}) == 11 * 11 + 22 * 22 + 33 * 33 + 16 + 25 + 36 + 49 + 64 + 81);

    t.forget_gradients();
    CHECK(t.touched().empty());
    CHECK(t.sum_of_squared_gradients({}) == 0);
    add(t, {1}, {1, 1, 1});
    CHECK(row(t.gradient_rows(), 0) == std::vector<float>{1, 1, 1});
}

TEST_CASE("row_table: the padding row's gradient stays zero, a frozen table has none") {
    table t = make_table();
    t.padding = 1;
    add(t, {1, 2}, {1, 2, 3, 4, 5, 6});
    add(t, {1}, {1, 2, 3});
    CHECK(row(t.gradient_rows(), 0) == std::vector<float>{0, 0, 0});
    CHECK(row(t.gradient_rows(), 1) == std::vector<float>{4, 5, 6});

    table frozen = make_table();
    frozen.frozen = true;
    add(frozen, {1, 2}, {1, 2, 3, 4, 5, 6});
    CHECK(frozen.touched().empty());
    CHECK(row(frozen.dense_gradient({}), 1) == std::vector<float>{0, 0, 0});
}

TEST_CASE("row_table: the dense gradient has zeros where no row was touched") {
    table t = make_table();
    add(t, {4, 1}, {1, 2, 3, 4, 5, 6});
    for (int repeat = 0; repeat < 2; ++repeat) {
        auto const dense = t.dense_gradient({});
        REQUIRE(dense.rows == rows);
        for (int r = 0; r < rows; ++r)
            CHECK(row(dense, r) == (r == 4   ? std::vector<float>{1, 2, 3}
                                    : r == 1 ? std::vector<float>{4, 5, 6}
                                             : std::vector<float>{0, 0, 0}));
    }
}

TEST_CASE("row_table: rows that pause owe steps, and who reads them gets them to the bit") {
    adam_constants const constants;
    table lazy = make_table();
    dense_adam<float> dense(constants, width, numbers_of<float>(lazy.values({})));
    int owner = 0;
    lazy.begin_adam({}, &owner, constants);
    random_stream const random{3, 4};
    for (int t = 1; t <= 40; ++t) {
        adam_step const step = adam_step::at(constants, t, t % 3 == 0 ? 2e-2 : 1e-2);
        std::vector<int> const ids{static_cast<int>(random.below(static_cast<std::uint64_t>(t), 5))};  // row 5: never
        auto const gradient = random_values<float>(width, static_cast<std::uint64_t>(t));
        lazy.forget_gradients();
        add(lazy, ids, gradient);
        lazy.adam_step_rows({}, &owner, step);
        dense.step(step, ids, gradient);
        if (t == 20) {
            std::vector<float> read(width);
            lazy.read({}, std::vector{2}, matrix_view<float>(read.data(), 1, width));
            CHECK(same_bits(read, {dense.p.begin() + 2 * width, dense.p.begin() + 3 * width}));
        }
        if (t == 30) lazy.trim_history({});  // changes no later bit
    }
    table copy = lazy, plain = lazy;  // owe what the original owes
    plain.end_adam({});
    CHECK_FALSE(plain.adam.has_value());
    CHECK(same_bits(numbers_of<float>(plain.values({})), dense.p));
    int other = 0;
    copy.begin_adam({}, &other, constants);
    CHECK(same_bits(numbers_of<float>(copy.values({})), dense.p));
    lazy.end_adam({}, &other);  // not its own
    CHECK(lazy.adam.has_value());
    lazy.end_adam({}, &owner);
    CHECK_FALSE(lazy.adam.has_value());
    CHECK(same_bits(numbers_of<float>(lazy.values({})), dense.p));
    CHECK_THROWS_AS(lazy.adam_step_rows({}, &owner, adam_step{}), argument_error);
}
