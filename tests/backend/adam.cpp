#include "sequent/backend/adam.hpp"

#include "catch.hpp"

using namespace sequent;

TEST_CASE("adam_step: bias corrections of Kingma and Ba") {
    adam_constants const constants;
    adam_step const first = adam_step::at(constants, 1, 1e-3);
    CHECK(first.rate == 1e-3);
    CHECK(first.rate_over_correction1 == Approx(1e-3 / 0.1).epsilon(1e-14));
    CHECK(first.inverse_correction1 == Approx(10).epsilon(1e-14));
    CHECK(first.root_correction2 == Approx(1 / std::sqrt(0.001)).epsilon(1e-12));
    CHECK(first.shrink == 1);

    adam_step const third = adam_step::at({.beta1 = 0.5, .beta2 = 0.75}, 3, 0.1, 0.2);
    CHECK(third.rate_over_correction1 == Approx(0.1 / (1 - 0.125)).epsilon(1e-15));
    CHECK(third.root_correction2 == Approx(1 / std::sqrt(1 - 0.421875)).epsilon(1e-15));
    CHECK(third.shrink == Approx(1 - 0.1 * 0.2).epsilon(1e-15));

    adam_step const late = adam_step::at(constants, 10'000'000, 1e-3);  // no correction is left
    CHECK(late.rate_over_correction1 == 1e-3);
    CHECK(late.root_correction2 == 1);
}
