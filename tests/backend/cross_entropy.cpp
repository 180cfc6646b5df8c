#include "sequent/backend/cross_entropy.hpp"

#include "catch.hpp"

using namespace sequent;

TEST_CASE("cross_entropy_request: the defaults are PyTorch's") {
    cross_entropy_request const request;
    CHECK(request.class_weights.empty());
    CHECK(request.ignore_index == -100);
    CHECK(request.label_smoothing == 0);
    CHECK_FALSE(request.sum);
}
