// The optimizers' updates on the device. They do nothing once the policy's brake is on (step_check.hpp).
#pragma once

#include <span>

#include "../adam.hpp"
#include "../sgd.hpp"
#include "operations.hpp"
#include "step_check.hpp"

namespace sequent {

namespace detail {

// adam_powers as functions on the device read them.
struct device_powers {
    double beta1, beta2;
    int reach, size;
    double const* tables;  // [2, size]

    explicit device_powers(adam_history const& history)
        : beta1(history.constants.beta1), beta2(history.constants.beta2), reach(history.powers.reach()),
          size(static_cast<int>(history.powers.first_table().size())), tables(history.tables) {}
    [[nodiscard]] SEQUENT_HD double first(int k) const {
        return k < size ? tables[k] : k <= reach ? ::pow(beta1, k) : 0;
    }
    [[nodiscard]] SEQUENT_HD double root(int k) const { return k < size ? tables[size + k] : ::pow(beta2, 0.5 * k); }
};

template <class T>
struct adam_number {
    adam_element<T, T> update;
    adam_step step;
    T *p, *m, *v;
    T const* g;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const {
        T pj = p[j], mj = m[j], vj = v[j];
        update(pj, mj, vj, g[j], step);
        p[j] = pj, m[j] = mj, v[j] = vj;
    }
};

// Number c of row ids[u] makes the steps that the row has missed.
template <class T>
struct adam_fade_number {
    adam_constants constants;
    device_powers powers;
    adam_step const* steps;
    int const* count;
    double largest_rate;
    int const* ids;
    adam_rows<T> rows;
    SEQUENT_HD void operator()(int u, int c) const {
        int const id = ids[u], from = rows.made[id], last = rows.last[id], now = *count;
        long long const reach = 0LL + last + powers.reach;
        int const until = static_cast<int>(reach < now ? reach : now);
        if (from >= until) return;
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width + c;
        T p[1] = {rows.p[at]};
        T const m[1] = {rows.m[at]}, v[1] = {rows.v[at]};
        adam_fade<1, T>(constants, largest_rate, powers, steps + from, until - from, from + 1 - last, p, m, v);
        rows.p[at] = p[0];
    }
};

// Number c of row ids[u] makes the step after the history, with gradient g(u, c).
template <class T>
struct adam_row_number {
    adam_element<T, T> update;
    device_powers powers;
    adam_step step;
    int const* count;  // null: no history
    int const* ids;
    adam_rows<T> rows;
    T const* g;
    SEQUENT_HD void operator()(int u, int c) const {
        int const id = ids[u], missed = (count == nullptr ? 0 : *count) - rows.last[id];
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width + c;
        T p = rows.p[at], m = rows.m[at], v = rows.v[at];
        if (missed > 0) {
            double const root = powers.root(missed);
            m *= T(powers.first(missed)), v *= T(root * root);
        }
        update(p, m, v, g[std::ptrdiff_t{u} * rows.width + c], step);
        rows.p[at] = p, rows.m[at] = m, rows.v[at] = v;
    }
};

// Notes how many steps the rows have made; and, where they had a gradient, when.
struct stamp_rows {
    int const* ids;
    int *made, *last;
    int const* count;  // null: no history
    bool with_gradient;
    SEQUENT_HD void operator()(std::ptrdiff_t u) const {
        int const steps = (count == nullptr ? 0 : *count) + (with_gradient ? 1 : 0);
        made[ids[u]] = steps;
        if (with_gradient) last[ids[u]] = steps;
    }
};

struct append_step {
    adam_step step;
    adam_step* history;
    int* count;
    SEQUENT_HD void operator()(std::ptrdiff_t) const { history[(*count)++] = step; }
};
struct forget_steps {
    int *made, *last;
    int const* count;
    int never;
    SEQUENT_HD void operator()(std::ptrdiff_t id) const {
        last[id] = last[id] - *count < never ? never : last[id] - *count;
        made[id] = 0;
    }
};

template <class T>
struct sgd_number {
    sgd_step step;
    T decay, momentum;
    bool nesterov;
    T *p, *velocity;
    T const* g;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { move(j, j); }
    SEQUENT_HD void move(std::ptrdiff_t j, std::ptrdiff_t of_gradient) const {
        T moved = g[of_gradient] + decay * p[j];
        if (velocity != nullptr) {
            T const gradient = moved;
            moved = velocity[j] = T(step.kept) * velocity[j] + T(step.taken) * gradient;
            if (nesterov) moved = gradient + momentum * moved;
        }
        p[j] -= T(step.rate) * moved;
    }
};
template <class T>
struct sgd_row_number {
    sgd_number<T> update;
    int const* ids;
    int width;
    SEQUENT_HD void operator()(int u, int c) const {
        update.move(std::ptrdiff_t{ids[u]} * width + c, std::ptrdiff_t{u} * width + c);
    }
};

}  // namespace detail

// One step over a block: p, m, v, g of n numbers.
template <on_machine Device, class T>
void adam_update(Device const& device, adam_constants const& constants, adam_step const& step, T* p, T* m, T* v,
                 T const* g, std::size_t n) {
    detail::update_each(device, static_cast<std::ptrdiff_t>(n),
                        detail::adam_number<T>{adam_element<T, T>(constants), step, p, m, v, g});
}

// The rows `ids` make all steps of the history that they have not made.
template <on_machine Device, class T>
void adam_catch_up_rows(Device const& device, adam_history const& history, std::span<int const> ids,
                        adam_rows<T> const& rows) {
    int const count = static_cast<int>(ids.size());
    int const* const on_device = device.machine->upload(ids);
    device.machine->each(count, rows.width,
                         detail::adam_fade_number<T>{history.constants, detail::device_powers(history),
                                                     history.steps.data(), history.count, history.largest_rate,
                                                     on_device, rows});
    device.machine->each(std::ptrdiff_t{count},
                         detail::stamp_rows{on_device, rows.made, rows.last, history.count, false});
}

// The step after the history, for the rows `ids`, which have made all of it; g: their gradients, [ids.size(), width].
template <on_machine Device, class T>
void adam_update_rows(Device const& device, adam_history const& history, adam_step const& step,
                      std::span<int const> ids, adam_rows<T> const& rows, T const* g) {
    int const count = static_cast<int>(ids.size());
    int const* const on_device = device.machine->upload(ids);
    detail::update_each(device, count, rows.width,
                        detail::adam_row_number<T>{adam_element<T, T>(history.constants),
                                                   detail::device_powers(history), step, history.count, on_device, rows,
                                                   g});
    detail::update_each(device, std::ptrdiff_t{count},
                        detail::stamp_rows{on_device, rows.made, rows.last, history.count, true});
}

// The step is the history's next.
template <on_machine Device>
void adam_append_step(Device const& device, adam_step const& step, adam_step* history, int* count) {
    detail::update_each(device, std::ptrdiff_t{1}, detail::append_step{step, history, count});
}
// All rows have made all of the history, which begins anew.
template <on_machine Device, class T>
void adam_forget_steps(Device const& device, int all, adam_rows<T> const& rows, int* count) {
    device.machine->each(std::ptrdiff_t{all}, detail::forget_steps{rows.made, rows.last, count, rows.never});
    fill(device, count, 1, 0);
}

// p, velocity, g: n numbers each; velocity is null where there is no momentum.
template <on_machine Device, class T>
void sgd_update(Device const& device, sgd_constants const& constants, sgd_step const& step, T* p, T* velocity,
                T const* g, std::size_t n) {
    detail::update_each(device, static_cast<std::ptrdiff_t>(n),
                        detail::sgd_number<T>{step, T(constants.weight_decay), T(constants.momentum),
                                              constants.nesterov, p, velocity, g});
}

// One step, without momentum, of the rows `ids`; g: their gradients, [ids.size(), width].
template <on_machine Device, class T>
void sgd_update_rows(Device const& device, sgd_constants const& constants, sgd_step const& step,
                     std::span<int const> ids, int width, T* p, T const* g) {
    detail::sgd_number<T> const update{
        step, T(constants.weight_decay), T(constants.momentum), constants.nesterov, p, nullptr, g};
    detail::update_each(device, static_cast<int>(ids.size()), width,
                        detail::sgd_row_number<T>{update, device.machine->upload(ids), width});
}

}  // namespace sequent
