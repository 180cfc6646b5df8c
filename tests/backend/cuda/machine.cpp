#include "sequent/backend/cuda/machine.hpp"

#include "catch.hpp"
#include "on_device.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent_tests;

TEST_CASE("machine: the concepts") {
    STATIC_REQUIRE(machine<emulated_machine>);
    STATIC_REQUIRE_FALSE(machine<int>);
    STATIC_REQUIRE(on_machine<emulated>);
    STATIC_REQUIRE_FALSE(on_machine<cpu>);
}
