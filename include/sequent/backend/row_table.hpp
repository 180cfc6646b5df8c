// A table of rows of which a step reads and changes few: an embedding's weights. It keeps gradients of touched rows
// only and, while an optimizer updates it, the moments and the step of each row's last update; whoever reads a row gets
// it caught up, bit for bit the row of a dense update.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "../core/error.hpp"
#include "../core/matrix.hpp"
#include "adam.hpp"

namespace sequent {

// Adam's state of a table: two moments per number, a stamp per row, and the steps since training began.
template <class Backend, class T>
struct table_adam {
    template <class U>
    using buffer = typename Backend::template buffer<U>;
    void const* owner = nullptr;  // the optimizer whose steps these are
    adam_constants constants;
    buffer<T> m, v;                  // [rows, width]
    std::vector<int> last;           // how much of the history each row has seen; never_moved: its moments are zero
    std::vector<adam_step> history;  // the steps since all rows were last caught up together
    double largest_rate = 0;         // in the history
    static constexpr int never_moved = -1;
    static constexpr std::size_t longest_history = 1 << 16;  // then all rows are caught up, which changes no later bit
};

template <class Backend, class T>
class row_table {
  public:
    template <class U>
    using buffer = typename Backend::template buffer<U>;

    void resize(int rows, int width) {
        rows_ = rows, width_ = width;
        std::size_t const size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(width);
        values_.resize(size, T(0));
        slot_.assign(static_cast<std::size_t>(rows), -1);
        touched_.clear();
    }
    [[nodiscard]] int rows() const { return rows_; }
    [[nodiscard]] int width() const { return width_; }

    // Rows that never get a gradient: a padding row, or all of them.
    std::optional<int> padding;
    bool frozen = false;

    // All values, caught up: [rows, width].
    [[nodiscard]] matrix_view<T> values(Backend const& device) {
        catch_up(device, rows_to_update::all);
        return {values_.data(), rows_, width_};
    }
    // to[u] = row ids[u], caught up.
    void read(Backend const& device, std::span<int const> ids, matrix_view<T> to) {
        if (adam)
            for (int const id : ids) catch_up(device, id);
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
        gradients_.resize(touched_.size() * static_cast<std::size_t>(width_), T(0));
        scatter_add_rows(device, gradient, places_, gradient_rows());
        if (padding && slot_[static_cast<std::size_t>(*padding)] >= 0)
            fill(device, gradient_rows().row(slot_[static_cast<std::size_t>(*padding)]),
                 static_cast<std::size_t>(width_), T(0));
    }
    void forget_gradients() {
        for (int const id : touched_) slot_[static_cast<std::size_t>(id)] = -1;
        touched_.clear();
        gradients_.resize(0, T(0));
    }
    // The rows that have gradients, in order of first touch, and these gradients: [touched, width].
    [[nodiscard]] std::span<int const> touched() const { return touched_; }
    [[nodiscard]] matrix_view<T> gradient_rows() {
        return {gradients_.data(), static_cast<int>(touched_.size()), width_};
    }

    // Changes rows by their gradients: f(row, values, gradient) for each row that has one, or for each row, with zeros
    // for a gradient where there is none. In a frozen table no row changes.
    enum class rows_to_update { touched, all };
    template <class F>
    void update_rows(Backend const& device, rows_to_update which, F const& f) {
        if (frozen) return;
        catch_up(device, which);
        visit(device, which, f);
    }

    // The sum of the squares of the gradients, row by row in ascending order: that of the dense gradient.
    [[nodiscard]] double sum_of_squared_gradients(Backend const& device) {
        places_.assign(touched_.begin(), touched_.end());
        std::sort(places_.begin(), places_.end());
        double sum = 0;
        for (int const row : places_)
            sum += sum_of_squares(device, static_cast<T const*>(gradient_of(row)), static_cast<std::size_t>(width_));
        return sum;
    }

    // Set while an optimizer with dense semantics lives.
    std::optional<table_adam<Backend, T>> adam;

