#include "sequent/core/matrix.hpp"

#include "catch.hpp"

using namespace sequent;

TEST_CASE("matrix_view: rows, elements and blocks of columns") {
    int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7};
    matrix_view<int> const m(numbers, 2, 4);
    CHECK(m.stride == 4);
    CHECK(m(1, 2) == 6);
    CHECK(m.row(1) == numbers + 4);

    matrix_view<int> const middle = m.column_block(1, 2);
    CHECK(middle.rows == 2);
    CHECK(middle.columns == 2);
    CHECK(middle.size() == 4);
    CHECK(matrix_view<int>(nullptr, 1 << 20, 1 << 20).size() == std::size_t{1} << 40);
    CHECK(middle(1, 0) == 5);
    middle(1, 1) = 60;
    CHECK(numbers[6] == 60);

    matrix_view<int const> const constant = m;
    CHECK(constant(0, 3) == 3);
    CHECK(matrix_view<int>(numbers, 2, 3, 5)(1, 2) == 7);
    STATIC_REQUIRE_FALSE(std::is_convertible_v<matrix_view<int const>, matrix_view<int>>);
}

TEST_CASE("matrix_view: without memory it is empty, and so is a block of it") {
    matrix_view<float> const none;
    CHECK(none.empty());
    CHECK(none.column_block(3, 2).empty());
    float number = 0;
    CHECK_FALSE(matrix_view<float>(&number, 0, 1).empty());
}

TEST_CASE("reserve_rows: a matrix in a buffer with room for it") {
    struct {
        int numbers[6] = {};
        std::size_t asked = 0;
        int* reserve(std::size_t n) {
            asked = n;
            return numbers;
        }
    } buffer;
    matrix_view<int> const m = reserve_rows(buffer, 2, 3);
    CHECK(buffer.asked == 6);
    CHECK((m.data == buffer.numbers && m.rows == 2 && m.columns == 3 && m.stride == 3));
}
