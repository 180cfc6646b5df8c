// Stochastic gradient descent with momentum (Polyak 1964; Nesterov's as in Sutskever, Martens, Dahl and Hinton 2013),
// with PyTorch's semantics.
#pragma once

#include <optional>

#include "../backend/sgd.hpp"
#include "optimizer.hpp"

namespace sequent {

// Rows of an embedding are treated as any parameter. Plain descent moves the touched rows alone; with momentum or
// weight decay every row moves at every step, which costs time in proportion to the vocabulary.
struct sgd {
    double rate = 1e-3;
    double momentum = 0;
    double dampening = 0;     // of what a gradient adds to the velocity, but at the first step
    double weight_decay = 0;  // added to the gradient
    bool nesterov = false;

    void check() const {
        require(rate >= 0, "sequent::sgd: invalid learning rate: ", rate);
        require(momentum >= 0, "sequent::sgd: invalid momentum value: ", momentum);
        require(weight_decay >= 0, "sequent::sgd: invalid weight_decay value: ", weight_decay);
        require(!nesterov || (momentum > 0 && dampening == 0),
                "sequent::sgd: Nesterov momentum requires a momentum and zero dampening");
    }

    static constexpr char const* name = "sgd";
    void each_option(auto const& f) const {
        f("momentum", momentum), f("dampening", dampening), f("weight_decay", weight_decay),
            f("nesterov", nesterov ? 1 : 0);
    }

    template <class Model>
    struct state {
        using scalar = typename Model::scalar;

        state(sgd const& rule, Model& model) {
            if (rule.momentum != 0) velocity.emplace(model);
        }
        void step(sgd const& rule, Model& model, step_counts const& counts) {
            sgd_constants const constants{rule.momentum, rule.dampening, rule.weight_decay, rule.nesterov};
            auto const dense = [&](block_range const& range, long long t) {
                sgd_update(model.device(), constants, sgd_step::at(constants, t, rule.rate),
                           model.block() + range.offset, velocity ? velocity->block.data() + range.offset : nullptr,
                           static_cast<scalar const*>(model.gradient_block() + range.offset), range.size);
            };
            each_trainable(model, counts, dense, [&](auto& table, std::size_t number, long long t) {
                sgd_step const now = sgd_step::at(constants, t, rule.rate);
                scalar* const moving = velocity ? velocity->tables[number].data() : nullptr;
                if (moving == nullptr && rule.weight_decay == 0)
                    sgd_update_rows(model.device(), constants, now, table.touched(), table.width(),
                                    table.writable_values(model.device()).data,
                                    static_cast<scalar const*>(table.gradient_rows().data));
                else
                    sgd_update(model.device(), constants, now, table.writable_values(model.device()).data, moving,
                               table.dense_gradient(model.device()).data, table.size());
            });
        }
        void end(Model&) {}
        void each_moment(auto const& f) {
            if (velocity) velocity->tell("velocity", f);
        }

        std::optional<moment<Model>> velocity;  // where there is momentum
    };
};

}  // namespace sequent
