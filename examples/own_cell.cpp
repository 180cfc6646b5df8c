// A cell of your own: an LSTM whose input and forget gates are coupled, f = 1 - i (Greff et al. 2017, "LSTM: A Search
// Space Odyssey", CIFG), with peepholes (Gers and Schmidhuber 2000). The struct is all there is to write; every
// combinator, the gradient checker, packing, training and files take it as they take lstm.
#include <sequent/sequent.hpp>

#include <cstdio>

using namespace sequent;

template <int Input, int Hidden>
struct coupled_lstm {
    static constexpr int input_size = Input, hidden_size = Hidden;
    static constexpr int gate_count = 3;   // i g o
    static constexpr int state_count = 2;  // h c
    static constexpr int saved_count = 4;  // i g o tanh(c)
    static constexpr int unit_count = 2;   // the peepholes of i and o: one weight per unit, p
    static constexpr bool shared_gates = true;
    static constexpr std::string_view state_name(int s) { return s == 0 ? "h" : "c"; }
    static constexpr std::string_view unit_name(int u) { return u == 0 ? "weight_ci" : "weight_co"; }
    template <int NewInput>
    using with_input = coupled_lstm<NewInput, Hidden>;

    template <class Math, class Number>
    SEQUENT_HD static void step(numbers<Number, 3> const& x, numbers<Number, 3> const& h,
                                numbers<Number, 2> const& before, numbers<Number, 2> const& p,
                                numbers<Number, 2>& after, numbers<Number, 4>& saved) {
        Number const i = Math::sigmoid(fma(p[0], before[1], x[0] + h[0]));
        Number const g = Math::tanh(x[1] + h[1]);
        Number const c = fma(i, g - before[1], before[1]);  // (1 - i) c + i g
        Number const o = Math::sigmoid(fma(p[1], c, x[2] + h[2]));
        Number const tanh_c = Math::tanh(c);
        after = {{o * tanh_c, c}};
        saved = {{i, g, o, tanh_c}};
    }

    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 4> const& saved, numbers<Number, 2> const& before,
                                         numbers<Number, 2> const& after, numbers<Number, 2> const& p,
                                         numbers<Number, 2>& gradient, numbers<Number, 3>& x_gradient,
                                         numbers<Number, 3>& h_gradient, numbers<Number, 2>& p_gradient) {
        Number const &i = saved[0], &g = saved[1], &o = saved[2], &tanh_c = saved[3];
        Number const one(1);
        Number const d_o = gradient[0] * tanh_c * o * (one - o);
        Number const d_c = gradient[1] + gradient[0] * o * (one - tanh_c * tanh_c) + d_o * p[1];
        Number const d_i = d_c * (g - before[1]) * i * (one - i);
        x_gradient = {{d_i, d_c * i * (one - g * g), d_o}};
        h_gradient = x_gradient;
        p_gradient[0] = fma(d_i, before[1], p_gradient[0]);
        p_gradient[1] = fma(d_o, after[1], p_gradient[1]);
        gradient = {{Number(0), d_c * (one - i) + d_i * p[0]}};
    }
};
static_assert(cell<coupled_lstm<1, 1>>);

using network =
    sequential<named<"rnn", stacked<2, bidirectional<coupled_lstm<3, 5>>>>, last_state, named<"fc", linear<10, 4>>>;

int main() {
    model<network, cpu, double> net({}, {.seed = 1});
    for (auto const& parameter : net.parameters())
        if (parameter.name.ends_with("_l1_reverse")) std::printf("%s\n", parameter.name.c_str());
    std::vector<std::vector<double>> const sequences = {
        {1, 2, 3, -1, 0, 1}, {}, {2, 1, 0, 1, -1, 1, 0, 3, 1, 1, 2, -2}, {-1, 1, 0}};
    std::vector<int> const targets = {0, 3, 1, 2};
    auto const result = gradient_check(net, pack(sequences, 3), targets, cross_entropy{});
    std::printf("%zu gradients, each within %s of the differences\n", result.checked,
                result.worst < 1e-6 ? "1e-6" : "MORE THAN 1e-6");
    return result.worst < 1e-6 ? 0 : 1;
}
