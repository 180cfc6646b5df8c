#include "sequent/backend/sgd.hpp"

#include "catch.hpp"

using namespace sequent;

TEST_CASE("a step of SGD dampens every gradient but the first", "[sgd]") {
    sgd_constants const constants{.momentum = 0.9, .dampening = 0.25};
    sgd_step const first = sgd_step::at(constants, 1, 0.1), second = sgd_step::at(constants, 2, 0.2);
    CHECK(first.rate == 0.1);
    CHECK(first.kept == 0.9);
    CHECK(first.taken == 1);
    CHECK(second.rate == 0.2);
    CHECK(second.kept == 0.9);
    CHECK(second.taken == 0.75);
}
