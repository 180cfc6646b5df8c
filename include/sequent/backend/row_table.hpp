// A table of rows of which a step reads and changes few: an embedding's weights. It keeps gradients of touched rows
// only and, while an optimizer updates it, the moments and the step of each row's last update; whoever reads a row gets
// it caught up, bit for bit the row of a dense update.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>

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
    buffer_of<Backend, int> count;       // of its steps: one number
    buffer_of<Backend, double> tables;   // of powers
    int steps = 0;  // the same on the host; a device that has stopped a step (train/training.hpp) counts fewer
    double largest_rate = 0;
    static constexpr int longest_history = 1 << 16, never = adam_rows<T>::never;

    [[nodiscard]] adam_history history() const {
        return {constants,    powers,        {past.data(), static_cast<std::size_t>(steps)},
                largest_rate, tables.data(), count.data()};
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

    // All values, caught up: [rows, width].
    [[nodiscard]] matrix_view<T> values(Backend const& device) {
        if (adam) catch_up(device, every_row());
        return {values_.data(), rows_, width_};
    }
    // The same, of which only the rows that have gradients are caught up.
    [[nodiscard]] matrix_view<T> touched_values(Backend const& device) {
        if (adam) catch_up(device, touched_);
        return {values_.data(), rows_, width_};
    }
    // to[u] = row ids[u], caught up.
    void read(Backend const& device, std::span<int const> ids, matrix_view<T> to) {
        if (adam) catch_up(device, ids);
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
        if (adam) catch_up(device, every_row());  // a copy of a table in training may owe steps
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
        adam->count.resize(1, 0);
    }
    // Makes up for every missed step and drops the moments.
    void end_adam(Backend const& device, void const* owner) {
        if (!adam || adam->owner != owner) return;
        catch_up(device, every_row());
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
        bool const decays = step.shrink != 1 || state.constants.weight_decay != 0;
        if (decays || state.steps == table_adam<Backend, T>::longest_history) forget_history(device);
        std::span<int const> const ids = decays ? every_row() : std::span<int const>(touched_);
        catch_up(device, ids);
        adam_update_rows(device, state.history(), step, ids, adam_view(),
                         decays ? dense_gradient(device).data : static_cast<T const*>(gradients_.data()));
        adam_append_step(device, step, state.past.data(), state.count.data());
        ++state.steps;
        state.largest_rate = std::max(state.largest_rate, step.rate);
    }
    // Catches all rows up and begins a new history, which changes no later bit. Afterwards, and until the next step,
    // -last[row] is the number of steps since the row's last gradient, or more.
    void forget_history(Backend const& device) {
        catch_up(device, every_row());
        adam_forget_steps(device, rows_, adam_view(), adam->count.data());
        adam->steps = 0;
        adam->largest_rate = 0;
    }

  private:
    [[nodiscard]] adam_rows<T> adam_view() {
        return {width_, values_.data(), adam->m.data(), adam->v.data(), adam->made.data(), adam->last.data()};
    }
    void catch_up(Backend const& device, std::span<int const> ids) {
        adam_catch_up_rows(device, adam->history(), ids, adam_view());
    }
    [[nodiscard]] std::span<int const> every_row() {
        if (every_row_.empty()) {
            every_row_.resize(static_cast<std::size_t>(rows_));
            std::iota(every_row_.begin(), every_row_.end(), 0);
        }
        return every_row_;
    }

    int rows_ = 0, width_ = 0;
    buffer_of<Backend, T> values_, gradients_, dense_gradient_;
    std::vector<int> slot_, touched_, places_, every_row_;
};

}  // namespace sequent
