// The element update of stochastic gradient descent on the CPU, in PyTorch's form.
#pragma once

#include <cstddef>
#include <span>

#include "../sgd.hpp"

namespace sequent {

struct cpu;

// p, velocity, g: n numbers each; velocity is null where there is no momentum.
template <class T>
void sgd_update(cpu const&, sgd_constants const& constants, sgd_step const& step, T* p, T* velocity, T const* g,
                std::size_t n) {
    T const rate = T(step.rate), decay = T(constants.weight_decay), momentum = T(constants.momentum);
    T const kept = T(step.kept), taken = T(step.taken);
    if (velocity == nullptr) {
        for (std::size_t j = 0; j < n; ++j) p[j] -= rate * (g[j] + decay * p[j]);
        return;
    }
    for (std::size_t j = 0; j < n; ++j) {
        T const gradient = g[j] + decay * p[j];
        velocity[j] = kept * velocity[j] + taken * gradient;
        p[j] -= rate * (constants.nesterov ? gradient + momentum * velocity[j] : velocity[j]);
    }
}

// One step, without momentum, of the rows `ids`; g: their gradients, [ids.size(), width].
template <class T>
void sgd_update_rows(cpu const& device, sgd_constants const& constants, sgd_step const& step, std::span<int const> ids,
                     int width, T* p, T const* g) {
    for (std::size_t u = 0; u < ids.size(); ++u)
        sgd_update<T>(device, constants, step, p + std::ptrdiff_t{ids[u]} * width, nullptr,
                      g + u * static_cast<std::size_t>(width), static_cast<std::size_t>(width));
}

}  // namespace sequent
