// Training: forward, loss, backward and update of one batch after the other.
#pragma once

#include "../sequence/packed_sequence.hpp"
#include "clip_norm.hpp"
#include "cross_entropy.hpp"
#include "optimizer.hpp"
#include "schedule.hpp"

namespace sequent {

struct training_options {
    std::optional<double> clip_norm = {};  // the largest norm of the gradients (clip_norm.hpp)
    // The rate of step 0, 1, ..., given the step and the rule's rate: one of schedule.hpp, or your own.
    sequent::schedule::any schedule = {};
};

// Holds a reference to the model, which it must not outlive, and owns the loss and the optimizer's state.
template <class Model, class Loss, class Rule>
class training {
    using scalar = typename Model::scalar;

  public:
    using model_type = Model;
    using input = packed_sequence<typename Model::input_value>;

    // Puts the model into training mode. Throws argument_error for an option out of range.
    training(Model& model, Loss loss, Rule rule, training_options options = {})
        : loss_((check(options), std::move(loss))), optimizer_(model, std::move(rule)), options_(std::move(options)),
          base_rate_(optimizer_.rate()) {
        model.train();
        if constexpr (answers_later) release_brake(model.device());  // of a step that nobody has asked about
    }

    // One step: gradients from zero, forward, loss, backward, update. targets: one per sequence in the user's order, or
    // one per packed row, as the network's output has rows. Returns the loss before the update. Throws numeric_error
    // when the loss or a gradient is not finite; the parameters are then as before the step.
    // A device is not waited for: its loss is read when it is converted to a number, and it is the next update,
    // settle() or save_training that throws a step's numeric_error. Nothing has changed the parameters meanwhile.
    auto step(input const& batch, std::span<int const> targets) {
        return together(network().device(), [&] {
            network().zero_gradients();
            auto const result = accumulate(batch, targets);
            update();
            return result;
        });
    }

    // The two halves, for gradients of several batches: accumulate() adds, update() changes the parameters. The caller
    // calls network().zero_gradients() before the first.
    auto accumulate(input const& batch, std::span<int const> targets) {
        return together(network().device(), [&] {
            matrix_view<scalar const> const logits(network().forward(batch));
            matrix_view<scalar> const gradient = reserve_rows(gradient_, logits.rows, logits.columns);
            auto const result = loss_(network().device(), logits, targets, gradient);
            if constexpr (!std::is_floating_point_v<decltype(result.loss)>)
                check_loss(network().device(), result.loss);
            else if (!std::isfinite(result.loss))
                fail_loss(result.loss);
            network().backward(gradient, input_gradient::not_wanted);
            return result;
        });
    }
    void update() {
        together(network().device(), [&] {
            if (options_.schedule.rate) optimizer_.rate(options_.schedule.rate(optimizer_.steps(), base_rate_));
            if constexpr (answers_later) {
                std::vector<matrix_view<scalar>> all(network().parameters().size());  // frozen ones have no numbers
                detail::each_gradient(network(), [&](auto const& of, auto const& gradient) {
                    all[static_cast<std::size_t>(&of - network().parameters().data())] = gradient;
                });
                auto const answer = check_gradients(network().device(), all, options_.clip_norm.value_or(HUGE_VAL));
                checks_.emplace_back(answer, optimizer_.steps(), optimizer_.counts());
            } else {
                bool const clips = options_.clip_norm.has_value();
                double const norm = detail::norm_of_gradients(network(), clips);
                if (!std::isfinite(norm)) fail_gradient(non_finite_gradient(network()));
                if (clips) detail::clip_gradients(network(), norm, *options_.clip_norm);
            }
            optimizer_.step();
        });
        settle(1);  // while the device works on this one
    }
    // Throws what a step but the last `but` had to throw, if nobody has yet: see step.
    void settle(std::size_t but = 0) {
        if constexpr (answers_later)
            while (checks_.size() > but) {
                auto const [answer, steps, counts] = std::move(checks_.front());
                checks_.erase(checks_.begin());
                auto const found = answer.number();
                if (found.why == found.nothing) continue;
                checks_.clear();  // of steps that were not made either
                release_brake(network().device());
                optimizer_.steps(steps, counts);
                if (found.why == found.bad_loss) fail_loss(found.number);
                std::size_t const place = static_cast<std::size_t>(found.place);
                fail_gradient(found.place < 0 ? "" : network().parameters()[place].name);
            }
    }

    // Tells the plateau that is the schedule its metric, after an epoch say: returns the rate of the steps to come.
    double observe(double metric) {
        auto& plateau = options_.schedule.watching;
        require(plateau.has_value(), "sequent::training: observe needs a plateau as the option schedule");
        optimizer_.rate((*plateau)(metric, optimizer_.rate()));
        return optimizer_.rate();
    }

    // The model, whose weights may be read at any time: rows that owe steps are caught up when read.
    [[nodiscard]] Model& network() { return optimizer_.network(); }
    [[nodiscard]] auto& rule() { return optimizer_; }
    [[nodiscard]] sequent::schedule::any& schedule() { return options_.schedule; }

    // f(name, number) for each option that a later step depends on, but for those of the loss and the schedule.
    void each_option(auto const& f) const {
        optimizer_.rule().each_option(f);
        f("rate", base_rate_);
        f("clip_norm", options_.clip_norm.value_or(std::numeric_limits<double>::infinity()));
    }

  private:
    using backend = typename Model::backend_type;
    static constexpr bool answers_later = !std::is_same_v<typename backend::step_answer, std::nullptr_t>;

    static void check(training_options const& given) {
        double const largest = given.clip_norm.value_or(0);
        require(largest >= 0, "sequent::training: clip_norm is ", largest, "; give 0 or more");
    }
    [[noreturn]] static void fail(auto const&... what) {
        throw numeric_error("sequent::training: the ", what..., "; lower the learning rate or clip the gradients");
    }
    void fail_loss(double loss) const { fail("loss of step ", optimizer_.steps() + 1, " is ", loss); }
    void fail_gradient(std::string const& name) const {
        fail("gradient of '", name, "' at step ", optimizer_.steps() + 1, " is not finite (or too large to square)");
    }

    Loss loss_;
    optimizer<Model, Rule> optimizer_;
    training_options options_;
    double base_rate_;
    typename backend::template buffer<scalar> gradient_;
    // What will be known of the last steps, where it comes later, and where the optimizer stood before them.
    std::vector<std::tuple<typename backend::step_answer, long long, step_counts>> checks_;
};

}  // namespace sequent
