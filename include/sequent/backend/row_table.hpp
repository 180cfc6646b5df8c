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
    adam_constants constants;
    buffer<T> m, v;                  // [rows, width]
    std::vector<int> last;           // the step of each row's last update; 0: never, its moments are zero
    std::vector<adam_step> history;  // history[t - 1]: step t
    double largest_rate = 0;
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
        if (adam)
            for (int row = 0; row < rows_; ++row) catch_up(device, row);
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

    // Set while an optimizer with dense semantics lives.
    std::optional<table_adam<Backend, T>> adam;

    void begin_adam(adam_constants const& constants) {
        adam.emplace();
        adam->constants = constants;
        std::size_t const size = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(width_);
        adam->m.resize(size, T(0));
        adam->v.resize(size, T(0));
        adam->last.assign(static_cast<std::size_t>(rows_), 0);
    }
    // Makes up for every missed step and drops the moments.
    void end_adam(Backend const& device) {
        (void)values(device);
        adam.reset();
    }
    // Step t = history.size() + 1: updates the touched rows; the others owe it. With weight decay every row changes at
    // every step, so none is left out.
    void adam_step_rows(Backend const& device, adam_step const& step) {
        if (frozen) return;
        bool const decays = step.shrink != 1 || adam->constants.weight_decay != 0;
        for (int const id : touched_) catch_up(device, id);
        adam->largest_rate = std::max(adam->largest_rate, step.rate);
        adam->history.push_back(step);
        for (std::size_t u = 0; u < touched_.size(); ++u)
            update(device, step, touched_[u], gradient_rows().row(static_cast<int>(u)));
        if (!decays) return;
        zeros_.resize(static_cast<std::size_t>(width_), T(0));
        for (int row = 0; row < rows_; ++row)
            if (slot_[static_cast<std::size_t>(row)] < 0) update(device, step, row, zeros_.data());
    }

  private:
    void update(Backend const& device, adam_step const& step, int row, T const* gradient) {
        std::ptrdiff_t const at = std::ptrdiff_t{row} * width_;
        adam_update(device, adam->constants, step, values_.data() + at, adam->m.data() + at, adam->v.data() + at,
                    gradient, static_cast<std::size_t>(width_));
        adam->last[static_cast<std::size_t>(row)] = static_cast<int>(adam->history.size());
    }
    void catch_up(Backend const& device, int row) {
        int& last = adam->last[static_cast<std::size_t>(row)];
        int const now = static_cast<int>(adam->history.size());
        if (last == 0 || last == now) return;  // never touched: its moments are zero and a missed step changes nothing
        std::ptrdiff_t const at = std::ptrdiff_t{row} * width_;
        adam_catch_up(device, adam->constants,
                      std::span<adam_step const>(adam->history).subspan(static_cast<std::size_t>(last)),
                      adam->largest_rate, values_.data() + at, adam->m.data() + at, adam->v.data() + at, width_);
        last = now;
    }

    int rows_ = 0, width_ = 0;
    buffer<T> values_, gradients_, zeros_;
    std::vector<int> slot_, touched_, places_;
};

}  // namespace sequent
