#include "sequent/backend/cuda/device_number.hpp"

#include "catch.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

namespace {

struct pair_of {
    double first;
    int second;
};
struct write_pair {
    pair_of* to;
    pair_of value;
    void operator()(std::ptrdiff_t) const { *to = value; }
};
device_number<emulated_machine, pair_of> ask(emulated_machine& machine, pair_of value) {
    return {machine, [&](pair_of* to) { machine.each(1, write_pair{to, value}); }};
}

}  // namespace

TEST_CASE("device_number: the number of its time, read once and late") {
    emulated_machine machine;
    auto const one = ask(machine, {0.5, 7}), copy = one;
    auto const first = one.part(&pair_of::first);
    auto const second = one.part(&pair_of::second);
    auto const other = ask(machine, {1.5, 8});
    CHECK(machine.waits->of_answers == 0);
    emulated_machine::close();
    CHECK(first == 0.5);
    CHECK(static_cast<pair_of>(copy).second == 7);
    CHECK(second == 7);
    CHECK(machine.waits->of_answers == 1);
    CHECK(machine.waits->fewest == 2);  // the writing and the sending of the other one came between
    CHECK(static_cast<pair_of>(other).first == 1.5);
    CHECK(machine.waits->of_answers == 2);
    CHECK(machine.waits->whole == 0);
}

TEST_CASE("device_number: survives its machine; functions read it on the device") {
    auto machine = std::make_unique<emulated_machine>();
    auto const one = ask(*machine, {0.5, 7});
    int there = 0;
    machine->to_host(one.part(&pair_of::second).on_device(), sizeof there, &there);
    CHECK(there == 7);
    machine.reset();
    CHECK(static_cast<pair_of>(one).first == 0.5);
}
