// What every backend's Adam shares: the constants, what changes from step to step, the update of one number, and how a
// row without gradient moves on.
#pragma once

#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "../core/number.hpp"

namespace sequent {

struct adam_constants {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;

    // Part of the definition of our Adam: |m| below tiny_m and v below tiny_v count as zero. Such moments move no
    // parameter above 1e-16 at a rate of 1e-3.
    static constexpr double tiny_m = 0x1p-100, tiny_v = 0x1p-120;
};

// What step t = 1, 2, ... contributes, at learning rate eta: parameter *= shrink (1, or 1 - eta * decay for AdamW),
// then parameter -= rate_over_correction1 * m / (sqrt(v) * root_correction2 + epsilon).
struct adam_step {
    double rate_over_correction1 = 0;  // eta / (1 - beta1^t)
    double root_correction2 = 0;       // 1 / sqrt(1 - beta2^t)
    double shrink = 1;                 // what decoupled weight decay leaves of a parameter
    double rate = 0;                   // eta
    double inverse_correction1 = 1;    // 1 / (1 - beta1^t)

    static adam_step at(adam_constants const& c, long long t, double rate, double decoupled_decay = 0) {
        double const steps = static_cast<double>(t);
        double const correction1 = 1 - std::pow(c.beta1, steps), correction2 = 1 - std::pow(c.beta2, steps);
        return {rate / correction1, 1 / std::sqrt(correction2), 1 - rate * decoupled_decay, rate, 1 / correction1};
    }
};

// Moments that get no gradient for k steps are m beta1^k and v beta2^k. In a table, that is how our Adam defines them:
// from the row's last gradient, in one rounding, not in k, so that a row that pauses costs nothing but its movements.
// Once beta1^k is below tiny_m, the first is zero.
class adam_powers {
  public:
    adam_powers() : adam_powers(adam_constants{}) {}
    explicit adam_powers(adam_constants const& c) : beta1_(c.beta1), beta2_(c.beta2) {
        double const reach = c.beta1 > 0 ? std::floor(std::log(adam_constants::tiny_m) / std::log(c.beta1)) : 0;
        constexpr int never = std::numeric_limits<int>::max() / 2;
        reach_ = reach < never ? static_cast<int>(reach) : never;
        for (int k = 0; k <= reach_ && k < table_size; ++k) {
            first_.push_back(std::pow(beta1_, k));
            root_.push_back(std::pow(beta2_, 0.5 * k));
        }
    }
    [[nodiscard]] int reach() const { return reach_; }  // the last k at which the first moment is not zero
    // How many steps adam_sums adds up; 0: none, as the sums would say little where beta1 is near 1.
    [[nodiscard]] int summed() const {
        return 3 * reach_ / 5 <= most_summed ? 3 * reach_ / 5 : 0;  // until beta1^k is below 2^-60
    }
    [[nodiscard]] double first(int k) const {  // beta1^k
        return in_table(k) ? first_[static_cast<std::size_t>(k)] : k <= reach_ ? std::pow(beta1_, k) : 0;
    }
    [[nodiscard]] double root(int k) const {  // beta2^(k/2)
        return in_table(k) ? root_[static_cast<std::size_t>(k)] : std::pow(beta2_, 0.5 * k);
    }
    // The first of these powers, for a device: as many of beta1^k, k = 0, 1, ..., as of beta2^(k/2).
    [[nodiscard]] std::span<double const> first_table() const { return first_; }
    [[nodiscard]] std::span<double const> root_table() const { return root_; }

  private:
    static constexpr int table_size = 1 << 12, most_summed = 1 << 10;
    [[nodiscard]] bool in_table(int k) const { return k < static_cast<int>(first_.size()); }

    double beta1_, beta2_;
    int reach_;
    std::vector<double> first_, root_;
};

// All movements of a row whose last gradient came just before step f, for any number of it at once. With the weights
// w_i = rate_over_correction1 beta1^k and slopes s_i = root_correction2 beta2^(k/2) of the steps i = f, f + 1, ... (k =
// 1, 2, ... of them), a parameter moves by m times the sum of w_i / (root s_i + epsilon), root = sqrt(v). The slopes
// hardly change while the weights fade, so with e_i = 1 - s_i / s_f, y = root s_f + epsilon and u = root s_f / y <= 1
// the sum is the geometric series 1/y sum over j of u^j (sum of w_i e_i^j), and few of its terms say it all.
struct alignas(64) adam_sums {
    static constexpr int terms = 7;
    double of_power[terms] = {};  // the sums of w_i e_i^j
    double remainder = 0;         // at least the rest of the series, for all u

