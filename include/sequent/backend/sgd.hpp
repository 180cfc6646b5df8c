// The numbers of stochastic gradient descent that every backend shares.
#pragma once

namespace sequent {

struct sgd_constants {
    double momentum = 0;
    double weight_decay = 0;
    bool nesterov = false;
};

// What one step does: gradient += weight_decay * parameter; velocity = kept * velocity + taken * gradient (where there
// is momentum); parameter -= rate * (velocity, or with Nesterov gradient + momentum * velocity).
struct sgd_step {
    double rate = 0;
    double kept = 0;
    double taken = 1;
};

}  // namespace sequent
