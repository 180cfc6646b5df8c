// The policy behind `cuda`: a machine and the number format of its products, and the overloads of the waist's
// operations for it. Views that a model on it hands out are of the device's memory: copy_to_host reads them.
#pragma once

#include <memory>

#include "../backend.hpp"
#include "cross_entropy.hpp"
#include "device_buffer.hpp"
#include "device_plan.hpp"
#include "machine.hpp"
#include "operations.hpp"
#include "optimizers.hpp"
#include "recurrent.hpp"
#include "step_check.hpp"

namespace sequent {

// Copies of a policy share the machine, so their work is done in one order, but not the brake. Strategy: which kernels
// recurrent layers run on (planner.hpp).
template <class Machine, precision Format = precision::f32x3, strategy Strategy = strategy::automatic>
struct basic_cuda {
    std::shared_ptr<Machine> machine = std::make_shared<Machine>();
    device_brake<Machine> brake{};

    using machine_type = Machine;
    using step_answer = device_number<Machine, stop_note>;
    static constexpr precision format = Format;
    static constexpr strategy wanted_strategy = Strategy;
    static constexpr bool reads_host_memory = false;
    using plan = device_plan<Machine>;
    template <class T>
    using buffer = device_buffer<Machine, T>;
    template <class Cell, class T>
    using recurrent_memory = device_recurrent_memory<Machine, Cell, T>;
};

template <on_machine Device>
void make_plan(Device const& device, packing const& shape, typename Device::plan& plan) {
    plan.assign(*device.machine, shape);
}

// f(), all of whose launches are one where they come again: what a training step is.
template <on_machine Device, class F>
auto together(Device const& device, F const& f) {
    return device.machine->together(f);
}

}  // namespace sequent
