// A recurrent layer on the device: products for the whole batch and, between them, the steps. Those of small and medium
// layers run in one kernel (tile.hpp), for all steps and both directions; any other makes each step by a product of the
// running states and a function that is the cell's equations for one unit of a sequence (cell_steps.hpp). Gate rows are
// [gate, unit], the order of weight_hh's rows.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "../../core/error.hpp"
#include "../backend.hpp"
#include "cell_steps.hpp"
#include "device_plan.hpp"
#include "operations.hpp"
#include "planner.hpp"

namespace sequent {

// What recurrent_forward leaves for recurrent_backward, and room to work in.
template <class Machine, class Cell, class T>
struct device_recurrent_memory {
    static constexpr int hidden = Cell::hidden_size, gate_row = Cell::gate_count * hidden;
    static constexpr int kept_row = tile_run<Cell>::kept_row;

    device_buffer<Machine, T> input_gates;              // [distinct, gate_row]: W_ih x + b_ih
    device_buffer<Machine, T> recurrent_gates;          // [batch, gate_row]: W_hh h, of one step
    device_buffer<Machine, T> running;                  // [states, batch, hidden], or their gradients
    device_buffer<Machine, T> kept;                     // [rows, kept_row]
    device_buffer<Machine, T> gate_gradient;            // [rows, gate_row]
    device_buffer<Machine, T> recurrent_gate_gradient;  // the same, where gates are not shared
    device_buffer<Machine, T> distinct_gradient;        // [distinct, gate_row]
    device_buffer<Machine, T> hidden_before;            // [rows, hidden]
    device_buffer<Machine, T> unit_gradient;            // [units' parameters, batch, hidden]
    device_buffer<Machine, int> index;                  // [rows] of the input's, if it has one
};

namespace detail {

// running = the given states, or zeros.
template <class Cell, on_machine Device, class T, class States>
void set_running(Device const& device, States const& given, int batch,
                 device_buffer<typename Device::machine_type, T>& running) {
    constexpr int hidden = Cell::hidden_size;
    std::size_t const size = static_cast<std::size_t>(batch) * hidden;
    T* const to = running.reserve(Cell::state_count * size);
    for (int s = 0; s < Cell::state_count; ++s) {
        matrix_view<T> const one(to + s * static_cast<std::ptrdiff_t>(size), batch, hidden);
        if (given[s].empty())
            fill(device, one.data, size, T(0));
        else
            copy_rows(device, matrix_view<T const>(given[s]), one);
    }
}
template <class Cell, on_machine Device, class T, class States>
void copy_running(Device const& device, int batch, device_buffer<typename Device::machine_type, T>& running,
                  States const& to) {
    for (int s = 0; s < Cell::state_count; ++s)
        if (!to[s].empty())
            copy_rows(device,
                      matrix_view<T const>(running.data() + std::ptrdiff_t{s} * batch * Cell::hidden_size, batch,
                                           Cell::hidden_size),
                      to[s]);
}

// The parts of both passes that are products over the whole batch, and the steps between them.
template <class Cell, class T, class Device>
class device_recurrent {
    using block = recurrent_layout<Cell>;
    using memory = device_recurrent_memory<typename Device::machine_type, Cell, T>;
    using math = device_math<Device::format, T>;
    using run_type = recurrent_run<Cell, Device, T>;
    static constexpr int hidden = Cell::hidden_size, inputs = Cell::input_size, gate_row = memory::gate_row;
    static constexpr strategy planned = planned_strategy<Cell, T, Device::format, Device::wanted_strategy>;
    static constexpr int blocks = planned == strategy::cluster ? planned_blocks<Cell, T, Device::format> : 1;
    using forward_body = tile_forward<kernel_warp, Cell, Device::format, 8, blocks>;
    using backward_body = tile_backward<kernel_warp, Cell, Device::format, 8, blocks>;

  public:
    static void project(Device const& device, indexed_rows<T> const& input, run_type const& run) {
        std::size_t const size = static_cast<std::size_t>(input.rows.rows) * gate_row;
        affine(device, input.rows, matrix_view<T const>(run.parameters + block::weight_ih, gate_row, inputs),
               run.parameters + block::bias_ih,
               matrix_view<T>(run.memory->input_gates.reserve(size), input.rows.rows, gate_row));
    }

