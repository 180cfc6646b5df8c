// Three steps of one LSTM unit by hand: lstm::step, the function that every kernel of the library instantiates, against
// the equations of docs/mathematics/lstm.md written out. Here the number type is double; elsewhere it is a SIMD batch.
#include <sequent/cell/cell.hpp>
#include <sequent/cell/lstm.hpp>

#include <cmath>
#include <cstdio>

using namespace sequent;

namespace {

double sigmoid(double a) { return 1 / (1 + std::exp(-a)); }

}  // namespace

int main() {
    using cell = lstm<1, 1>;
    // One weight and one bias per gate, in the order i, f, g, o.
    double const W[4] = {0.5, -0.3, 0.8, 0.2}, U[4] = {0.1, 0.4, -0.6, 0.7}, b[4] = {0, 1, 0, 0};

    numbers<double, 2> state{};  // h and c, zero at first
    double h = 0, c = 0, worst = 0;
    std::printf("  t  input         h         c\n");
    int t = 0;
    for (double const input : {1.0, -0.5, 2.0}) {
        // A layer makes these two products; the cell is what remains, and has no weights of its own.
        numbers<double, 4> from_input, from_state;
        for (int gate = 0; gate < 4; ++gate) {
            from_input[gate] = W[gate] * input + b[gate];
            from_state[gate] = U[gate] * state[0];
        }
        numbers<double, 2> after;
        numbers<double, 5> saved;  // for step_backward
        cell::step<precise>(from_input, from_state, state, {}, after, saved);
        state = after;

        double const i = sigmoid(W[0] * input + b[0] + U[0] * h), f = sigmoid(W[1] * input + b[1] + U[1] * h),
                     g = std::tanh(W[2] * input + b[2] + U[2] * h), o = sigmoid(W[3] * input + b[3] + U[3] * h);
        c = f * c + i * g;
        h = o * std::tanh(c);

        worst = std::fmax(worst, std::fmax(std::abs(state[0] - h), std::abs(state[1] - c)));
        std::printf("%3d %6.2f %9.6f %9.6f\n", ++t, input, state[0], state[1]);
    }
    std::printf("the written-out equations agree to %s\n", worst < 1e-15 ? "1e-15" : "less than 1e-15: wrong");
    return worst < 1e-15 ? 0 : 1;
}
