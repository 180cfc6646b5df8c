#include "sequent/core/number.hpp"

#include "catch.hpp"

using namespace sequent;

TEST_CASE("numbers: a list that may be empty") {
    numbers<double, 3> three{{1, 2, 3}};
    three[1] = 5;
    CHECK(three[0] + three[1] + three[2] == 9);
    numbers<double, 0> const none{};
    CHECK(none[0] == 0);  // room for one, so that a pointer to it is valid
}

TEST_CASE("fma: one rounding") {
    CHECK(sequent::fma(1 + 0x1p-30, 1 - 0x1p-30, -1.0) == -0x1p-60);
    CHECK(sequent::fma(1 + 0x1p-13f, 1 - 0x1p-13f, -1.0f) == -0x1p-26f);
}
