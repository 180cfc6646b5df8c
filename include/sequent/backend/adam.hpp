// The numbers of Adam that every backend shares: the constants, and what changes from step to step.
#pragma once

#include <cmath>

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

}  // namespace sequent
