#include "sequent/backend/cpu/adam.hpp"

#include "sequent/backend/cpu/cpu.hpp"

#include "backend/dense_adam.hpp"
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

TEMPLATE_TEST_CASE("adam_read_rows: a long pause, to the bit", "", double, float) {
    using T = TestType;
    constexpr int width = 21, steps = 1500;
    // Betas and epsilons on both sides of where a parameter may be called settled early, and gradients of any size.
    for (adam_constants const& constants :
         {adam_constants{}, adam_constants{.beta1 = 0.5, .beta2 = 0.6}, adam_constants{.beta1 = 0.9, .beta2 = 0.8},
          adam_constants{.epsilon = 0}, adam_constants{.beta1 = 0}, adam_constants{.beta1 = 0.9999}})
        for (double const magnitude : {1e-12, 1e-3, 1e3}) {
            INFO("beta1 " << constants.beta1 << ", beta2 " << constants.beta2 << ", epsilon " << constants.epsilon
                          << ", gradients " << magnitude);
            auto g = random_values<T>(width, 5);
            for (T& one : g) one = static_cast<T>(static_cast<double>(one) * magnitude);
            auto const step_at = [&](int t) { return adam_step::at(constants, t, t % 2 == 0 ? 1e-2 : 1e-3); };
            std::vector<int> const row{0};
            dense_adam<T> dense(constants, width, random_values<T>(width, 1));

            adam_powers const powers(constants);
            std::vector<adam_step> past(2 * steps);
            std::vector<adam_sums> sums(past.size());
            int count = 0;
            auto const history = [&] {
                return adam_history{constants, powers, std::span(past).first(static_cast<std::size_t>(count)),
                                    sums.data(), 1e-2};
            };
            std::vector<T> p = dense.p, m(width), v(width), read(width);
            int made = 0, last = -(1 << 30);
            adam_rows<T> const rows{width, p.data(), m.data(), v.data(), &made, &last};
            matrix_view<T> const to(read.data(), 1, width);
            for (int t = 1; t <= 2 * steps; ++t) {
                bool const touched = t == 1 || t == 3 || t == steps;
                dense.step(step_at(t), touched ? std::span<int const>(row) : std::span<int const>(), g);
                if (t == 3) adam_read_rows(cpu{}, history(), row, rows, to);  // given or not: the same
                if (touched)
                    adam_update_rows(cpu{}, history(), step_at(t), row, rows, static_cast<T const*>(g.data()),
                                     t == 3 ? static_cast<T const*>(read.data()) : nullptr);
                adam_append_step(cpu{}, history(), step_at(t), past.data(), sums.data(), &count);
            }
            CHECK(same_bits(m, dense.m));
            CHECK(same_bits(v, dense.v));
            CHECK(made == steps);
            CHECK(last == steps);
            CHECK(count == 2 * steps);
            adam_read_rows(cpu{}, history(), row, rows, to);
            CHECK(same_bits(read, dense.p));
            adam_read_rows(cpu{}, history(), row, rows, {p.data(), 1, width});  // in place
            CHECK(same_bits(p, dense.p));
        }
}
