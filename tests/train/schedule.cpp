#include "sequent/train/schedule.hpp"

#include "golden.hpp"

using namespace sequent_tests;
namespace schedule = sequent::schedule;
using sequent::argument_error;

namespace {

template <class Schedule>
void check(std::string const& name, Schedule const& rate, double base = 0.1) {
    auto const expected = golden("schedules").values(name);
    REQUIRE(expected.size() == 24);
    for (std::size_t step = 0; step < 24; ++step) {
        INFO(name << ", step " << step);
        CHECK(std::abs(rate(static_cast<long long>(step), base) - expected[step]) <= 1e-12 * base);
    }
}

void check_plateau(std::string const& name, schedule::plateau rule) {
    golden const file("schedules");
    auto const expected = file.values(name), metrics = file.values("plateau_metrics");
    double rate = 0.1;
    for (std::size_t call = 0; call < metrics.size(); ++call) {
        rate = rule(metrics[call], rate);
        INFO(name << ", call " << call);
        CHECK(std::abs(rate - expected[call + 1]) <= 1e-12 * expected[call + 1]);
    }
}

}  // namespace

TEST_CASE("schedules are PyTorch's", "[schedule]") {
    check("step", schedule::step{.every = 3, .factor = 0.5});
    check("multi_step", schedule::multi_step{.milestones = {2, 5, 5, 17}});
    check("exponential", schedule::exponential{.factor = 0.9});
    check("cosine", schedule::cosine{.steps = 23});
    check("cosine.periodic", schedule::cosine{.steps = 8, .least = 0.01});
    check("linear", schedule::linear{.first = 0.25, .last = 1, .steps = 10});
    check("linear.decay", schedule::linear{.first = 1, .last = 0, .steps = 20});
}

TEST_CASE("one cycle of the rate is PyTorch's", "[schedule]") {
    check("one_cycle", schedule::one_cycle{.steps = 24});
    check("one_cycle.linear",
          schedule::one_cycle{
              .steps = 24, .rise = 0.4, .shape = schedule::annealing::linear, .start_divisor = 10, .end_divisor = 100},
          0.5);
    check("one_cycle.three_phase", schedule::one_cycle{.steps = 24, .phases = 3});
    // A phase of no length.
    CHECK(schedule::one_cycle{.steps = 4, .rise = 0.25}(0, 1) == 1);
    CHECK(schedule::one_cycle{.steps = 1, .rise = 0.3}(0, 1) == Approx(4e-6));
}

TEST_CASE("a plateau lowers the rate where PyTorch's does", "[schedule]") {
    using schedule::plateau;
    check_plateau("plateau", {.patience = 1});
    check_plateau("plateau.cooldown", {.factor = 0.5, .patience = 2, .cooldown = 2, .least = 0.03});
    check_plateau("plateau.absolute",
                  {.factor = 0.5, .patience = 1, .threshold = 0.15, .threshold_is = plateau::measure::absolute});
    check_plateau("plateau.max", {.direction = plateau::better::higher, .factor = 0.5, .patience = 3});
}

TEST_CASE("a plateau goes on from its state, and NaN is never better", "[schedule]") {
    schedule::plateau whole{.factor = 0.5, .patience = 1, .cooldown = 1}, first = whole;
    std::vector<double> const metrics{3, 2, std::nan(""), 2, 2, 2, 1, 1, 1, 1, 1, 1};
    double rate = 1, rate_in_parts = 1;
    for (double const metric : metrics) {
        rate = whole(metric, rate);
        schedule::plateau resumed{.factor = 0.5, .patience = 1, .cooldown = 1};
        resumed.best = first.best, resumed.bad_calls = first.bad_calls, resumed.cooling = first.cooling;
        rate_in_parts = resumed(metric, rate_in_parts);
        first = resumed;
        CHECK(rate == rate_in_parts);
    }
    CHECK(rate < 1);
    CHECK(whole.best == 1);
}

TEST_CASE("schedules check their options", "[schedule]") {
    CHECK_THROWS_WITH(schedule::step{.every = 0}(0, 1), Catch::Contains("every is 0"));
    CHECK_THROWS_WITH(schedule::cosine{.steps = 0}(0, 1), Catch::Contains("steps is 0"));
    CHECK_THROWS_WITH(schedule::linear{.steps = 0}(0, 1), Catch::Contains("steps is 0"));
    CHECK_THROWS_WITH(schedule::linear{.first = 0}(0, 1), Catch::Contains("first is 0"));
    CHECK_THROWS_WITH(schedule::linear{.last = 1.5}(0, 1), Catch::Contains("last is 1.5"));
    CHECK_THROWS_WITH(schedule::one_cycle{.steps = 0}(0, 1), Catch::Contains("steps is 0"));
    CHECK_THROWS_WITH((schedule::one_cycle{.steps = 8, .rise = -1}(0, 1)), Catch::Contains("rise is -1"));
    CHECK_THROWS_WITH((schedule::one_cycle{.steps = 8, .phases = 1}(0, 1)), Catch::Contains("phases is 1"));
    CHECK_THROWS_WITH(schedule::one_cycle{.steps = 8}(8, 1), Catch::Contains("step 8 is beyond the last of 8"));
    schedule::plateau growing{.factor = 1};
    CHECK_THROWS_AS(growing(1, 1), argument_error);
}
