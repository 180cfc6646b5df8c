#include "sequent/backend/cpu/sgd.hpp"

#include "sequent/backend/cpu/cpu.hpp"

#include <vector>

#include "catch.hpp"

using namespace sequent;

// Numbers that are exact in binary, so that no rounding hides a mistake.
TEST_CASE("the element update of SGD", "[sgd]") {
    std::vector<float> const gradient{1, -2, 0, 4, 8};
    std::vector<float> p{8, 8, 8, 8, 8}, velocity(5, 0.0f);

    sgd_update<float>(cpu{}, {}, {.rate = 0.5}, p.data(), nullptr, gradient.data(), 5);
    CHECK(p == std::vector<float>{7.5, 9, 8, 6, 4});

    p.assign(5, 8);
    sgd_update<float>(cpu{}, {.weight_decay = 0.25}, {.rate = 0.5}, p.data(), nullptr, gradient.data(), 5);
    CHECK(p == std::vector<float>{6.5, 8, 7, 5, 3});

    sgd_constants const constants{.momentum = 0.5, .dampening = 0.5};
    p.assign(5, 8);
    for (int t : {1, 2})
        sgd_update(cpu{}, constants, sgd_step::at(constants, t, 0.5), p.data(), velocity.data(), gradient.data(), 5);
    CHECK(velocity == std::vector<float>{1, -2, 0, 4, 8});  // g, then g / 2 + g / 2
    CHECK(p == std::vector<float>{7, 10, 8, 4, 0});

    sgd_constants const nesterov{.momentum = 0.5, .nesterov = true};
    p.assign(5, 8), velocity.assign(5, 0);
    for (int t : {1, 2})
        sgd_update(cpu{}, nesterov, sgd_step::at(nesterov, t, 0.5), p.data(), velocity.data(), gradient.data(), 5);
    CHECK(velocity == std::vector<float>{1.5, -3, 0, 6, 12});  // g, then 3/2 g
    CHECK(p == std::vector<float>{6.375, 11.25, 8, 1.5, -5});  // 8 - (3/2 + 7/4) g / 2
}