    // The steps of all directions.
    static void forward(Device const& device, typename Device::plan const& shape, int const* index, keep kept,
                        std::span<run_type const> runs) {
        if constexpr (planned != strategy::general)
            if (runs_tiles(device)) return forward_tiles(device, shape, index, kept, runs);
        for (auto const& run : runs) forward_steps(device, shape, index, kept, run);
    }
    static void backward(Device const& device, typename Device::plan const& shape, std::span<run_type const> runs) {
        if constexpr (planned != strategy::general)
            if (runs_tiles(device)) return backward_tiles(device, shape, runs);
        for (auto const& run : runs) backward_steps(device, shape, run);
    }

    static void forward_steps(Device const& device, typename Device::plan const& shape, int const* index, keep kept,
                              run_type const& run) {
        memory& mine = *run.memory;
        int const batch = shape.batch();
        std::size_t const rows = static_cast<std::size_t>(shape.rows());
        mine.recurrent_gates.reserve(static_cast<std::size_t>(batch) * gate_row);
        T* const to_keep = kept == keep::for_backward ? mine.kept.reserve(rows * memory::kept_row) : nullptr;
        set_running<Cell>(device, run.initial, batch, mine.running);
        device.machine->together([&] {
            for (int number = 0; number < visits_of(shape); ++number) {
                device.machine->multiply(Device::format, factor::plain,
                                         matrix_view<T const>(mine.running.data(), batch, hidden), factor::transposed,
                                         matrix_view<T const>(run.parameters + block::weight_hh, gate_row, hidden),
                                         matrix_view<T>(mine.recurrent_gates.data(), batch, gate_row), false);
                device.machine->each(
                    batch, hidden,
                    cell_forward<Cell, T, math>{run.parameters, mine.input_gates.data(), index,
                                                mine.recurrent_gates.data(), mine.running.data(),
                                                visit{shape.places(), number, run.way == direction::forward}, batch,
                                                any_rows<T>(run.output), to_keep});
            }
        });
        copy_running<Cell>(device, batch, mine.running, run.final);
    }

    static void backward_steps(Device const& device, typename Device::plan const& shape, run_type const& run) {
        memory& mine = *run.memory;
        int const batch = shape.batch();
        std::size_t const rows = static_cast<std::size_t>(shape.rows());
        mine.gate_gradient.reserve(rows * gate_row);
        mine.recurrent_gate_gradient.reserve(Cell::shared_gates ? 0 : rows * gate_row);
        mine.hidden_before.reserve(rows * hidden);
        std::size_t const units = Cell::unit_count * static_cast<std::size_t>(batch) * hidden;
        fill(device, mine.unit_gradient.reserve(units), units, T(0));
        set_running<Cell>(device, run.final_gradient, batch, mine.running);
        T* const step_gradient = mine.recurrent_gates.reserve(static_cast<std::size_t>(batch) * gate_row);
        device.machine->together([&] {
            for (int number = visits_of(shape) - 1; number >= 0; --number) {
                device.machine->each(
                    batch, hidden,
                    cell_backward<Cell, T, math>{run.parameters, run.initial, any_rows<T const>(run.output),
                                                 any_rows<T const>(run.output_gradient), mine.kept.data(),
                                                 visit{shape.places(), number, run.way == direction::forward}, batch,
                                                 mine.running.data(), mine.gate_gradient.data(),
                                                 mine.recurrent_gate_gradient.data(), step_gradient,
                                                 mine.hidden_before.data(), mine.unit_gradient.data()});
                device.machine->multiply(backward_format(Device::format), factor::plain,
                                         matrix_view<T const>(step_gradient, batch, gate_row), factor::plain,
                                         matrix_view<T const>(run.parameters + block::weight_hh, gate_row, hidden),
                                         matrix_view<T>(mine.running.data(), batch, hidden), true);
            }
        });
        copy_running<Cell>(device, batch, mine.running, run.initial_gradient);
        for (int p = 0; p < Cell::unit_count; ++p)
            add_column_sums(
                device,
                matrix_view<T const>(mine.unit_gradient.data() + std::ptrdiff_t{p} * batch * hidden, batch, hidden),
                run.parameter_gradient + block::unit + p * block::unit_stride);
    }

