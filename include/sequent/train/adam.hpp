// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019) with PyTorch's defaults and semantics, dense: every
// row of an embedding moves at every step. Without weight decay only touched rows cost anything; with it, all do.
#pragma once

#include "../backend/adam.hpp"
#include "optimizer.hpp"

namespace sequent {

namespace detail {

inline void check_adam(char const* who, double rate, double beta1, double beta2, double epsilon, double weight_decay) {
    require(rate >= 0, "sequent::", who, ": invalid learning rate: ", rate);
    require(beta1 >= 0 && beta1 < 1, "sequent::", who, ": invalid beta parameter at index 0: ", beta1);
    require(beta2 >= 0 && beta2 < 1, "sequent::", who, ": invalid beta parameter at index 1: ", beta2);
    require(epsilon >= 0, "sequent::", who, ": invalid epsilon value: ", epsilon);
    require(weight_decay >= 0, "sequent::", who, ": invalid weight_decay value: ", weight_decay);
}

template <class Model, class Buffer>
void adam_dense_step(Model& model, adam_constants const& constants, adam_step const& step, block_range const& range,
                     Buffer& m, Buffer& v) {
    using scalar = typename Model::scalar;
    adam_update(model.device(), constants, step, model.block() + range.offset, m.data() + range.offset,
                v.data() + range.offset, static_cast<scalar const*>(model.gradient_block() + range.offset), range.size);
}

}  // namespace detail

enum class decay { coupled, decoupled };

// `adam`, whose weight decay is coupled (added to the gradient, 0 if not given), and `adamw`, whose is decoupled
// (shrinks the parameter, past the moments; 1e-2). Moments below 2^-100 (first) and 2^-120 (second) count as zero, so
// epsilon should not be below 1e-15.
template <decay Kind>
struct adam_rule {
    static constexpr bool decoupled = Kind == decay::decoupled;
    static constexpr char const* name = decoupled ? "adamw" : "adam";

    double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = decoupled ? 1e-2 : 0;

    void check() const { detail::check_adam(name, rate, beta1, beta2, epsilon, weight_decay); }
    void each_option(auto const& f) const {
        f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon), f("weight_decay", weight_decay);
    }

    // The moments of the dense block; those of the tables stand in the tables while the state lives.
    template <class Model>
    struct state {
        using scalar = typename Model::scalar;

        state(adam_rule const& rule, Model& model)
            : constants{rule.beta1, rule.beta2, rule.epsilon, decoupled ? 0 : rule.weight_decay} {
            m.resize(model.block_size(), scalar(0));
            v.resize(model.block_size(), scalar(0));
            model.each_table([&](auto& table) { table.begin_adam(model.device(), this, constants); });
        }
        state(state const&) = delete;  // the tables know it by its address
        state& operator=(state const&) = delete;

        void step(adam_rule const& rule, Model& model, step_counts const& counts) {
            auto const at = [&](long long t) {
                return adam_step::at(constants, t, rule.rate, decoupled ? rule.weight_decay : 0);
            };
            each_trainable(
                model, counts,
                [&](auto const& range, long long t) { detail::adam_dense_step(model, constants, at(t), range, m, v); },
                [&](auto& table, std::size_t, long long t) { table.adam_step_rows(model.device(), this, at(t)); });
        }
        void end(Model& model) {
            model.each_table([&](auto& table) { table.end_adam(model.device(), this); });
        }
        void each_moment(auto const& f) {
            f("m", m.data(), [this](auto& table, int) { return table.adam_of(this).m.data(); });
            f("v", v.data(), [this](auto& table, int) { return table.adam_of(this).v.data(); });
        }

        adam_constants constants;
        typename Model::backend_type::template buffer<scalar> m, v;  // the parameter block's layout
    };
};

using adam = adam_rule<decay::coupled>;
using adamw = adam_rule<decay::decoupled>;

}  // namespace sequent
