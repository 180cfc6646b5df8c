#include "sequent/backend/cuda/launch_list.hpp"

#include "catch.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

namespace {

struct add_number {  // as one more digit, of which the last six stay
    std::ptrdiff_t number;
    std::ptrdiff_t* to;
    void operator()(std::ptrdiff_t j) const { to[j] = (10 * to[j] + number) % 1000000; }
};
struct add_real {  // whose bytes do not say all: 0.0 is -0.0
    double number;
    std::ptrdiff_t* to;
    void operator()(std::ptrdiff_t j) const { to[j] = (10 * to[j] + static_cast<std::ptrdiff_t>(number)) % 1000000; }
};

struct three_numbers {
    emulated_machine machine{};
    device_buffer<emulated_machine, std::ptrdiff_t> memory{};
    std::ptrdiff_t* const numbers = memory.resize(3, 0);

    // What these calls make of zeros, in the first and the last place.
    template <class Real = add_number>
    std::pair<std::ptrdiff_t, std::ptrdiff_t> together(std::ptrdiff_t n) {
        memory.resize(0, 0), memory.resize(3, 0);
        machine.together([&] {
            machine.each(3, add_number{1, numbers});
            machine.each(3, Real{2, numbers});
            machine.each(n, add_number{3, numbers});
        });
        std::ptrdiff_t all[3];
        machine.to_host(numbers, sizeof all, all);
        return {all[0], all[2]};
    }
};

}  // namespace

TEST_CASE("launch_list: a call with padding or reals is not noted") {
    STATIC_REQUIRE(launch_list<emulated_machine>::can_note<detail::each_call<add_number>>);
    STATIC_REQUIRE(launch_list<emulated_machine>::can_note<detail::multiply_call<float>>);
    STATIC_REQUIRE_FALSE(launch_list<emulated_machine>::can_note<detail::each_call<add_real>>);
    STATIC_REQUIRE_FALSE(launch_list<emulated_machine>::can_note<detail::each_row_call<bool>>);
}

TEST_CASE("launch_memory: from the second time on, what was noted is made as one") {
    three_numbers here;
    for (int time = 1; time <= 4; ++time) {
        CHECK(here.together(1) == std::pair<std::ptrdiff_t, std::ptrdiff_t>{123, 12});
        CHECK(here.machine.graphs_launched == std::max(0, time - 1));
    }
    CHECK(here.together(3).second == 123);  // other calls
    CHECK(here.machine.graphs_launched == 3);
    CHECK(here.together(3).second == 123);
    CHECK(here.machine.graphs_launched == 4);
}

TEST_CASE("launch_memory: calls that are not noted are made in their place") {
    three_numbers here;
    for (int time = 1; time <= 3; ++time) CHECK(here.together<add_real>(1).first == 123);
    CHECK(here.machine.graphs_launched == 4);  // what comes before and what comes behind
}

TEST_CASE("launch_memory: an error in between makes nothing; nothing but functions and products is allowed") {
    three_numbers here;
    int number = 0;
    CHECK_THROWS_WITH(here.machine.together([&] {
        here.machine.each(3, add_number{1, here.numbers});
        here.machine.to_host(here.numbers, sizeof number, &number);
    }),
                      "sequent::emulated_machine: together takes each and multiply alone");
    CHECK(here.together(1).first == 123);
}

TEST_CASE("launch_memory: forgets the oldest of many graphs") {
    three_numbers here;
    for (int round = 0; round < 2; ++round)
        for (std::ptrdiff_t n = 0; n < 70; ++n)
            here.machine.together([&] { here.machine.each(3, add_number{n, here.numbers}); });
    CHECK(here.machine.graphs_launched == 70);
    auto const again = [&](std::ptrdiff_t n) {
        long const before = here.machine.graphs_launched;
        here.machine.together([&] { here.machine.each(3, add_number{n, here.numbers}); });
        return here.machine.graphs_launched - before;
    };
    CHECK(again(69) == 1);
    CHECK(again(0) == 0);
}