    SEQUENT_HD void add(double weight, double slope_ratio) {  // w_i, s_i / s_f
        double const e = 1 - slope_ratio;
        double power = 1;
        for (double& sum : of_power) sum = fma(weight, power, sum), power *= e;
        remainder = fma(weight, power / slope_ratio, remainder);
    }
};

// Step `now` of a history, which is the k-th from step now + 1 - k on, enters the sums of that.
template <class Powers>
SEQUENT_HD void adam_add_step(Powers const& powers, adam_step const* steps, int now, int k, adam_sums* sums) {
    int const first = now + 1 - k;
    double const slope = steps[now].root_correction2 * powers.root(k);
    sums[first].add(steps[now].rate_over_correction1 * powers.first(k),
                    slope / (steps[first].root_correction2 * powers.root(1)));
}

// The steps that rows of a table may have missed, on the device.
struct adam_history {
    adam_constants const& constants;
    adam_powers const& powers;
    std::span<adam_step const> steps;
    adam_sums const* sums;           // of each step, those after it included
    double largest_rate;             // among them, or more
    double const* tables = nullptr;  // powers.first_table() and, behind it, root_table()
    int const* count = nullptr;      // how many steps there are, if that may be fewer; null: none
};

// The rows of a table under Adam, on the device. Steps are counted as the history does.
template <class T>
struct adam_rows {
    static constexpr int never = -(1 << 30);
    int width;
    T *p, *m, *v;  // [rows, width]; m and v are those of the row's last gradient
    int* made;     // [rows]: the steps that p has made: at least `last`
    int* last;     // [rows]: the steps there were when the last gradient had come; below 0: before this history
};

// The element update (Kingma and Ba 2015, algorithm 1, in PyTorch's form) of one number, or of a SIMD batch of them.
// fma is written out, so that dense and replayed updates round alike.
template <class Number, class T>
struct adam_element {
    Number beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon, decay, tiny_m, tiny_v;

    explicit adam_element(adam_constants const& c)
        : beta1(T(c.beta1)), one_minus_beta1(T(1 - c.beta1)), beta2(T(c.beta2)), one_minus_beta2(T(1 - c.beta2)),
          epsilon(T(c.epsilon)), decay(T(c.weight_decay)), tiny_m(T(adam_constants::tiny_m)),
          tiny_v(T(adam_constants::tiny_v)) {}

    SEQUENT_HD void moments(Number& m, Number& v, Number const& g) const {
        using std::abs;
        Number const zero(T(0));
        m = fma(beta1, m, one_minus_beta1 * g);
        v = fma(beta2, v, (one_minus_beta2 * g) * g);
        m = select(abs(m) < tiny_m, zero, m);
        v = select(v < tiny_v, zero, v);
    }
    SEQUENT_HD Number movement(Number const& m, Number const& v, adam_step const& step) const {
        using std::sqrt;
        return Number(T(step.rate_over_correction1)) * m / fma(sqrt(v), Number(T(step.root_correction2)), epsilon);
    }
    // Coupled weight decay enters the gradient; decoupled (AdamW) shrinks the parameter.
    SEQUENT_HD void operator()(Number& p, Number& m, Number& v, Number const& g, adam_step const& step) const {
        moments(m, v, fma(decay, p, g));
        p = fma(p, Number(T(step.shrink)), -movement(m, v, step));
    }
};

namespace detail {
SEQUENT_HD bool all(bool of_one) { return of_one; }  // of a SIMD batch: xsimd's
}  // namespace detail

// What a row without gradient has missed, and how it makes up for that: by the series of adam_sums where its rest is
// below 2^-22 of the movement (float; 2^-50 in double), else step by step. Which of the two follows from the steps
// alone, and where p stood when the last gradient had come stays in the table: when and how often a row is read changes
// no bit. Powers: those of adam_powers, or as a device has them.
template <class T>
struct adam_pause {
    int from, until, age;  // the steps [from, until) of the history; age: of the first, 1 just after a gradient
    bool by_series = false;
    T slope, sums[adam_sums::terms];

