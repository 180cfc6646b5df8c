// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019) with PyTorch's defaults and semantics, dense: every
// row of an embedding moves at every step, though only touched rows cost anything.
#pragma once

#include "../backend/adam.hpp"
#include "../core/error.hpp"

namespace sequent {

namespace detail {

inline void check_adam(char const* who, double rate, double beta1, double beta2, double epsilon, double weight_decay) {
    if (!(rate >= 0)) throw argument_error(message("sequent::", who, ": invalid learning rate: ", rate));
    if (!(beta1 >= 0 && beta1 < 1))
        throw argument_error(message("sequent::", who, ": invalid beta parameter at index 0: ", beta1));
    if (!(beta2 >= 0 && beta2 < 1))
        throw argument_error(message("sequent::", who, ": invalid beta parameter at index 1: ", beta2));
    if (!(epsilon >= 0)) throw argument_error(message("sequent::", who, ": invalid epsilon value: ", epsilon));
    if (!(weight_decay >= 0))
        throw argument_error(message("sequent::", who, ": invalid weight_decay value: ", weight_decay));
}

template <class Model, class Buffer>
void adam_dense_step(Model& model, adam_constants const& constants, adam_step const& step, Buffer& m, Buffer& v) {
    using scalar = typename Model::scalar;
    for (auto const& range : model.trainable())
        adam_update(model.device(), constants, step, model.block() + range.offset, m.data() + range.offset,
                    v.data() + range.offset, static_cast<scalar const*>(model.gradient_block() + range.offset),
                    range.size);
}

// The moments of the dense block; those of the tables stand in the tables while the state lives.
template <class Model>
class adam_state {
    using scalar = typename Model::scalar;
    template <class U>
    using buffer = typename Model::backend_type::template buffer<U>;

  public:
    adam_state(adam_constants const& constants, Model& model) : constants_(constants) {
        m.resize(model.block_size(), scalar(0));
        v.resize(model.block_size(), scalar(0));
        model.each_table([&](auto& table) { table.begin_adam(model.device(), this, constants); });
    }
    adam_state(adam_state const&) = delete;  // the tables know it by its address
    adam_state& operator=(adam_state const&) = delete;

    void step(Model& model, adam_step const& step) {
        model.each_table([&](auto& table) { table.adam_step_rows(model.device(), this, step); });
        adam_dense_step(model, constants_, step, m, v);
    }
    void end(Model& model) {
        model.each_table([&](auto& table) { table.end_adam(model.device(), this); });
    }
    template <class F>
    void each_moment(F const& f) {
        f("m", m.data(), [this](auto& table, int) { return table.adam_of(this).m.data(); });
        f("v", v.data(), [this](auto& table, int) { return table.adam_of(this).v.data(); });
    }

    buffer<scalar> m, v;  // the parameter block's layout

  private:
    adam_constants constants_;
};

}  // namespace detail

// Moments below 2^-100 (first) and 2^-120 (second) count as zero, so epsilon should not be below 1e-15.
struct adam {
    double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0;  // coupled: added to the gradient

    void check() const { detail::check_adam(name, rate, beta1, beta2, epsilon, weight_decay); }

    static constexpr char const* name = "adam";
    template <class F>
    void each_option(F const& f) const {
        f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon), f("weight_decay", weight_decay);
    }

    template <class Model>
    struct state : detail::adam_state<Model> {
        state(adam const& rule, Model& model)
            : detail::adam_state<Model>({rule.beta1, rule.beta2, rule.epsilon, rule.weight_decay}, model) {}
        void step(adam const& rule, Model& model, long long t) {
            adam_constants const constants{rule.beta1, rule.beta2, rule.epsilon, rule.weight_decay};
            detail::adam_state<Model>::step(model, adam_step::at(constants, t, rule.rate));
        }
    };
};

// As adam, but for the weight decay: it does not pass through the moments.
struct adamw {
    double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 1e-2;  // decoupled: shrinks the parameter

    void check() const { detail::check_adam(name, rate, beta1, beta2, epsilon, weight_decay); }

    static constexpr char const* name = "adamw";
    template <class F>
    void each_option(F const& f) const {
        f("beta1", beta1), f("beta2", beta2), f("epsilon", epsilon), f("weight_decay", weight_decay);
    }

    template <class Model>
    struct state : detail::adam_state<Model> {
        state(adamw const& rule, Model& model)
            : detail::adam_state<Model>({rule.beta1, rule.beta2, rule.epsilon, 0}, model) {}
        void step(adamw const& rule, Model& model, long long t) {
            adam_constants const constants{rule.beta1, rule.beta2, rule.epsilon, 0};
            detail::adam_state<Model>::step(model, adam_step::at(constants, t, rule.rate, rule.weight_decay));
        }
    };
};

}  // namespace sequent
