// Adam over the rows of a table as it is defined, every row at every step, number by number: the reference for tables
// whose rows make their steps late.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "sequent/backend/adam.hpp"

namespace sequent_tests {

template <class T>
struct dense_adam {
    sequent::adam_constants constants;
    std::size_t width;
    std::vector<T> p, m, v;   // [rows, width]
    std::vector<int> missed;  // [rows]: steps since the last gradient; 2^30 and more: there was none
    sequent::adam_powers powers{constants};

    dense_adam(sequent::adam_constants const& c, std::size_t columns, std::vector<T> values)
        : constants(c), width(columns), p(std::move(values)), m(p.size()), v(p.size()),
          missed(p.size() / width, 1 << 30) {}

    // The rows `ids` have gradients, [ids.size(), width]; the others have none.
    void step(sequent::adam_step const& step, std::span<int const> ids, std::span<T const> gradients) {
        std::vector<T const*> gradient(missed.size());
        for (std::size_t u = 0; u < ids.size(); ++u)
            gradient[static_cast<std::size_t>(ids[u])] = gradients.data() + u * width;
        for (std::size_t row = 0; row < missed.size(); ++row) {
            if (gradient[row] != nullptr)
                touch(step, row, gradient[row]);
            else
                fade(step, row);
        }
    }

  private:
    void touch(sequent::adam_step const& step, std::size_t row, T const* g) {
        T const beta1 = T(constants.beta1), beta2 = T(constants.beta2);
        double const root = powers.root(missed[row]);
        for (std::size_t k = 0, j = row * width; k < width; ++k, ++j) {
            if (missed[row] > 0) m[j] *= T(powers.first(missed[row])), v[j] *= T(root * root);
            m[j] = std::fma(beta1, m[j], T(1 - constants.beta1) * g[k]);
            v[j] = std::fma(beta2, v[j], T(1 - constants.beta2) * g[k] * g[k]);
            if (std::abs(m[j]) < T(sequent::adam_constants::tiny_m)) m[j] = 0;
            if (v[j] < T(sequent::adam_constants::tiny_v)) v[j] = 0;
            T const scale = std::fma(std::sqrt(v[j]), T(step.root_correction2), T(constants.epsilon));
            p[j] = std::fma(p[j], T(step.shrink), -(T(step.rate_over_correction1) * m[j] / scale));
        }
        missed[row] = 0;
    }
    void fade(sequent::adam_step const& step, std::size_t row) {
        int const age = ++missed[row];
        T const factor = T(step.rate_over_correction1 * powers.first(age));
        T const slope = T(step.root_correction2 * powers.root(age));
        if (age > powers.reach()) return;
        for (std::size_t j = row * width; j < (row + 1) * width; ++j)
            p[j] -= factor * m[j] / std::fma(std::sqrt(v[j]), slope, T(constants.epsilon));
    }
};

}  // namespace sequent_tests
