// How a training on a device stops without the host: a step whose loss or gradient is not finite puts on a brake, which
// every update looks at, and the host reads why when it comes round.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "device_buffer.hpp"
#include "device_number.hpp"
#include "operations.hpp"

namespace sequent {

// Why a step was stopped.
struct stop_note {
    enum reason { nothing, bad_loss, bad_gradient };
    reason why = nothing;
    int place = -1;     // of the first bad gradient among those given; -1: only their norm is
    double number = 0;  // the loss, or the sum of the squares
};

// Each copy of a policy has its own, off at first: models do not stop each other.
template <class Machine>
class device_brake {
  public:
    device_brake() { memory_.resize(1, stop_note{}); }
    device_brake(device_brake const&) : device_brake() {}
    device_brake& operator=(device_brake const&) { return *this; }
    ~device_brake() = default;
    [[nodiscard]] stop_note* note() const { return memory_.data(); }

  private:
    mutable device_buffer<Machine, stop_note> memory_;
};

namespace detail {

SEQUENT_HD bool is_finite(double x) { return x - x == 0; }

template <class F>
struct unless_stopped {
    stop_note const* note;
    F f;
    template <class... Place>
    SEQUENT_HD void operator()(Place... place) const {
        if (note->why == stop_note::nothing) f(place...);
    }
};
template <on_machine Device, class F>
void update_each(Device const& device, std::ptrdiff_t n, F const& f) {
    device.machine->each(n, unless_stopped<F>{device.brake.note(), f});
}
template <on_machine Device, class F>
void update_each(Device const& device, int rows, int columns, F const& f) {
    device.machine->each(rows, columns, unless_stopped<F>{device.brake.note(), f});
}

struct stop_at_loss {
    double const* loss;
    stop_note* note;
    SEQUENT_HD void operator()(std::ptrdiff_t) const {
        if (!is_finite(*loss)) *note = {stop_note::bad_loss, -1, *loss};
    }
};

// Block b's sums are sums[b * parts], ...: first of shares of the numbers, then of `kept` shares of those, then one.
template <class T>
struct square_shares {
    matrix_view<T> const* blocks;
    std::ptrdiff_t parts;
    double* sums;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const {
        matrix_view<T> const block = blocks[j / parts];
        sum_squares<T>{block.data, static_cast<std::ptrdiff_t>(block.size()), parts,
                       sums + j / parts * parts}(j % parts);
    }
};
struct fold_shares {
    std::ptrdiff_t parts, left, kept;  // left: of the parts
    double* sums;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { sum_shares{sums + j / kept * parts, left, kept}(j % kept); }
};
// Looks at the sums, notes what is not finite, and finds by how much to scale the gradients.
struct judge_sums {
    double const* sums;
    int blocks;
    std::ptrdiff_t parts;
    double largest_norm;
    stop_note* note;
    double* factor;
    SEQUENT_HD void operator()(std::ptrdiff_t) const {
        double all = 0;
        stop_note found;
        for (int b = 0; b < blocks; ++b) {
            double const sum = sums[b * parts];
            if (!is_finite(sum) && found.place < 0) found = {stop_note::bad_gradient, b, sum};
            all += sum;
        }
        if (!is_finite(all) && found.place < 0) found = {stop_note::bad_gradient, -1, all};
        if (note->why == stop_note::nothing) *note = found;
        double const ratio = largest_norm / (::sqrt(all) + 1e-6);
        *factor = ratio > 1 ? 1 : ratio;
    }
};
template <class T>
struct scale_blocks {
    matrix_view<T> const* blocks;
    std::ptrdiff_t parts;
    double const* factor;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const {
        matrix_view<T> const block = blocks[j / parts];
        std::ptrdiff_t const size = static_cast<std::ptrdiff_t>(block.size());
        for (std::ptrdiff_t i = j % parts; i < size; i += parts) block.data[i] *= static_cast<T>(*factor);
    }
};
struct copy_note {
    stop_note const* from;
    stop_note* to;
    SEQUENT_HD void operator()(std::ptrdiff_t) const { *to = *from; }
};

}  // namespace detail

// Puts the brake on where the loss is not finite.
template <on_machine Device, class Loss>
void check_loss(Device const& device, Loss const& loss) {
    detail::update_each(device, std::ptrdiff_t{1}, detail::stop_at_loss{loss.on_device(), device.brake.note()});
}

// Puts the brake on where the sum of the squares of a block is not finite, or theirs; if it is not on, scales all by
// min(1, largest_norm / (norm + 1e-6)). Gives what is noted then, to be read later.
template <on_machine Device, class T>
auto check_gradients(Device const& device, std::vector<matrix_view<T>> const& gradients, double largest_norm) {
    constexpr std::ptrdiff_t kept = 128, most = 16384, numbers_of_a_part = 64;
    std::ptrdiff_t parts = kept, count = static_cast<std::ptrdiff_t>(gradients.size());
    for (auto const& one : gradients)
        parts = std::max(parts, std::min(most, static_cast<std::ptrdiff_t>(one.size()) / numbers_of_a_part));
    parts = round_up(static_cast<int>(parts));  // whatever number of rows a table's gradient has
    auto& machine = *device.machine;
    auto* const blocks = machine.upload(std::span<matrix_view<T> const>(gradients));
    double* const sums = machine.template room<double>(static_cast<std::size_t>(count * parts + 1));
    double* const factor = sums + count * parts;
    machine.each(count * parts, detail::square_shares<T>{blocks, parts, sums});
    machine.each(count * kept, detail::fold_shares{parts, parts, kept, sums});
    machine.each(count, detail::fold_shares{parts, kept, 1, sums});
    machine.each(1,
                 detail::judge_sums{sums, static_cast<int>(count), parts, largest_norm, device.brake.note(), factor});
    if (largest_norm < HUGE_VAL)
        detail::update_each(device, count * parts, detail::scale_blocks<T>{blocks, parts, factor});
    return device_number<typename Device::machine_type, stop_note>(machine, [&](stop_note* to) {
        machine.each(1, detail::copy_note{device.brake.note(), to});
    });
}

// Takes the brake off.
template <on_machine Device>
void release_brake(Device const& device) {
    fill(device, device.brake.note(), 1, stop_note{});
}

}  // namespace sequent