    // All steps of all directions in one launch.
    static void forward_tiles(Device const& device, typename Device::plan const& shape, int const* index, keep kept,
                              std::span<run_type const> runs) {
        auto all = arguments_of(shape, index, runs);
        for (int d = 0; d < static_cast<int>(runs.size()); ++d)
            if (kept == keep::for_backward)
                all.runs[d].kept = runs[static_cast<std::size_t>(d)].memory->kept.reserve(
                    static_cast<std::size_t>(shape.rows()) * memory::kept_row);
        launch<forward_body>(device, shape, static_cast<int>(runs.size()), all);
    }
    static void backward_tiles(Device const& device, typename Device::plan const& shape,
                               std::span<run_type const> runs) {
        auto all = arguments_of(shape, nullptr, runs);
        std::size_t const rows = static_cast<std::size_t>(shape.rows());
        for (int d = 0; d < static_cast<int>(runs.size()); ++d) {
            memory& mine = *runs[static_cast<std::size_t>(d)].memory;
            auto& run = all.runs[d];
            run.kept = mine.kept.data();
            run.gate_gradient = mine.gate_gradient.reserve(rows * gate_row);
            run.recurrent_gate_gradient =
                mine.recurrent_gate_gradient.reserve(Cell::shared_gates ? 0 : rows * gate_row);
            run.hidden_before = mine.hidden_before.reserve(rows * hidden);
            run.unit_gradient =
                mine.unit_gradient.reserve(static_cast<std::size_t>(tiles(shape)) * Cell::unit_count * hidden);
        }
        launch<backward_body>(device, shape, static_cast<int>(runs.size()), all);
        for (auto const& run : runs)
            for (int p = 0; p < Cell::unit_count; ++p)
                add_column_sums(device,
                                matrix_view<T const>(run.memory->unit_gradient.data() + p * hidden, tiles(shape),
                                                     hidden, Cell::unit_count * hidden),
                                run.parameter_gradient + block::unit + p * block::unit_stride);
    }

    // The gradients of the weights and of the input, from those of the gates.
    static void backward_products(Device const& device, typename Device::plan const& shape,
                                  indexed_rows<T> const& input, run_type const& run, matrix_view<T> input_gradient,
                                  bool accumulate) {
        memory& mine = *run.memory;
        int const rows = shape.rows(), distinct = input.rows.rows;
        affine_backward_weight(device, matrix_view<T const>(recurrent_gates(mine), rows, gate_row),
                               matrix_view<T const>(mine.hidden_before.data(), rows, hidden),
                               matrix_view<T>(run.parameter_gradient + block::weight_hh, gate_row, hidden),
                               Cell::shared_gates ? nullptr : run.parameter_gradient + block::bias_hh);
        matrix_view<T const> gates(mine.gate_gradient.data(), rows, gate_row);
        if (!input.index.empty()) {  // equal words share a row: sum their gates' gradients first, in the rows' order
            std::size_t const size = static_cast<std::size_t>(distinct) * gate_row;
            matrix_view<T> const sums(mine.distinct_gradient.reserve(size), distinct, gate_row);
            fill(device, sums.data, size, T(0));
            scatter_add_rows(device, gates, input.index, sums);
            gates = sums;
        }
        affine_backward_weight(device, gates, input.rows,
                               matrix_view<T>(run.parameter_gradient + block::weight_ih, gate_row, inputs),
                               static_cast<T*>(nullptr));
        add_column_sums(device, gates,
                        run.parameter_gradient + block::bias_ih,  // the same to both, if gates are shared
                        Cell::shared_gates ? run.parameter_gradient + block::bias_hh : nullptr);
        if (input_gradient.empty()) return;
        affine_backward_input(device, gates, matrix_view<T const>(run.parameters + block::weight_ih, gate_row, inputs),
                              input_gradient, accumulate);
    }

    static std::string plan(Device const& device) {
        if constexpr (planned == strategy::general) {
            return "general";
        } else {
            constexpr bool helped = backward_body::threads != forward_body::threads;
            std::string const text =
                message(name(planned), blocks > 1 ? message(" of ", blocks, " blocks") : "", ": tiles of 8 sequences, ",
                        forward_body::threads, helped ? message(" and ", backward_body::threads) : "",
                        " threads a block; forward and backward ", forward_body::weight_registers, " and ",
                        backward_body::weight_registers, " registers of a thread hold weights, a block has ",
                        forward_body::shared_bytes, " and ", backward_body::shared_bytes, " bytes of shared memory");
            return runs_tiles(device) ? text : "general, as this machine does not run " + text;
        }
    }

  private:
    static int tiles(packing const& shape) { return (shape.batch() + 7) / 8; }

