// Adam for embeddings that moves touched rows alone: PyTorch's SparseAdam. Not the same result as Adam, whose untouched
// rows keep moving while their moments fade.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "adam.hpp"

namespace sequent {

// Rows of embeddings by SparseAdam: epsilon is added before the bias correction, and the step counts all steps. The
// dense parameters, which PyTorch's SparseAdam refuses, by Adam with the same options.
struct sparse_adam {
    double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

    void check() const {
        if (!(rate > 0)) throw argument_error(message("sequent::sparse_adam: invalid learning rate: ", rate));
        if (!(epsilon > 0)) throw argument_error(message("sequent::sparse_adam: invalid epsilon value: ", epsilon));
        detail::check_adam(name, rate, beta1, beta2, epsilon, 0);
    }

    static constexpr char const* name = "sparse_adam";
    template <class F>
    void each_option(F const& f) const {
        f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon);
    }

    template <class Model>
    struct state {
        using scalar = typename Model::scalar;
        template <class T>
        using buffer = typename Model::backend_type::template buffer<T>;
        struct moments {
            buffer<scalar> m, v;
            buffer<int> steps;  // zeros for adam_update_rows: moments do not fade between gradients
            explicit moments(std::size_t size, int rows = 0) {
                m.resize(size, scalar(0)), v.resize(size, scalar(0));
                steps.resize(static_cast<std::size_t>(rows), 0);
            }
        };

        state(sparse_adam const&, Model& model) : block(model.block_size()) {
            model.each_table([&](auto& table) {
                tables.emplace_back(static_cast<std::size_t>(table.rows()) * static_cast<std::size_t>(table.width()),
                                    table.rows());
            });
        }
        void step(sparse_adam const& rule, Model& model, long long t) {
            adam_constants const constants{rule.beta1, rule.beta2, rule.epsilon, 0};
            adam_step const dense = adam_step::at(constants, t, rule.rate);
            adam_step sparse = dense;  // lr sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon)
            sparse.rate_over_correction1 /= dense.root_correction2;
            sparse.root_correction2 = 1;
            detail::adam_dense_step(model, constants, dense, block.m, block.v);
            std::size_t number = 0;
            model.each_table([&](auto& table) {
                moments& mine = tables[number++];
                if (table.frozen) return;
                adam_rows<scalar> const rows{table.width(),     table.touched_values(model.device()).data,
                                             mine.m.data(),     mine.v.data(),
                                             mine.steps.data(), mine.steps.data()};
                adam_update_rows(model.device(), adam_history{constants, powers, {}, 0}, sparse, table.touched(), rows,
                                 static_cast<scalar const*>(table.gradient_rows().data));
            });
        }
        void end(Model&) {}
        template <class F>
        void each_moment(F const& f) {
            f("m", block.m.data(),
              [this](auto&, int number) { return tables[static_cast<std::size_t>(number)].m.data(); });
            f("v", block.v.data(),
              [this](auto&, int number) { return tables[static_cast<std::size_t>(number)].v.data(); });
        }

        moments block;                // the parameter block's layout
        std::vector<moments> tables;  // [rows, width] each
        adam_powers powers;           // not used
    };
};

}  // namespace sequent