    void begin_adam(Backend const& device, void const* owner, adam_constants const& constants) {
        catch_up(device, rows_to_update::all);  // a copy of a table in training may owe steps
        adam.emplace();
        adam->owner = owner;
        adam->constants = constants;
        std::size_t const size = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(width_);
        adam->m.resize(size, T(0));
        adam->v.resize(size, T(0));
        adam->last.assign(static_cast<std::size_t>(rows_), table_adam<Backend, T>::never_moved);
    }
    // Makes up for every missed step and drops the moments.
    void end_adam(Backend const& device, void const* owner) {
        if (!adam || adam->owner != owner) return;
        catch_up(device, rows_to_update::all);
        adam.reset();
    }
    // The next step: updates the touched rows; the others owe it. With weight decay every row changes at every step,
    // and none is left out. Throws argument_error when another optimizer has begun since.
    void adam_step_rows(Backend const& device, void const* owner, adam_step const& step) {
        if (!adam || adam->owner != owner)
            throw argument_error("sequent::adam: another optimizer has taken over an embedding of this model");
        if (frozen) return;
        bool const decays = step.shrink != 1 || adam->constants.weight_decay != 0;
        rows_to_update const which = decays ? rows_to_update::all : rows_to_update::touched;
        if (adam->history.size() == table_adam<Backend, T>::longest_history) forget_history(device);
        catch_up(device, which);
        adam->largest_rate = std::max(adam->largest_rate, step.rate);
        adam->history.push_back(step);
        visit(device, which, [&](int row, T* values, T const* gradient) {
            std::ptrdiff_t const at = std::ptrdiff_t{row} * width_;
            adam_update(device, adam->constants, step, values, adam->m.data() + at, adam->v.data() + at, gradient,
                        static_cast<std::size_t>(width_));
            adam->last[static_cast<std::size_t>(row)] = static_cast<int>(adam->history.size());
        });
    }

  private:
    [[nodiscard]] T* gradient_of(int row) {
        return gradients_.data() + std::ptrdiff_t{slot_[static_cast<std::size_t>(row)]} * width_;
    }
    template <class F>
    void visit(Backend const& device, rows_to_update which, F const& f) {
        for (int const row : touched_)
            f(row, values_.data() + std::ptrdiff_t{row} * width_, static_cast<T const*>(gradient_of(row)));
        if (which == rows_to_update::touched) return;
        fill(device, zeros_.reserve(static_cast<std::size_t>(width_)), static_cast<std::size_t>(width_), T(0));
        for (int row = 0; row < rows_; ++row)
            if (slot_[static_cast<std::size_t>(row)] < 0)
                f(row, values_.data() + std::ptrdiff_t{row} * width_, static_cast<T const*>(zeros_.data()));
    }

    void catch_up(Backend const& device, rows_to_update which) {
        if (!adam) return;
        if (which == rows_to_update::all)
            for (int row = 0; row < rows_; ++row) catch_up(device, row);
        else
            for (int const row : touched_) catch_up(device, row);
    }
    void catch_up(Backend const& device, int row) {
        int& last = adam->last[static_cast<std::size_t>(row)];
        int const now = static_cast<int>(adam->history.size());
        if (last == table_adam<Backend, T>::never_moved || last == now) return;
        std::ptrdiff_t const at = std::ptrdiff_t{row} * width_;
        adam_catch_up(device, adam->constants,
                      std::span<adam_step const>(adam->history).subspan(static_cast<std::size_t>(last)),
                      adam->largest_rate, values_.data() + at, adam->m.data() + at, adam->v.data() + at, width_);
        last = now;
    }
    void forget_history(Backend const& device) {
        catch_up(device, rows_to_update::all);
        for (int& last : adam->last)
            if (last != table_adam<Backend, T>::never_moved) last = 0;
        adam->history.clear();
        adam->largest_rate = 0;
    }

    int rows_ = 0, width_ = 0;
    buffer<T> values_, gradients_, zeros_;
    std::vector<int> slot_, touched_, places_;
};

}  // namespace sequent
