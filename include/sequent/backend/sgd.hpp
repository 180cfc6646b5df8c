// The numbers of stochastic gradient descent that every backend shares.
#pragma once

namespace sequent {

struct sgd_constants {
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
};

// What one step does: gradient += weight_decay * parameter; velocity = kept * velocity + taken * gradient (where there
// is momentum); parameter -= rate * (velocity, or with Nesterov gradient + momentum * velocity).
struct sgd_step {
    double rate = 0;
    double kept = 0;
    double taken = 1;

    // Step t = 1, 2, ...; PyTorch does not dampen the first gradient.
    static sgd_step at(sgd_constants const& c, long long t, double rate) {
        return {rate, c.momentum, t == 1 ? 1 : 1 - c.dampening};
    }
};

}  // namespace sequent