    template <class Powers>
    SEQUENT_HD adam_pause(adam_step const* steps, adam_sums const* history_sums, Powers const& powers, int now,
                          int made, int last)
        : from(made), age(made + 1 - last) {
        long long const end = 0LL + last + powers.reach();
        until = static_cast<int>(end < now ? end : now);
        if (from >= until || powers.summed() == 0) return;
        adam_sums const& all = history_sums[from];
        by_series = all.remainder <= (std::is_same_v<T, float> ? 0x1p-22 : 0x1p-50) * all.of_power[0];
        if (!by_series) return;
        slope = T(steps[from].root_correction2 * powers.root(1) * powers.root(age - 1));
        for (int j = 0; j < adam_sums::terms; ++j) sums[j] = T(powers.first(age - 1) * all.of_power[j]);
    }
    [[nodiscard]] SEQUENT_HD bool none() const { return from >= until; }

    template <class Number>
    [[nodiscard]] SEQUENT_HD Number moved(Number const& p, Number const& m, Number const& v, T epsilon) const {
        using std::sqrt;
        Number const root = sqrt(v), inverse = Number(T(1)) / fma(root, Number(slope), Number(epsilon)),
                     u = root * Number(slope) * inverse;
        Number sum(sums[adam_sums::terms - 1]);
        for (int j = adam_sums::terms - 2; j >= 0; --j) sum = fma(sum, u, Number(sums[j]));
        return fma(-(m * inverse), sum, p);
    }
};

// Numbers of a row, or SIMD batches of them, make the `count` steps in which it had no gradient. `age` counts those
// since its last gradient, the first of `steps` included. Powers: first(k) and root(k) of adam_powers.
//
// When is a parameter p settled? A movement below |p| / 2^25 (float) rounds to none. After step t, those to come are at
// most largest_rate / (1 - beta1^t) * |m| / (sqrt(v) + epsilon): bias corrections only shrink them and, if beta1^2 <
// beta2, |m| fades faster than sqrt(v). Two more bits are kept for what rounding adds. Where epsilon does not dwarf
// the least sqrt(v), or beta1^2 >= beta2, only m = 0 settles it. What is settled may move on: it stays. So the test
// stands at the end of a few steps, and a number's bits do not depend on its neighbours.
template <int Count, class T, class Number, class Powers>
SEQUENT_HD void adam_fade(adam_constants const& c, double largest_rate, Powers const& powers, adam_step const* steps,
                          int count, int age, Number (&values)[Count], Number const (&m)[Count],
                          Number const (&v)[Count]) {
    using detail::all, std::abs, std::sqrt;
    constexpr int between_tests = 8;
    bool const fades = c.beta1 * c.beta1 < 0.999 * c.beta2 && c.epsilon >= 0x1p-50;
    Number const small(T(!fades ? 0 : std::is_same_v<T, float> ? 0x1p-27 : 0x1p-56)), epsilon(T(c.epsilon));
    Number p[Count], root_v[Count];
    for (int i = 0; i < Count; ++i) p[i] = values[i], root_v[i] = sqrt(v[i]);
    bool settled = false;
    for (int t = 0; t < count && !settled;) {
        for (int const stop = count - t < between_tests ? count : t + between_tests; t < stop; ++t, ++age) {
            Number const factor(T(steps[t].rate_over_correction1 * powers.first(age)));
            Number const slope(T(steps[t].root_correction2 * powers.root(age)));
            for (int i = 0; i < Count; ++i) p[i] = p[i] - factor * m[i] / fma(root_v[i], slope, epsilon);
        }
        Number const largest(T(largest_rate * steps[t - 1].inverse_correction1 * powers.first(age)));
        Number const root(T(powers.root(age)));
        settled = true;
        for (int i = 0; i < Count; ++i)
            settled = settled && all(largest * abs(m[i]) <= small * abs(p[i]) * (root_v[i] * root + epsilon));
    }
    for (int i = 0; i < Count; ++i) values[i] = p[i];
}

}  // namespace sequent
