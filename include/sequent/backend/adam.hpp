// The numbers of Adam that every backend shares: the constants, what changes from step to step, and how the moments of
// a row without gradient fade.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

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
    [[nodiscard]] double first(int k) const {           // beta1^k
        return in_table(k) ? first_[static_cast<std::size_t>(k)] : k <= reach_ ? std::pow(beta1_, k) : 0;
    }
    [[nodiscard]] double root(int k) const {  // beta2^(k/2)
        return in_table(k) ? root_[static_cast<std::size_t>(k)] : std::pow(beta2_, 0.5 * k);
    }
    // The first of these powers, for a device that has no pow worth the name.
    [[nodiscard]] std::span<double const> first_table() const { return first_; }
    [[nodiscard]] std::span<double const> root_table() const { return root_; }

  private:
    static constexpr int table_size = 1 << 12;
    [[nodiscard]] bool in_table(int k) const { return k < static_cast<int>(first_.size()); }

    double beta1_, beta2_;
    int reach_;
    std::vector<double> first_, root_;
};

// The steps since all rows of a table were last caught up together.
struct adam_history {
    adam_constants const& constants;
    adam_powers const& powers;
    std::span<adam_step const> steps;  // on the device
    double largest_rate;               // among them
};

// The rows of a table under Adam, on the device. Steps are counted as the history does.
template <class T>
struct adam_rows {
    int width;
    T *p, *m, *v;  // [rows, width]; m and v are those of the row's last gradient
    int* made;     // [rows]: the steps that p has made
    int* last;     // [rows]: the steps there were when the last gradient had come; below 0: before this history
};

}  // namespace sequent
