#include "sequent/backend/cpu/adam.hpp"

#include "sequent/backend/cpu/cpu.hpp"

#include "golden.hpp"
#include "layer/random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class T>
struct block {
    std::vector<T> p, m, v;
    explicit block(std::size_t n) : p(random_values<T>(n, 1)), m(n), v(n) {}
    void update(adam_constants const& constants, adam_step const& step, std::vector<T> const& g) {
        adam_update(cpu{}, constants, step, p.data(), m.data(), v.data(), g.data(), p.size());
    }
};

}  // namespace

TEMPLATE_TEST_CASE("cpu_adam_block: Kingma and Ba's update in plain numbers, any length", "", double, float) {
    using T = TestType;
    adam_constants const constants{.beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3, .weight_decay = 0.05};
    double const rounding = std::is_same_v<T, double> ? 1e-14 : 1e-6;
    for (std::size_t const n : {1u, 7u, 16u, 35u}) {
        block<T> fast(n);
        std::vector<double> p(fast.p.begin(), fast.p.end()), m(n), v(n);
        for (int t = 1; t <= 5; ++t) {
            auto const g = random_values<T>(n, static_cast<std::uint64_t>(10 + t));
            fast.update(constants, adam_step::at(constants, t, 0.01, 0.1), g);
            for (std::size_t j = 0; j < n; ++j) {
                double const gradient = static_cast<double>(g[j]) + 0.05 * p[j];
                m[j] = 0.8 * m[j] + 0.2 * gradient;
                v[j] = 0.9 * v[j] + 0.1 * gradient * gradient;
                p[j] = p[j] * (1 - 0.01 * 0.1) -
                       0.01 / (1 - std::pow(0.8, t)) * m[j] / (std::sqrt(v[j] / (1 - std::pow(0.9, t))) + 1e-3);
            }
        }
        CHECK(largest_error(fast.p, p) <= rounding);
        CHECK(largest_error(fast.m, m) <= rounding);
        CHECK(largest_error(fast.v, v) <= rounding);
    }
}

TEMPLATE_TEST_CASE("cpu_adam_catch_up: missed steps replayed to the bit", "", double, float) {
    using T = TestType;
    std::size_t const n = 21;
    std::vector<T> const zeros(n);
    // Betas and epsilons on both sides of where a parameter may be called settled early, and gradients of any size.
    for (adam_constants const& constants :
         {adam_constants{}, adam_constants{.beta1 = 0.5, .beta2 = 0.6}, adam_constants{.beta1 = 0.9, .beta2 = 0.8},
          adam_constants{.epsilon = 0}, adam_constants{.beta1 = 0}})
        for (double const magnitude : {1e-12, 1e-3, 1e3}) {
            block<T> dense(n), lazy(n);
            std::vector<adam_step> history;
            auto g = random_values<T>(n, 5);
            for (T& one : g) one = static_cast<T>(static_cast<double>(one) * magnitude);
            auto const step_at = [&](int t) { return adam_step::at(constants, t, t % 2 == 0 ? 1e-2 : 1e-3); };
            dense.update(constants, step_at(1), g);
            lazy.update(constants, step_at(1), g);
            for (int t = 2; t <= 1500; ++t) {
                dense.update(constants, step_at(t), zeros);
                history.push_back(step_at(t));
            }
            adam_catch_up(cpu{}, constants, history, 1e-2, lazy.p.data(), lazy.m.data(), lazy.v.data(),
                          static_cast<int>(n));
            INFO("beta1 " << constants.beta1 << ", beta2 " << constants.beta2 << ", epsilon " << constants.epsilon
                          << ", gradients " << magnitude);
            CHECK(same_bits(lazy.p, dense.p));
            CHECK(same_bits(lazy.m, dense.m));
            CHECK(same_bits(lazy.v, dense.v));
        }
}
