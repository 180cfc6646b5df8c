// Streaming: a trained network stepped token by token, or sample by sample, for one sequence that never has to end. No
// allocation, no exception, and the bits of a whole packed sequence.
#pragma once

#include "../backend/cpu/cpu.hpp"
#include "../backend/cpu/recurrent_step.hpp"
#include "../layer/embedding.hpp"
#include "../layer/linear.hpp"
#include "../layer/pooling.hpp"
#include "model.hpp"

namespace sequent {

namespace detail {

// The layer that does the work behind a name, a sequential or a stack.
template <class... Layers>
chain<Layers...> chain_of(chain<Layers...> const*);
template <class Layer>
auto worker_of() {
    if constexpr (requires(Layer const* layer) { chain_of(layer); })
        return std::type_identity<decltype(chain_of(static_cast<Layer const*>(nullptr)))>{};
    else if constexpr (is_named<Layer>)
        return worker_of<typename Layer::base>();
    else
        return std::type_identity<Layer>{};
}
template <class Layer>
using worker = typename decltype(worker_of<Layer>())::type;

// How each kind of layer steps. A stepper is made from the layer's parameters and memory; step(x) returns its output
// for the step, valid until the next. A layer of your own takes part by a specialisation.
template <class Layer, class T>
struct stepper {
    static_assert(!std::is_same_v<Layer, Layer>,
                  "sequent::stream: this layer cannot be stepped (a bidirectional or reversed one needs the whole "
                  "sequence); leave it out, or specialise sequent::detail::stepper for your own");
};

// What a stepper without states has in common.
struct stateless {
    void each_state(auto const&) noexcept {}
};

template <int Rows, int Width, class T>
struct stepper<embedding<Rows, Width>, T> : stateless {
    T const* rows;
    int count;
    stepper(embedding<Rows, Width> const&, T const*, auto& memory)
        : rows(memory.table.values(cpu{}).data), count(memory.table.rows()) {}
    T const* step(int id) noexcept { return id < 0 || id >= count ? nullptr : rows + std::ptrdiff_t{id} * Width; }
};

template <class Cell, class T>
struct stepper<recurrent_layer<Cell, 1>, T> {
    using layout = cpu_recurrent_layout<Cell, T>;
    T const* parameters;
    cpu_recurrent_weights<Cell, T> weights;
    alignas(64) std::array<T, 2 * layout::states * layout::padded> states{};
    bool second = false;  // which half holds the states now

    stepper(recurrent_layer<Cell, 1> const&, T const* from, auto&) : parameters(from) { weights.update(from, 0); }
    [[nodiscard]] T* now() noexcept { return states.data() + (second ? states.size() / 2 : 0); }
    T const* step(T const* x) noexcept {
        T const* const before = now();
        second = !second;
        cpu_recurrent_step<Cell, T, step_isa<Cell, T>, accurate>::run(weights, parameters, x, before, now());
        return now();
    }
    void each_state(auto const& f) noexcept {
        for (int s = 0; s < layout::states; ++s) f(now() + s * layout::padded, layout::hidden);
    }
};

template <int In, int Out, class T>
struct stepper<linear<In, Out>, T> : stateless {
    T const* parameters;
    std::array<T, Out> y{};
    stepper(linear<In, Out> const&, T const* from, auto&) : parameters(from) {}
    T const* step(T const* x) noexcept {
        using number = simd<T, default_isa>;  // which affine's products are of: not every processor fuses them
        for (int o = 0; o < Out; ++o) {
            number sum(parameters[linear<In, Out>::bias_at + o]);
            for (int k = 0; k < In; ++k) sum = fma(number(x[k]), number(parameters[o * In + k]), sum);
            y[static_cast<std::size_t>(o)] = sum.value.get(0);
        }
        return y.data();
    }
};

// last_state: the state after the steps so far. Dropout does not act outside training.
template <class Layer, class T>
requires std::is_same_v<Layer, last_state> || std::is_same_v<Layer, dropout>
struct stepper<Layer, T> : stateless {
    stepper(Layer const&, T const*, auto&) {}
    T const* step(T const* x) noexcept { return x; }
};

template <class... Layers, class T>
struct stepper<chain<Layers...>, T> {
    std::tuple<stepper<worker<Layers>, T>...> of;