    // Whether this machine runs the planned kernels. Throws where it cannot and they were asked for.
    static bool runs_tiles(Device const& device) {
        if constexpr (blocks > 1) {
            auto& machine = *device.machine;
            bool const able =
                machine.template can_run_clusters<forward_body>() && machine.template can_run_clusters<backward_body>();
            if (!able && Device::wanted_strategy == strategy::cluster)
                throw error(message("sequent::cuda: this machine cannot run clusters of ", blocks, " blocks with ",
                                    std::max(forward_body::shared_bytes, backward_body::shared_bytes),
                                    " bytes of shared memory each, or the program was not compiled for it (clusters "
                                    "need sm_90 or newer); use strategy::automatic"));
            return able;
        }
        return true;
    }
    template <class Body>
    static void launch(Device const& device, packing const& shape, int directions, tile_arguments<Cell> const& all) {
        if constexpr (blocks > 1)
            device.machine->template run_clusters<Body>(tiles(shape), directions, all);
        else
            device.machine->template run_blocks<Body>(tiles(shape), directions, all);
    }

    // Kernels of tiles move two neighbouring numbers at once where the hidden size is even.
    template <class View>
    static View in_pairs(View const& view, char const* what) {
        bool const even =
            reinterpret_cast<std::uintptr_t>(view.data) % 8 == 0 && (view.stride % 2 == 0 || view.rows == 1);
        if (hidden % 2 == 0 && !view.empty() && !even)
            throw argument_error(message("sequent::cuda: the ", what, " of a recurrent layer of ", hidden,
                                         " units: its rows must start on multiples of 8 bytes; copy it, or use "
                                         "strategy::general"));
        return view;
    }
    static tile_arguments<Cell> arguments_of(typename Device::plan const& shape, int const* index,
                                             std::span<run_type const> runs) {
        tile_arguments<Cell> all;
        all.shape = {shape.batch(), shape.places().lengths, shape.places().offsets, index};
        for (int d = 0; d < static_cast<int>(runs.size()); ++d) {
            run_type const& from = runs[static_cast<std::size_t>(d)];
            auto& to = all.runs[d];
            to.way = from.way;
            to.parameters =
                in_pairs(matrix_view<T const>(from.parameters, 1, static_cast<int>(block::size)), "parameters").data;
            int const distinct = static_cast<int>(from.memory->input_gates.size() / gate_row);
            to.input_gates = {from.memory->input_gates.data(), distinct, gate_row};
            to.output = in_pairs(from.output, "output");
            to.output_gradient = in_pairs(from.output_gradient, "gradient of the output");
            for (int s = 0; s < Cell::state_count; ++s) {
                to.initial[s] = in_pairs(from.initial[s], "initial state");
                to.final[s] = in_pairs(from.final[s], "final state");
                to.final_gradient[s] = in_pairs(from.final_gradient[s], "gradient of the final state");
                to.initial_gradient[s] = in_pairs(from.initial_gradient[s], "gradient of the initial state");
            }
        }
        return all;
    }
    static T* recurrent_gates(memory& mine) {
        return Cell::shared_gates ? mine.gate_gradient.data() : mine.recurrent_gate_gradient.data();
    }
};

}  // namespace detail

// What a layer of this cell runs on with this policy and on its machine, in words: the strategy (planner.hpp), and what
// was planned of registers and shared memory. Throws where recurrent_forward would.
template <class Cell, class T = float, on_machine Policy>
[[nodiscard]] std::string recurrent_plan(Policy const& device) {
    return detail::device_recurrent<Cell, T, Policy>::plan(device);
}

template <class Cell, class T, on_machine Device>
void recurrent_forward(Device const& device, typename Device::plan const& shape, indexed_rows<T> const& input,
                       keep kept, std::span<recurrent_run<Cell, Device, T> const> runs) {
    using layer = detail::device_recurrent<Cell, T, Device>;
    for (auto const& run : runs) layer::project(device, input, run);
    int* index = nullptr;  // at the same place in every pass
    if (!input.index.empty() && !runs.empty()) {
        index = runs[0].memory->index.reserve(input.index.size());
        copy_from_host(device, input.index.data(), input.index.size(), index);
    }
    layer::forward(device, shape, index, kept, runs);
}

template <class Cell, class T, on_machine Device>
void recurrent_backward(Device const& device, typename Device::plan const& shape, indexed_rows<T> const& input,
                        std::span<recurrent_run<Cell, Device, T> const> runs, matrix_view<T> input_gradient) {
    using layer = detail::device_recurrent<Cell, T, Device>;
    layer::backward(device, shape, runs);
    for (auto const& run : runs)
        layer::backward_products(device, shape, input, run, input_gradient, &run != runs.data());
}

}  // namespace sequent
