// A table of rows of which a step reads and changes few: an embedding's weights. It keeps gradients of touched rows
// only and, while an optimizer with dense semantics updates it, of each row the moments and the parameters of its last
// gradient, from which whoever reads the row gets it as it is by now.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "../core/error.hpp"
#include "../core/matrix.hpp"
#include "adam.hpp"

namespace sequent {

// Adam's state of a table: two moments per number, and how many steps ago a row had its last gradient.
template <class Backend, class T>
struct table_adam {
    void const* owner = nullptr;  // the optimizer whose steps these are
    adam_constants constants;
    adam_powers powers;
    buffer_of<Backend, T> m, v;          // [rows, width]
    buffer_of<Backend, int> made, last;  // [rows]: see adam_rows
    buffer_of<Backend, adam_step> past;  // the history
    buffer_of<Backend, adam_sums> sums;  // of it
    buffer_of<Backend, int> count;       // of its steps: one number
    buffer_of<Backend, double> tables;   // of powers
    int steps = 0;  // the same on the host; a device that has stopped a step (train/training.hpp) counts fewer
    double largest_rate = 0;
    static constexpr int longest_history = 1 << 16, never = adam_rows<T>::never;

    [[nodiscard]] adam_history history() const {
        return {constants,     powers,      {past.data(), static_cast<std::size_t>(steps)}, sums.data(), largest_rate,
                tables.data(), count.data()};
    }
    void append(Backend const& device, adam_step const& step) {
        adam_append_step(device, history(), step, past.data(), sums.data(), count.data());
        ++steps;
        largest_rate = std::max(largest_rate, step.rate);
    }
    // The steps in which a row can move after its last gradient; 0 where that is beyond what a history should hold (a
    // beta1 of about 0.998 and more).
    [[nodiscard]] int window() const { return powers.reach() <= longest_history / 2 ? powers.reach() : 0; }
    // Begins the history anew, with these steps.
    void restart(Backend const& device, std::span<adam_step const> with) {
        fill(device, count.data(), 1, 0);
        steps = 0, largest_rate = 0;
        for (adam_step const& step : with) append(device, step);
    }
};

template <class Backend, class T>
class row_table {
  public:
    void resize(int rows, int width) {
        rows_ = rows, width_ = width;
        std::size_t const size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
        values_.resize(size, T(0));
        slot_.assign(static_cast<std::size_t>(rows), -1);
        touched_.clear();
    }
    [[nodiscard]] int rows() const { return rows_; }
    [[nodiscard]] int width() const { return width_; }
    [[nodiscard]] std::size_t size() const { return values_.size(); }  // rows * width

    // Rows that never get a gradient: a padding row, or all of them.
    std::optional<int> padding;
    bool frozen = false;

    // All values, until the table changes: [rows, width]. While an optimizer lets rows owe steps it is a copy.
    [[nodiscard]] matrix_view<T const> values(Backend const& device) {
        if (!adam) return {values_.data(), rows_, width_};
        matrix_view<T> const current(current_.reserve(values_.size()), rows_, width_);
        read(device, every_row(), current);
        return current;
    }
    // The same for who changes them: all rows make the steps that they owe.
    [[nodiscard]] matrix_view<T> writable_values(Backend const& device) {
        matrix_view<T> const here(values_.data(), rows_, width_);
        gathered_now_ = false;
        if (adam) {
            read(device, every_row(), here);
            copy_to_host(device, static_cast<int const*>(adam->count.data()), 1, &adam->steps);
            fill(device, adam->made.data(), static_cast<std::size_t>(rows_), adam->steps);
        }
        return here;
    }
    // Keeps a copy of row ids[u] as row u of gathered(), until the next call.
    void gather(Backend const& device, std::span<int const> ids) {
        gathered_ids_.assign(ids.begin(), ids.end());
        gathered_now_ = true;
        read(device, ids, reserve_rows(gathered_, static_cast<int>(ids.size()), width_));
    }
    [[nodiscard]] matrix_view<T const> gathered() const {
        return {gathered_.data(), static_cast<int>(gathered_ids_.size()), width_};
    }
    // to[u] = row ids[u].
    void read(Backend const& device, std::span<int const> ids, matrix_view<T> to) {
        if (adam)
            adam_read_rows(device, adam->history(), ids, adam_view(), to);
        else
            gather_rows(device, matrix_view<T const>(values_.data(), rows_, width_), ids, to);
    }

