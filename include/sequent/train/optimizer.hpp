// An optimizer: a rule (sgd, adam, ...) and its state for one model.
#pragma once

#include "../model/parameters.hpp"

namespace sequent {

// Rule: an aggregate of options with
//   double rate                                   the learning rate, which a schedule may change
//   void check() const                            throws argument_error for an option out of range
//   state<Model>: state(rule, model), step(rule, model, step_counts), end(model)
// and, for train/checkpoint.hpp,
//   name, each_option(f): f(name, number)         all but the rate
//   state::each_moment(f): f(name, block, of)     what it remembers, of(table, number) for an embedding; the moment "v"
//                                                 is never below zero
// The optimizer holds a reference to the model, which must have parameters, and must not outlive it. While it lives,
// rows of embeddings may owe steps; whoever reads them through the model gets them caught up. When it ends, or another
// takes over, nothing is owed.
template <class Model, class Rule>
class optimizer {
  public:
    optimizer(Model& model, Rule rule)
        : model_(&model), rule_((rule.check(), std::move(rule))),
          state_(rule_, (model.each_table([&](auto& table) { table.end_adam(model.device()); }), model)),
          counts_(model.parameters().size()) {
        require(!counts_.empty(), "sequent::optimizer: the network has no parameters");
    }
    optimizer(optimizer const&) = delete;
    optimizer& operator=(optimizer const&) = delete;
    ~optimizer() { state_.end(*model_); }

    // Changes the parameters by their gradients. The gradients stay: see Model::zero_gradients.
    void step() {
        ++steps_;
        for (std::size_t k = 0; k < counts_.size(); ++k) counts_[k] += model_->parameters()[k].frozen ? 0 : 1;
        state_.step(rule_, *model_, counts_);
    }

    [[nodiscard]] Rule const& rule() const { return rule_; }
    [[nodiscard]] double rate() const { return rule_.rate; }
    void rate(double value) {
        require(value >= 0, "sequent::optimizer: invalid learning rate: ", value);
        rule_.rate = value;
    }
    [[nodiscard]] long long steps() const { return steps_; }
    [[nodiscard]] step_counts const& counts() const { return counts_; }
    void steps(long long steps, step_counts counts) { steps_ = steps, counts_ = std::move(counts); }

    [[nodiscard]] Model& network() { return *model_; }
    [[nodiscard]] auto& state() { return state_; }

  private:
    Model* model_;
    Rule rule_;
    typename Rule::template state<Model> state_;
    long long steps_ = 0;
    step_counts counts_;
};

// What a rule remembers: a number for each of the model's, zero at first.
template <class Model>
struct moment {
    using scalar = typename Model::scalar;
    using buffer = typename Model::backend_type::template buffer<scalar>;

    explicit moment(Model& model) {
        block.resize(model.block_size(), scalar(0));
        model.each_table([&](auto& table) { tables.emplace_back().resize(table.size(), scalar(0)); });
    }
    // For each_moment.
    void tell(char const* name, auto const& f) {
        f(name, block.data(), [this](auto&, int number) { return tables[static_cast<std::size_t>(number)].data(); });
    }

    buffer block;                // the parameter block's layout
    std::vector<buffer> tables;  // [rows, width] each
};

}  // namespace sequent
