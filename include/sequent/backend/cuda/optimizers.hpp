// The optimizers' updates on the device. They do nothing once the policy's brake is on (step_check.hpp).
#pragma once

#include <span>

#include "../adam.hpp"
#include "../sgd.hpp"
#include "operations.hpp"
#include "step_check.hpp"

namespace sequent {

namespace detail {

// The history, and adam_powers, as functions on the device read them.
struct device_powers {
    double beta1, beta2;
    int reached, adds_up, size;
    double const* tables;  // [2, size]

    explicit device_powers(adam_history const& history)
        : beta1(history.constants.beta1), beta2(history.constants.beta2), reached(history.powers.reach()),
          adds_up(history.powers.summed()), size(static_cast<int>(history.powers.first_table().size())),
          tables(history.tables) {}
    [[nodiscard]] SEQUENT_HD int reach() const { return reached; }
    [[nodiscard]] SEQUENT_HD int summed() const { return adds_up; }
    [[nodiscard]] SEQUENT_HD double first(int k) const {
        return k < size ? tables[k] : k <= reached ? ::pow(beta1, k) : 0;
    }
    [[nodiscard]] SEQUENT_HD double root(int k) const { return k < size ? tables[size + k] : ::pow(beta2, 0.5 * k); }
};
template <class T>
struct device_history {
    adam_constants constants;
    device_powers powers;
    adam_step const* steps;
    adam_sums const* sums;
    int const* count;  // null: no history
    double largest_rate;

    explicit device_history(adam_history const& of)
        : constants(of.constants), powers(of), steps(of.steps.data()), sums(of.sums), count(of.count),
          largest_rate(of.largest_rate) {}
    [[nodiscard]] SEQUENT_HD int now() const { return count == nullptr ? 0 : *count; }
    // Number c of row `id` after all steps of the history.
    [[nodiscard]] SEQUENT_HD T read(adam_rows<T> const& rows, int id, int c) const {
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width + c;
        adam_pause<T> const pause(steps, sums, powers, now(), rows.made[id], rows.last[id]);
        T p[1] = {rows.p[at]};
        T const m[1] = {rows.m[at]}, v[1] = {rows.v[at]};
        if (pause.none()) return p[0];
        if (pause.by_series) return pause.moved(p[0], m[0], v[0], T(constants.epsilon));
        adam_fade<1, T>(constants, largest_rate, powers, steps + pause.from, pause.until - pause.from, pause.age, p, m,
                        v);
        return p[0];
    }
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

template <class T>
struct adam_read_number {
    device_history<T> history;
    int const* ids;
    adam_rows<T> rows;
    matrix_view<T> to;
    SEQUENT_HD void operator()(int u, int c) const { to.row(u)[c] = history.read(rows, ids[u], c); }
};

// Number c of row ids[u] makes the step after the history, with gradient g(u, c); current: as adam_read_rows reads.
template <class T>
struct adam_row_number {
    adam_element<T, T> update;
    device_history<T> history;
    adam_step step;
    int const* ids;
    adam_rows<T> rows;
    T const *g, *current;
    SEQUENT_HD void operator()(int u, int c) const {
        int const id = ids[u], missed = history.now() - rows.last[id];
        std::ptrdiff_t const at = std::ptrdiff_t{id} * rows.width + c, given = std::ptrdiff_t{u} * rows.width + c;
        T p = current != nullptr ? current[given] : history.read(rows, id, c), m = rows.m[at], v = rows.v[at];
        if (missed > 0) {
            double const root = history.powers.root(missed);
            m *= T(history.powers.first(missed)), v *= T(root * root);
        }
        update(p, m, v, g[given], step);
        rows.p[at] = p, rows.m[at] = m, rows.v[at] = v;
    }
};

// Rows that have had a gradient in the step after the history.
struct stamp_rows {
    int const* ids;
    int *made, *last;
    int const* count;  // null: no history
    SEQUENT_HD void operator()(std::ptrdiff_t u) const {
        made[ids[u]] = last[ids[u]] = (count == nullptr ? 0 : *count) + 1;
    }
};

struct append_step {
    adam_step step;
    adam_step* steps;
    adam_sums* sums;
    int const* count;
    SEQUENT_HD void operator()(std::ptrdiff_t) const { steps[*count] = step, sums[*count] = adam_sums{}; }
};
struct sum_step {
    device_powers powers;
    adam_step const* steps;
    adam_sums* sums;
    int const* count;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const {
        int const k = static_cast<int>(j) + 1;
        if (k <= *count + 1) adam_add_step(powers, steps, *count, k, sums);
    }
};
struct count_step {
    int* count;
    SEQUENT_HD void operator()(std::ptrdiff_t) const { ++*count; }
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

// to[u] = the parameters of row ids[u] after all steps of the history; `to` may be the table itself, if these are its
// rows.
template <on_machine Device, class T>
void adam_read_rows(Device const& device, adam_history const& history, std::span<int const> ids,
                    adam_rows<T> const& rows, matrix_view<T> to) {
    device.machine->each(
        static_cast<int>(ids.size()), rows.width,
        detail::adam_read_number<T>{detail::device_history<T>(history), device.machine->upload(ids), rows, to});
}

// The step after the history, for the rows `ids`; g: their gradients, [ids.size(), width]. current: these rows as
// adam_read_rows gives them, or null.
template <on_machine Device, class T>
void adam_update_rows(Device const& device, adam_history const& history, adam_step const& step,
                      std::span<int const> ids, adam_rows<T> const& rows, T const* g, T const* current) {
    int const count = static_cast<int>(ids.size());
    int const* const on_device = device.machine->upload(ids);
    detail::update_each(device, count, rows.width,
                        detail::adam_row_number<T>{adam_element<T, T>(history.constants),
                                                   detail::device_history<T>(history), step, on_device, rows, g,
                                                   current});
    detail::update_each(device, std::ptrdiff_t{count},
                        detail::stamp_rows{on_device, rows.made, rows.last, history.count});
}

// The step becomes the last of the history, whose steps, sums and count are these.
template <on_machine Device>
void adam_append_step(Device const& device, adam_history const& history, adam_step const& step, adam_step* steps,
                      adam_sums* sums, int* count) {
    detail::update_each(device, std::ptrdiff_t{1}, detail::append_step{step, steps, sums, count});
    detail::update_each(device, std::ptrdiff_t{history.powers.summed()},
                        detail::sum_step{detail::device_powers(history), steps, sums, count});
    detail::update_each(device, std::ptrdiff_t{1}, detail::count_step{count});
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