    // Adds the gradients of distinct rows: gradient of row ids[u] += gradient.row(u).
    void add_gradient(Backend const& device, std::span<int const> ids, matrix_view<T const> gradient) {
        if (frozen) return;
        places_.clear();
        for (int const id : ids) {
            int& slot = slot_[static_cast<std::size_t>(id)];
            if (slot < 0) {
                slot = static_cast<int>(touched_.size());
                touched_.push_back(id);
            }
            places_.push_back(slot);
        }
        std::size_t const size = touched_.size() * static_cast<std::size_t>(width_);
        if (gradients_.size() == 0)
            fill(device, gradients_.reserve(size), size, T(0));
        else
            gradients_.resize(size, T(0));
        scatter_add_rows(device, gradient, places_, gradient_rows());
        if (padding && slot_[static_cast<std::size_t>(*padding)] >= 0)
            fill(device, gradient_rows().row(slot_[static_cast<std::size_t>(*padding)]),
                 static_cast<std::size_t>(width_), T(0));
    }
    void forget_gradients() {
        for (int const id : touched_) slot_[static_cast<std::size_t>(id)] = -1;
        touched_.clear();
        gradients_.reserve(0);
    }
    // The rows that have gradients, in order of first touch, and these gradients: [touched, width].
    [[nodiscard]] std::span<int const> touched() const { return touched_; }
    [[nodiscard]] matrix_view<T> gradient_rows() {
        return {gradients_.data(), static_cast<int>(touched_.size()), width_};
    }

    // The gradient of all rows, zeros in those that have none: [rows, width].
    [[nodiscard]] matrix_view<T const> dense_gradient(Backend const& device) {
        matrix_view<T> const dense = reserve_rows(dense_gradient_, rows_, width_);
        fill(device, dense.data, dense.size(), T(0));
        scatter_add_rows(device, matrix_view<T const>(gradient_rows()), touched_, dense);
        return dense;
    }

    // The sum of the squares of the gradients, row by row in ascending order: that of the dense gradient.
    [[nodiscard]] double sum_of_squared_gradients(Backend const& device) {
        places_.assign(touched_.begin(), touched_.end());
        std::sort(places_.begin(), places_.end());
        for (int& place : places_) place = slot_[static_cast<std::size_t>(place)];
        return sum_of_squared_rows(device, matrix_view<T const>(gradient_rows()), places_);
    }

    // Set while an optimizer with dense semantics lives.
    std::optional<table_adam<Backend, T>> adam;

