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
        detail::check_adam("sparse_adam", rate, beta1, beta2, epsilon, 0);
    }

    template <class Model>
    struct state {
        using scalar = typename Model::scalar;
        using buffer = typename Model::backend_type::template buffer<scalar>;
        struct moments {
            buffer m, v;
            explicit moments(std::size_t size) { m.resize(size, scalar(0)), v.resize(size, scalar(0)); }
        };

        state(sparse_adam const&, Model& model) : block(model.block_size()) {
            model.each_table([&](auto& table) {
                tables.emplace_back(static_cast<std::size_t>(table.rows()) * static_cast<std::size_t>(table.width()));
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
                adam_update_rows(model.device(), constants, sparse, table.touched(), table.width(),
                                 table.touched_values(model.device()).data, mine.m.data(), mine.v.data(),
                                 static_cast<scalar const*>(table.gradient_rows().data));
            });
        }
        void end(Model&) {}

        moments block;                // the parameter block's layout
        std::vector<moments> tables;  // [rows, width] each
    };
};

}  // namespace sequent
