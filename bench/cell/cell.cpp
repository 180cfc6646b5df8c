// One step of 16 sequences of 32 units, in registers as the CPU's loops run it, without the matrix products.
#include "sequent/cell/cell.hpp"

#include "report.hpp"
#include "sequent/backend/cpu/activation.hpp"
#include "sequent/backend/cpu/buffer.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "workload.hpp"

namespace {

using number = sequent::simd<float, sequent::default_isa>;
constexpr std::size_t batch = 16, units = batch * 32;

// FLOPs of one unit: each addition, multiplication and activation of its equations is one.
struct unit_flops {
    int forward, backward;
};
template <class Cell>
constexpr unit_flops flops{};
template <int Input, int Hidden>
constexpr unit_flops flops<sequent::elman<Input, Hidden>>{2, 3};
template <int Input, int Hidden>
constexpr unit_flops flops<sequent::gru<Input, Hidden>>{10, 16};
template <int Input, int Hidden>
constexpr unit_flops flops<sequent::lstm<Input, Hidden>>{13, 22};

// Streams of numbers, one per value that a unit reads or makes: [count, units].
template <int Count>
struct streams {
    sequent::cpu_buffer<float> values;  // aligned, as the kernels' memory is

    streams() {
        std::vector<float> const numbers = bench::normal_numbers(units * Count, 3);
        std::copy(numbers.begin(), numbers.end(), values.reserve(numbers.size()));
    }

    [[nodiscard]] sequent::numbers<number, Count> load(std::size_t unit) const {
        sequent::numbers<number, Count> loaded{};
        for (int i = 0; i < Count; ++i)
            loaded[i] = number::load_aligned(values.data() + static_cast<std::size_t>(i) * units + unit);
        return loaded;
    }
    void store(sequent::numbers<number, Count> const& from, std::size_t unit) {
        for (int i = 0; i < Count; ++i)
            from[i].store_aligned(values.data() + static_cast<std::size_t>(i) * units + unit);
    }
};

void report(benchmark::State& state, int flops_of_unit) {
    double const steps = static_cast<double>(state.iterations());
    bench::report(state, steps * batch, steps * units * flops_of_unit);
}

template <class Cell, class Math>
void step(benchmark::State& state) {
    streams<Cell::gate_count> const x, h;
    streams<Cell::state_count> const before;
    streams<Cell::state_count> after;
    streams<Cell::saved_count> saved;
    sequent::numbers<number, Cell::unit_count> const unit{};
    for (auto _ : state) {
        for (std::size_t u = 0; u < units; u += number::size) {
            sequent::numbers<number, Cell::state_count> next;
            sequent::numbers<number, Cell::saved_count> kept;
            Cell::template step<Math>(x.load(u), h.load(u), before.load(u), unit, next, kept);
            after.store(next, u);
            saved.store(kept, u);
        }
        benchmark::ClobberMemory();
    }
    report(state, flops<Cell>.forward);
}

template <class Cell>
void step_backward(benchmark::State& state) {
    streams<Cell::saved_count> const saved;
    streams<Cell::state_count> const before, after, incoming;
    streams<Cell::state_count> outgoing;
    streams<Cell::gate_count> x_gradient, h_gradient;
    sequent::numbers<number, Cell::unit_count> const unit{};
    for (auto _ : state) {
        for (std::size_t u = 0; u < units; u += number::size) {
            auto gradient = incoming.load(u);
            sequent::numbers<number, Cell::gate_count> of_x, of_h;
            sequent::numbers<number, Cell::unit_count> of_unit{};
            Cell::template step_backward<sequent::accurate>(saved.load(u), before.load(u), after.load(u), unit,
                                                            gradient, of_x, of_h, of_unit);
            outgoing.store(gradient, u);
            x_gradient.store(of_x, u);
            h_gradient.store(of_h, u);
        }
        benchmark::ClobberMemory();
    }
    report(state, flops<Cell>.backward);
}

using elman = sequent::elman<64, 32>;
using lstm = sequent::lstm<64, 32>;
using gru = sequent::gru<64, 32>;

BENCHMARK(step<elman, sequent::accurate>)->Name("cell/elman/step");
BENCHMARK(step<gru, sequent::accurate>)->Name("cell/gru/step");
BENCHMARK(step<lstm, sequent::accurate>)->Name("cell/lstm/step");
BENCHMARK(step<lstm, sequent::precise>)->Name("cell/lstm/step precise");
BENCHMARK(step_backward<elman>)->Name("cell/elman/step_backward");
BENCHMARK(step_backward<gru>)->Name("cell/gru/step_backward");
BENCHMARK(step_backward<lstm>)->Name("cell/lstm/step_backward");

}  // namespace
