// Stochastic gradient descent with momentum (Polyak 1964; Nesterov's as in Sutskever, Martens, Dahl and Hinton 2013),
// with PyTorch's semantics.
#pragma once

#include <cstddef>
#include <vector>

#include "../backend/sgd.hpp"
#include "../core/error.hpp"

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
        if (!(rate >= 0)) throw argument_error(message("sequent::sgd: invalid learning rate: ", rate));
        if (!(momentum >= 0)) throw argument_error(message("sequent::sgd: invalid momentum value: ", momentum));
        if (!(weight_decay >= 0))
            throw argument_error(message("sequent::sgd: invalid weight_decay value: ", weight_decay));
        if (nesterov && !(momentum > 0 && dampening == 0))
            throw argument_error("sequent::sgd: Nesterov momentum requires a momentum and zero dampening");
    }

    static constexpr char const* name = "sgd";
    template <class F>
    void each_option(F const& f) const {
        f("momentum", momentum), f("dampening", dampening), f("weight_decay", weight_decay),
            f("nesterov", nesterov ? 1 : 0);
    }

    template <class Model>
    struct state {
        using scalar = typename Model::scalar;
        using buffer = typename Model::backend_type::template buffer<scalar>;

        state(sgd const& rule, Model& model) {
            if (rule.momentum == 0) return;
            velocity.resize(model.block_size(), scalar(0));
            model.each_table([&](auto& table) {
                table_velocity.emplace_back().resize(
                    static_cast<std::size_t>(table.rows()) * static_cast<std::size_t>(table.width()), scalar(0));
            });
        }
        void step(sgd const& rule, Model& model, long long t) {
            sgd_constants const constants{rule.momentum, rule.dampening, rule.weight_decay, rule.nesterov};
            sgd_step const now = sgd_step::at(constants, t, rule.rate);
            auto const place = [](buffer& from, std::ptrdiff_t at) {
                return from.data() == nullptr ? nullptr : from.data() + at;
            };
            for (auto const& range : model.trainable())
                sgd_update(model.device(), constants, now, model.block() + range.offset, place(velocity, range.offset),
                           static_cast<scalar const*>(model.gradient_block() + range.offset), range.size);
            std::size_t number = 0;
            model.each_table([&](auto& table) {
                buffer* const moving = rule.momentum == 0 ? nullptr : &table_velocity[number++];
                if (table.frozen) return;
                if (moving == nullptr && rule.weight_decay == 0)
                    sgd_update_rows(model.device(), constants, now, table.touched(), table.width(),
                                    table.touched_values(model.device()).data,
                                    static_cast<scalar const*>(table.gradient_rows().data));
                else
                    sgd_update(model.device(), constants, now, table.values(model.device()).data,
                               moving == nullptr ? nullptr : moving->data(), table.dense_gradient(model.device()).data,
                               static_cast<std::size_t>(table.rows()) * static_cast<std::size_t>(table.width()));
            });
        }
        void end(Model&) {}
        template <class F>
        void each_moment(F const& f) {
            if (velocity.size() + table_velocity.size() > 0)
                f("velocity", velocity.data(),
                  [this](auto&, int number) { return table_velocity[static_cast<std::size_t>(number)].data(); });
        }

        buffer velocity;                     // the parameter block's layout, or none
        std::vector<buffer> table_velocity;  // [rows, width] each, or none
    };
};

}  // namespace sequent
