// Learning rates that change: PyTorch's schedulers. All but plateau are pure functions of the step (or epoch, whatever
// the caller counts), from 0 on, and the base rate; where PyTorch multiplies rate after rate, these agree to rounding.
// They throw argument_error, naming the option, where one is out of range.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "../core/error.hpp"

namespace sequent::schedule {

namespace detail {
// each_option(f): f(option, value, whether it is in range, which range that is), again for each number of a list.
template <class Schedule>
void check(Schedule const& of) {
    of.each_option([](char const* option, auto value, bool fits, char const* range) {
        require(fits, "sequent::schedule::", Schedule::name, ": ", option, " is ", value, "; give ", range);
    });
}
}  // namespace detail

// StepLR: base * factor^floor(step / every).
struct step {
    long long every = 1;
    double factor = 0.1;

    static constexpr char const* name = "step";
    void each_option(auto const& f) const {
        f("every", every, every >= 1, "1 or more"), f("factor", factor, factor >= 0, "0 or more");
    }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        return base * std::pow(factor, static_cast<double>(now / every));
    }
};

// MultiStepLR: one factor for each milestone reached; one given twice counts twice.
struct multi_step {
    std::vector<long long> milestones = {};
    double factor = 0.1;

    static constexpr char const* name = "multi_step";
    void each_option(auto const& f) const {
        f("factor", factor, factor >= 0, "0 or more");
        for (long long const one : milestones) f("milestones", one, one >= 0, "0 or more");
    }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        auto const reached = std::ranges::count_if(milestones, [now](long long milestone) { return milestone <= now; });
        return base * std::pow(factor, static_cast<double>(reached));
    }
};

// ExponentialLR: base * factor^step.
struct exponential {
    double factor = 0.9;

    static constexpr char const* name = "exponential";
    void each_option(auto const& f) const { f("factor", factor, factor >= 0, "0 or more"); }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        return base * std::pow(factor, static_cast<double>(now));
    }
};

// CosineAnnealingLR (Loshchilov and Hutter 2017, without restarts): from base down to `least` in `steps` and, as
// PyTorch's, up again if the steps go on.
struct cosine {
    long long steps = 1;
    double least = 0;

    static constexpr char const* name = "cosine";
    void each_option(auto const& f) const {
        f("steps", steps, steps >= 1, "1 or more"), f("least", least, least >= 0, "0 or more");
    }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        double const turned = std::numbers::pi * static_cast<double>(now) / static_cast<double>(steps);
        return least + (base - least) * (1 + std::cos(turned)) / 2;
    }
};

// LinearLR: from base * first to base * last in `steps`, then base * last. A warm-up, or a fall to zero.
struct linear {
    double first = 1.0 / 3, last = 1;
    long long steps = 5;

    static constexpr char const* name = "linear";
    void each_option(auto const& f) const {
        f("steps", steps, steps >= 1, "1 or more"), f("first", first, first > 0 && first <= 1, "more than 0, up to 1");
        f("last", last, last >= 0 && last <= 1, "0 to 1");
    }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        double const gone = static_cast<double>(std::min(now, steps)) / static_cast<double>(steps);
        return base * (first + (last - first) * gone);
    }
};

enum class annealing { cosine, linear };

// OneCycleLR (Smith and Topin 2018) of the rate alone; the base rate is the peak (PyTorch's max_lr). Up from base /
// start_divisor within the share `rise` of the steps, then down to base / start_divisor / end_divisor, by way of the
// start rate if there are three phases. Throws argument_error from step number `steps` on.
struct one_cycle {
    long long steps = 1;
    double rise = 0.3;
    annealing shape = annealing::cosine;
    double start_divisor = 25, end_divisor = 1e4;
    int phases = 2;  // or 3