    void begin_adam(Backend const& device, void const* owner, adam_constants const& constants) {
        end_adam(device);  // a copy of a table in training may owe steps
        adam.emplace();
        adam->owner = owner;
        adam->constants = constants;
        adam->powers = adam_powers(constants);
        std::span const first = adam->powers.first_table(), root = adam->powers.root_table();
        adam->tables.reserve(2 * first.size());
        copy_from_host(device, first.data(), first.size(), adam->tables.data());
        copy_from_host(device, root.data(), root.size(), adam->tables.data() + first.size());
        adam->m.resize(values_.size(), T(0));
        adam->v.resize(values_.size(), T(0));
        adam->made.resize(static_cast<std::size_t>(rows_), 0);
        adam->last.resize(static_cast<std::size_t>(rows_), table_adam<Backend, T>::never);
        adam->past.reserve(table_adam<Backend, T>::longest_history);
        adam->sums.reserve(table_adam<Backend, T>::longest_history);
        adam->count.resize(1, 0);
    }
    // Makes up for every missed step and drops the moments: this owner's, or whosesoever.
    void end_adam(Backend const& device, void const* owner = nullptr) {
        if (!adam || (owner != nullptr && adam->owner != owner)) return;
        (void)writable_values(device);
        adam.reset();
    }
    // Throws argument_error when another optimizer has begun since.
    [[nodiscard]] table_adam<Backend, T>& adam_of(void const* owner) {
        require(adam && adam->owner == owner,
                "sequent::adam: another optimizer has taken over an embedding of this model");
        return *adam;
    }
    // The next step: updates the touched rows; the others owe it. With weight decay every row changes at every step,
    // and none is left out.
    void adam_step_rows(Backend const& device, void const* owner, adam_step const& step) {
        table_adam<Backend, T>& state = adam_of(owner);
        if (frozen) return;
        T const* const current =
            std::exchange(gathered_now_, false) && gathered_ids_ == touched_ ? gathered_.data() : nullptr;
        bool const decays = step.shrink != 1 || state.constants.weight_decay != 0;
        if (decays) forget_history(device);
        if (state.steps == state.longest_history) trim_history(device);
        adam_update_rows(device, state.history(), step, decays ? every_row() : touched_, adam_view(),
                         decays ? dense_gradient(device).data : static_cast<T const*>(gradients_.data()),
                         decays ? nullptr : current);
        state.append(device, step);
    }
    // Leaves of the history the last window() steps, with steps that move nothing before them where there were fewer;
    // rows without a gradient in these make all of theirs. That changes no later bit, unless the window is 0.
    void trim_history(Backend const& device) {
        table_adam<Backend, T>& state = *adam;
        copy_to_host(device, static_cast<int const*>(state.count.data()), 1, &state.steps);
        int const window = state.window(), gone = state.steps - window;
        if (window == 0) return forget_history(device);
        if (gone == 0) return;
        std::vector<int> made(every_row().size()), last(made.size());
        copy_to_host(device, static_cast<int const*>(state.made.data()), made.size(), made.data());
        copy_to_host(device, static_cast<int const*>(state.last.data()), made.size(), last.data());
        std::vector<int> behind = made;
        for (int& one : behind) one = one < gone ? one : state.steps;  // the others stay
        copy_from_host(device, static_cast<int const*>(behind.data()), made.size(), state.made.data());
        read(device, every_row(), {values_.data(), rows_, width_});
        for (std::size_t row = 0; row < made.size(); ++row) {
            made[row] = made[row] < gone ? window : made[row] - gone;
            if (last[row] > state.never) last[row] = std::max(last[row] - gone, state.never);
        }
        copy_from_host(device, static_cast<int const*>(made.data()), made.size(), state.made.data());
        copy_from_host(device, static_cast<int const*>(last.data()), made.size(), state.last.data());
        std::vector<adam_step> kept(static_cast<std::size_t>(window));
        std::vector<adam_sums> sums(kept.size());
        std::size_t const known = static_cast<std::size_t>(std::min(window, state.steps)), first = kept.size() - known;
        copy_to_host(device, static_cast<adam_step const*>(state.past.data()) + state.steps - known, known,
                     kept.data() + first);
        copy_to_host(device, static_cast<adam_sums const*>(state.sums.data()) + state.steps - known, known,
                     sums.data() + first);
        copy_from_host(device, static_cast<adam_step const*>(kept.data()), kept.size(), state.past.data());
        copy_from_host(device, static_cast<adam_sums const*>(sums.data()), sums.size(), state.sums.data());
        fill(device, state.count.data(), 1, window);
        state.steps = window;
    }
    // After the tensors of another's trimmed history have been copied here.
    void adopt_history(Backend const& device) {
        std::vector<adam_step> kept(static_cast<std::size_t>(adam->window()));
        copy_to_host(device, static_cast<adam_step const*>(adam->past.data()), kept.size(), kept.data());
        adam->restart(device, kept);
    }
    // Where the rows stand that owe steps, before they make them.
    [[nodiscard]] matrix_view<T> stored_values() { return {values_.data(), rows_, width_}; }
    // All rows make all steps of the history, which begins anew.
    void forget_history(Backend const& device) {
        read(device, every_row(), stored_values());
        adam_forget_steps(device, rows_, adam_view(), adam->count.data());
        adam->restart(device, {});
    }

  private:
    [[nodiscard]] adam_rows<T> adam_view() {
        return {width_, values_.data(), adam->m.data(), adam->v.data(), adam->made.data(), adam->last.data()};
    }
    [[nodiscard]] std::span<int const> every_row() {
        if (every_row_.empty()) {
            every_row_.resize(static_cast<std::size_t>(rows_));
            std::iota(every_row_.begin(), every_row_.end(), 0);
        }
        return every_row_;
    }

    int rows_ = 0, width_ = 0;
    buffer_of<Backend, T> values_, gradients_, dense_gradient_, current_, gathered_;
    bool gathered_now_ = false;  // no step has changed the rows since they were gathered
    std::vector<int> slot_, touched_, places_, every_row_, gathered_ids_;
};

}  // namespace sequent
