// Adam over the rows of a table as it is defined, every row at every step, number by number: the reference for tables
// whose rows make their steps late.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "sequent/backend/adam.hpp"
#include "sequent/backend/cpu/simd.hpp"

namespace sequent_tests {

// a * b + c as the processor's registers round it: once, or twice where they have no such instruction.
template <class T>
T fused(T a, T b, T c) {
    using number = sequent::simd<T, sequent::default_isa>;
    return fma(number(a), number(b), number(c)).value.get(0);
}

template <class T>
struct dense_adam {
    sequent::adam_constants constants;
    std::size_t width;
    std::vector<T> p, m, v;   // [rows, width]; m and v of the last gradient
    std::vector<int> missed;  // [rows]: steps since the last gradient; 2^30 and more: there was none
    std::vector<T> base;      // p as the last gradient left it
    std::vector<sequent::adam_step> steps;
    sequent::adam_powers powers{constants};

    dense_adam(sequent::adam_constants const& c, std::size_t columns, std::vector<T> values)
        : constants(c), width(columns), p(std::move(values)), m(p.size()), v(p.size()),
          missed(p.size() / width, 1 << 30), base(p) {}

    // The rows `ids` have gradients, [ids.size(), width]; the others have none.
    void step(sequent::adam_step const& step, std::span<int const> ids, std::span<T const> gradients) {
        steps.push_back(step);
        std::vector<T const*> gradient(missed.size());
        for (std::size_t u = 0; u < ids.size(); ++u)
            gradient[static_cast<std::size_t>(ids[u])] = gradients.data() + u * width;
        for (std::size_t row = 0; row < missed.size(); ++row) {
            if (gradient[row] != nullptr)
                touch(step, row, gradient[row]);
            else if (++missed[row] <= powers.reach())
                fade(row);
        }
    }

  private:
    void touch(sequent::adam_step const& step, std::size_t row, T const* g) {
        T const beta1 = T(constants.beta1), beta2 = T(constants.beta2);
        double const root = powers.root(missed[row]);
        for (std::size_t k = 0, j = row * width; k < width; ++k, ++j) {
            if (missed[row] > 0) m[j] *= T(powers.first(missed[row])), v[j] *= T(root * root);
            m[j] = fused<T>(beta1, m[j], T(1 - constants.beta1) * g[k]);
            v[j] = fused<T>(beta2, v[j], T(1 - constants.beta2) * g[k] * g[k]);
            if (std::abs(m[j]) < T(sequent::adam_constants::tiny_m)) m[j] = 0;
            if (v[j] < T(sequent::adam_constants::tiny_v)) v[j] = 0;
            T const scale = fused<T>(std::sqrt(v[j]), T(step.root_correction2), T(constants.epsilon));
            base[j] = p[j] = fused<T>(p[j], T(step.shrink), -(T(step.rate_over_correction1) * m[j] / scale));
        }
        missed[row] = 0;
    }

    // All steps since the last gradient, again and again: by the series where the steps allow, else one by one.
    void fade(std::size_t row) {
        int const age = missed[row], first = static_cast<int>(steps.size()) - age;
        auto const slope = [&](int k) { return at(first, k).root_correction2 * powers.root(k); };
        constexpr int terms = 7;
        double sums[terms] = {}, rest = 0;
        for (int k = 1; k <= std::min(age, powers.summed()); ++k) {
            double const ratio = slope(k) / slope(1), weight = at(first, k).rate_over_correction1 * powers.first(k);
            double power = 1;
            for (double& sum : sums) sum = std::fma(weight, power, sum), power *= 1 - ratio;
            rest = std::fma(weight, power / ratio, rest);
        }
        bool const by_series = powers.summed() > 0 && rest <= (sizeof(T) == 4 ? 0x1p-22 : 0x1p-50) * sums[0];
        for (std::size_t j = row * width; j < (row + 1) * width; ++j) {
            T const root = std::sqrt(v[j]), epsilon = T(constants.epsilon);
            p[j] = base[j];
            if (by_series) {
                T const inverse = T(1) / fused<T>(root, T(slope(1)), epsilon), u = root * T(slope(1)) * inverse;
                T sum = T(sums[terms - 1]);
                for (int term = terms - 2; term >= 0; --term) sum = fused<T>(sum, u, T(sums[term]));
                p[j] = fused<T>(-(m[j] * inverse), sum, p[j]);
            } else {
                for (int k = 1; k <= age; ++k)
                    p[j] -= T(at(first, k).rate_over_correction1 * powers.first(k)) * m[j] /
                            fused<T>(root, T(slope(k)), epsilon);
            }
        }
    }
    sequent::adam_step const& at(int first, int k) const { return steps[static_cast<std::size_t>(first + k - 1)]; }
};

}  // namespace sequent_tests
