#include "sequent/model/states.hpp"

#include "catch.hpp"
#include "io/helpers.hpp"

using namespace sequent;
using namespace sequent_tests;

TEST_CASE("states: by name, in the user's order") {
    states<float> given{2, {{"h_l0", 3, {1, 2, 3, 4, 5, 6}}, {"c_l0", 3, std::vector<float>(6)}}};
    CHECK(given["h_l0"](1, 0) == 4);
    given["c_l0"](0, 2) = 7;
    states<float> const& constant = given;
    CHECK(constant["c_l0"](0, 2) == 7);
    CHECK(constant["h_l0"].rows == 2);
}

TEST_CASE("states: a name or a size that does not fit") {
    states<float> const given{2, {{"h_l0", 3, std::vector<float>(5)}, {"c_l0", 3, std::vector<float>(6)}}};
    CHECK(thrown<argument_error>([&] { (void)given["h"]; }) ==
          "sequent::states: no state is called 'h'; there are: h_l0, c_l0");
    CHECK(thrown<argument_error>([&] { (void)given["h_l0"]; }) ==
          "sequent::states: expected the size of state 'h_l0' to be [2, 3], got 5 values");
    CHECK(given["c_l0"].columns == 3);
}
