#include "sequent/train/schedule.hpp"

#include "golden.hpp"

using namespace sequent_tests;
namespace schedule = sequent::schedule;
using sequent::argument_error;

namespace {

template <class Schedule>
void check(std::string const& name, Schedule const& rate, double base = 0.1, std::string const& file = "schedules") {
    auto const expected = golden(file).values(name);
    REQUIRE(expected.size() == (file == "schedules" ? 24 : 40));
    for (std::size_t step = 0; step < expected.size(); ++step) {
        INFO(name << ", step " << step);
        CHECK(std::abs(rate(static_cast<long long>(step), base) - expected[step]) <= 1e-12 * base);
    }
}

void check_plateau(std::string const& name, schedule::plateau rule, double rate = 0.1,
                   std::string const& file_name = "schedules", std::string const& of_metrics = "plateau_metrics") {
    golden const file(file_name);
    auto const expected = file.values(name), metrics = file.values(of_metrics);
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

TEST_CASE("schedules of default and of other options are PyTorch's over forty steps", "[schedule]") {
    auto const check_long = [](char const* name, double base, auto const& rate) {
        check(name, rate, base, "long_schedules");
    };
    check_long("step.default", 0.1, schedule::step{.every = 7});
    check_long("step", 0.3, schedule::step{.every = 5, .factor = 0.7});
    check_long("multi_step.default", 0.1, schedule::multi_step{.milestones = {30, 0}});
    check_long("multi_step", 0.3, schedule::multi_step{.milestones = {3, 10, 11, 11, 38}, .factor = 0.6});
    check_long("exponential", 0.3, schedule::exponential{.factor = 0.8});
    check_long("cosine.default", 0.1, schedule::cosine{.steps = 39});
    check_long("cosine", 0.3, schedule::cosine{.steps = 7, .least = 0.02});
    check_long("linear.default", 0.1, schedule::linear{});
    check_long("linear", 0.3, schedule::linear{.first = 0.9, .last = 0.2, .steps = 31});
    check_long("one_cycle.default", 0.1, schedule::one_cycle{.steps = 40});
    check_long("one_cycle", 0.3,
               schedule::one_cycle{.steps = 40,
                                   .rise = 0.2,
                                   .shape = schedule::annealing::linear,
                                   .start_divisor = 5,
                                   .end_divisor = 20,
                                   .phases = 3});
}

TEST_CASE("plateaus of default and of other options are PyTorch's over forty steps", "[schedule]") {
    using schedule::plateau;
    auto const check_long = [](std::string const& name, double rate, plateau const& rule) {
        check_plateau(name, rule, rate, "long_schedules", name + "/metrics");
    };
    check_long("plateau.default", 0.1, {});
    check_long("plateau", 0.3,
               {.direction = plateau::better::higher,
                .factor = 0.4,
                .patience = 2,
                .threshold = 0.02,
                .cooldown = 3,
                .least = 0.002,
                .least_change = 1e-3});
    check_long("plateau.absolute", 0.3,
               {.direction = plateau::better::higher,
                .factor = 0.7,
                .patience = 1,
                .threshold = 0.05,
                .threshold_is = plateau::measure::absolute,
                .cooldown = 1,
                .least = 0.01,
                .least_change = 0.02});
    check_long(
        "plateau.down", 0.3,
        {.factor = 0.5, .patience = 0, .threshold = 0.01, .threshold_is = plateau::measure::absolute, .least = 0.05});
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

TEST_CASE("schedules name the option that is out of range, when called and when given to a training", "[schedule]") {
    auto const refused = [](auto rule, std::string const& what) {
        std::string const expected = std::string("sequent::schedule::") + rule.name + ": " + what;
        CHECK_THROWS_WITH(rule(0, 1.0), Catch::StartsWith(expected));
        CHECK_THROWS_AS(rule(0, 1.0), argument_error);
        CHECK_THROWS_WITH(schedule::any(rule), Catch::StartsWith(expected));
    };
    double const nan = std::nan("");
    refused(schedule::step{.every = 0}, "every is 0; give 1 or more");
    refused(schedule::step{.factor = -0.1}, "factor is -0.1; give 0 or more");
    refused(schedule::step{.factor = nan}, "factor is nan");
    refused(schedule::multi_step{.milestones = {3, -1}}, "milestones is -1; give 0 or more");
    refused(schedule::multi_step{.factor = -1}, "factor is -1");
    refused(schedule::exponential{.factor = -1}, "factor is -1");
    refused(schedule::cosine{.steps = 0}, "steps is 0");
    refused(schedule::cosine{.steps = 1, .least = -1}, "least is -1");
    refused(schedule::linear{.steps = 0}, "steps is 0");
    refused(schedule::linear{.first = 0}, "first is 0");
    refused(schedule::linear{.first = 1.5}, "first is 1.5; give more than 0, up to 1");
    refused(schedule::linear{.last = 1.5}, "last is 1.5; give 0 to 1");
    refused(schedule::linear{.last = -0.5}, "last is -0.5");
    refused(schedule::one_cycle{.steps = 0}, "steps is 0");
    refused(schedule::one_cycle{.steps = 8, .rise = -1}, "rise is -1");
    refused(schedule::one_cycle{.steps = 8, .rise = 1.5}, "rise is 1.5");
    refused(schedule::one_cycle{.steps = 8, .rise = nan}, "rise is nan");
    refused(schedule::one_cycle{.steps = 8, .start_divisor = 0}, "start_divisor is 0; give more than 0");
    refused(schedule::one_cycle{.steps = 8, .end_divisor = 0}, "end_divisor is 0");
    refused(schedule::one_cycle{.steps = 8, .phases = 1}, "phases is 1; give 2 or 3");
    refused(schedule::plateau{.factor = 1}, "factor is 1; give 0 or more, less than 1");
    refused(schedule::plateau{.factor = -0.5}, "factor is -0.5");
    refused(schedule::plateau{.patience = -1}, "patience is -1");
    refused(schedule::plateau{.threshold = nan}, "threshold is nan; give a number");
    refused(schedule::plateau{.cooldown = -1}, "cooldown is -1");
    refused(schedule::plateau{.least = -1}, "least is -1");
    refused(schedule::plateau{.least_change = nan}, "least_change is nan");
    CHECK_THROWS_WITH(schedule::one_cycle{.steps = 8}(8, 1), Catch::Contains("step 8 is beyond the last of 8"));
}