    static constexpr char const* name = "one_cycle";
    void each_option(auto const& f) const {
        f("steps", steps, steps >= 1, "1 or more"), f("rise", rise, rise >= 0 && rise <= 1, "0 to 1");
        f("shape", shape == annealing::linear, true, ""), f("phases", phases, phases == 2 || phases == 3, "2 or 3");
        f("start_divisor", start_divisor, start_divisor > 0, "more than 0");
        f("end_divisor", end_divisor, end_divisor > 0, "more than 0");
    }
    [[nodiscard]] double operator()(long long now, double base) const {
        detail::check(*this);
        require(now < steps, "sequent::schedule::one_cycle: step ", now, " is beyond the last of ", steps);
        double const start = base / start_divisor, end = start / end_divisor;
        double const at = static_cast<double>(now), all = static_cast<double>(steps);
        double const peak_at = rise * all - 1, end_at = all - 1;
        if (at <= peak_at) return between(start, base, at, 0, peak_at);
        if (phases == 2) return between(base, end, at, peak_at, end_at);
        double const fallen_at = 2 * rise * all - 2;
        if (at <= fallen_at) return between(base, start, at, peak_at, fallen_at);
        return between(start, end, at, fallen_at, end_at);
    }

  private:
    [[nodiscard]] double between(double from, double to, double at, double begin, double end) const {
        double const share = end == begin ? 1 : (at - begin) / (end - begin);
        return shape == annealing::linear ? from + (to - from) * share
                                          : to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
    }
};

// ReduceLROnPlateau: lowers the rate when a metric has not become better for more than `patience` calls. The last three
// members are its state: what a checkpoint has to keep.
struct plateau {
    enum class better { lower, higher };
    enum class measure { relative, absolute };

    better direction = better::lower;
    double factor = 0.1;
    int patience = 10;
    double threshold = 1e-4;  // by how much better counts as better
    measure threshold_is = measure::relative;
    int cooldown = 0;  // calls after a change in which nothing is held against the metric
    double least = 0;
    double least_change = 1e-8;  // a smaller one is not made

    std::optional<double> best = {};
    int bad_calls = 0;
    int cooling = 0;

    static constexpr char const* name = "plateau";
    void each_option(auto const& f) const {
        f("direction", direction == better::higher, true, ""), f("least", least, least >= 0, "0 or more");
        f("factor", factor, factor >= 0 && factor < 1, "0 or more, less than 1");
        f("patience", patience, patience >= 0, "0 or more"), f("cooldown", cooldown, cooldown >= 0, "0 or more");
        f("threshold", threshold, !std::isnan(threshold), "a number");
        f("threshold_is", threshold_is == measure::absolute, true, "");
        f("least_change", least_change, !std::isnan(least_change), "a number");
    }
    // The rate to go on with, given the metric (a validation loss, say) and the rate so far.
    [[nodiscard]] double operator()(double metric, double rate) {
        detail::check(*this);
        bool const good = is_better(metric);
        if (good) best = metric;
        bad_calls = good || cooling > 0 ? 0 : bad_calls + 1;
        if (cooling > 0) --cooling;
        if (bad_calls <= patience) return rate;
        cooling = cooldown;
        bad_calls = 0;
        double const lowered = std::max(rate * factor, least);
        return rate - lowered > least_change ? lowered : rate;
    }

  private:
    [[nodiscard]] bool is_better(double metric) const {
        bool const low = direction == better::lower;
        double const worst = std::numeric_limits<double>::infinity(), margin = low ? -threshold : threshold;
        double bound = low ? worst : -worst;
        if (best) bound = threshold_is == measure::relative ? *best * (1 + margin) : *best + margin;
        return low ? metric < bound : metric > bound;
    }
};

// What `training` takes: one of the above, or a function of yours, (step, base rate) -> rate. Keeps the name and
// options of what it is made from, if that has them. Throws argument_error for an option out of range.
struct any {
    any() = default;
    any(auto of) requires std::is_invocable_r_v<double, decltype(of)&, long long, double> {
        if constexpr (requires { of.name; }) {
            detail::check(of);
            name = of.name;
            of.each_option([&](char const* option, auto value, bool, char const*) {
                options.emplace_back(option, static_cast<double>(value));
            });
        }
        if constexpr (std::is_same_v<decltype(of), plateau>)
            watching = of;
        else if (rate = std::move(of); rate && options.empty())
            name = "own";
    }

    char const* name = "none";
    std::vector<std::pair<char const*, double>> options = {};  // each number of a list by itself
    std::function<double(long long, double)> rate = {};        // empty: there is no schedule, or a plateau
    std::optional<plateau> watching = {};
};

}  // namespace sequent::schedule