    stepper(chain<Layers...> const& layer, T const* parameters, auto& memory)
        : stepper(layer, parameters, memory, std::index_sequence_for<Layers...>{}) {}
    template <class Memory, std::size_t... I>
    stepper(chain<Layers...> const& layer, T const* parameters, Memory& memory, std::index_sequence<I...>)
        : of(stepper<worker<Layers>, T>(layer.template get<I>(), parameters + chain<Layers...>::template offset_of<I>,
                                        std::get<I>(memory.of))...) {}
    T const* step(auto x) noexcept {
        return std::apply(
            [x](auto& first, auto&... others) {
                T const* y = first.step(x);
                ((y = y == nullptr ? nullptr : others.step(y)), ...);
                return y;
            },
            of);
    }
    void each_state(auto const& f) noexcept {
        std::apply([&](auto&... each) { (each.each_state(f), ...); }, of);
    }
};

}  // namespace detail

// Made from a model, which it must not outlive: it reads the model's embedding rows and linear weights in place, and
// copies those of recurrent layers. Make a new one when the model has been trained on.
template <class Network, class Scalar = float>
class stream {
    using model_type = model<Network, cpu, Scalar>;
    using layer = detail::worker<typename model_type::network_type>;

  public:
    static constexpr int input_size = model_type::network_type::input_size;
    static constexpr int output_size = model_type::output_shape::features;

    explicit stream(model_type& from)
        : stepper_(from.with_memory([](auto const& network, Scalar const* parameters, auto& memory) {
              return detail::stepper<layer, Scalar>(network, parameters, memory);
          })),
          names_(from.zero_states(1)) {}

    // The output after one more token; empty for an id outside the table.
    [[nodiscard]] std::span<Scalar const> step(int id) noexcept requires(model_type::takes_tokens) {
        return view(stepper_.step(id));
    }
    // The output after one more sample of input_size features; empty for another size.
    [[nodiscard]] std::span<Scalar const> step(std::span<Scalar const> x) noexcept requires(!model_type::takes_tokens) {
        return view(x.size() == std::size_t{input_size} ? stepper_.step(x.data()) : nullptr);
    }

    // Back to states of zero.
    void restart() noexcept {
        stepper_.each_state([](Scalar* values, int width) { std::fill_n(values, width, Scalar(0)); });
    }
    // The states now, and going on from given ones, as model::predict takes and gives them (batch 1).
    [[nodiscard]] states<Scalar> get_states() {
        states<Scalar> now = names_;
        auto entry = now.entries.begin();
        stepper_.each_state(
            [&](Scalar const* values, int width) { std::copy_n(values, width, (entry++)->values.begin()); });
        return now;
    }
    // Throws argument_error when a state is missing or its size is another.
    void set_states(states<Scalar> const& given) {
        require(given.batch == 1, "sequent::stream: the states' batch size is ", given.batch, "; give 1");
        for (auto const& [name, width, zeros] : names_.entries)
            require(given[name].columns == width, "sequent::stream: state '", name, "' has width ", given[name].columns,
                    "; it must be ", width);
        auto entry = names_.entries.begin();
        stepper_.each_state(
            [&](Scalar* values, int width) { std::copy_n(given[(entry++)->name].data, width, values); });
    }

  private:
    static std::span<Scalar const> view(Scalar const* y) noexcept {
        return {y, y == nullptr ? 0 : std::size_t{output_size}};
    }
    detail::stepper<layer, Scalar> stepper_;
    states<Scalar> names_;
};

template <class Network, class Scalar>
stream(model<Network, cpu, Scalar>&) -> stream<Network, Scalar>;

}  // namespace sequent
