#include "sequent/cell/activation.hpp"

#include <limits>

#include "catch.hpp"

using namespace sequent;

TEST_CASE("precise: values and limits of the activations") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(precise::tanh(0.5) == Approx(0.46211715726000975850).epsilon(1e-15));
    CHECK(precise::tanh(infinity) == 1);
    CHECK(precise::sigmoid(0.0) == 0.5);
    CHECK(precise::sigmoid(2.0) == Approx(0.88079707797788244406).epsilon(1e-15));
    CHECK(precise::sigmoid(-infinity) == 0);
    CHECK(precise::sigmoid(infinity) == 1);
    CHECK(precise::sigmoid(-1000.0) == 0);  // exp overflows; the quotient does not
    CHECK(precise::relu(-2.0f) == 0);
    CHECK(precise::relu(2.0f) == 2);
    CHECK(precise::positive(0.0) == 0);
    CHECK(precise::positive(-1.0) == 0);
    CHECK(precise::positive(1e-300) == 1);
}

TEST_CASE("precise: NaN stays NaN, as in PyTorch") {
    double const nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(std::isnan(precise::tanh(nan)));
    CHECK(std::isnan(precise::sigmoid(nan)));
    CHECK(std::isnan(precise::relu(nan)));
}
