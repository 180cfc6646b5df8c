// Adam for embeddings that moves touched rows alone: PyTorch's SparseAdam. Not the same result as Adam, whose untouched
// rows keep moving while their moments fade.
#pragma once

#include "adam.hpp"

namespace sequent {

// Rows of embeddings by SparseAdam: epsilon is added before the bias correction, and the step counts all steps. The
// dense parameters, which PyTorch's SparseAdam refuses, by Adam with the same options.
struct sparse_adam {
    double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

    void check() const {
        require(rate > 0, "sequent::sparse_adam: invalid learning rate: ", rate);
        require(epsilon > 0, "sequent::sparse_adam: invalid epsilon value: ", epsilon);
        detail::check_adam(name, rate, beta1, beta2, epsilon, 0);
    }

    static constexpr char const* name = "sparse_adam";
    void each_option(auto const& f) const { f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon); }

    template <class Model>
    struct state {
        using scalar = typename Model::scalar;

        state(sparse_adam const&, Model& model) : m(model), v(model) {
            model.each_table(
                [&](auto& table) { made.resize(std::max(made.size(), static_cast<std::size_t>(table.rows())), 0); });
        }
        void step(sparse_adam const& rule, Model& model, step_counts const& counts) {
            adam_constants const constants{rule.beta1, rule.beta2, rule.epsilon, 0};
            auto const dense = [&](block_range const& range, long long t) {
                detail::adam_dense_step(model, constants, adam_step::at(constants, t, rule.rate), range, m.block,
                                        v.block);
            };
            each_trainable(model, counts, dense, [&](auto& table, std::size_t number, long long t) {
                adam_step now = adam_step::at(constants, t, rule.rate);
                now.rate_over_correction1 /= now.root_correction2;  // lr sqrt(1 - beta2^t) / (1 - beta1^t)
                now.root_correction2 = 1;                           // * m / (sqrt(v) + epsilon)
                scalar *const p = table.writable_values(model.device()).data, *const m_rows = m.tables[number].data();
                int* const so_far = made.data();
                adam_rows<scalar> const rows{table.width(), p, m_rows, v.tables[number].data(), so_far, so_far};
                adam_update_rows(model.device(), adam_history{constants, powers, {}, nullptr, 0}, now, table.touched(),
                                 rows, static_cast<scalar const*>(table.gradient_rows().data),
                                 static_cast<scalar const*>(nullptr));
            });
        }
        void end(Model&) {}
        void each_moment(auto const& f) {
            m.tell("m", f);
            v.tell("v", f);
        }

        moment<Model> m, v;
        // For all tables: what adam_update_rows counts. Its history is empty: no moment fades between gradients.
        typename Model::backend_type::template buffer<int> made;
        adam_powers powers;  // not used
    };
};

}  // namespace sequent
