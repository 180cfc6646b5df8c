// Models of the networks in table.hpp on the CPU, without their types.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sequent/sequent.hpp"
#include "table.hpp"

namespace sequent_tests {

// Which rows a test takes: takes(cell, network, whether in double).
struct all {
    static constexpr bool takes(int, int, bool) { return true; }
};
// Each row in one scalar, but for one in both: every cell, direction and depth is in float and in double.
struct halves {
    static constexpr bool takes(int cell, int network, bool in_double) {
        bool const in_float = network == l1_reversed || network == l2_uni;
        return in_double ? !in_float : in_float || (cell == lstm_row && network == l2_bi);
    }
};
// Few rows, with each cell, direction and depth among them.
struct samples {
    static constexpr bool takes(int cell, int network, bool in_double) {
        constexpr int network_of[] = {l1_uni, l1_reversed, l2_uni, l2_bi, l1_bi};
        return network == network_of[cell] && in_double == (cell % 2 == 1);
    }
};

// A model without its type, so that a test's body is compiled once for all networks: its parameters ...
template <class T>
struct any_weights {
    using scalar = T;
    std::string name;
    virtual ~any_weights() = default;
    [[nodiscard]] virtual std::vector<sequent::parameter_info> const& parameters() const = 0;
    [[nodiscard]] virtual std::vector<T> values(sequent::parameter_info const& parameter) = 0;
    virtual void assign(sequent::parameter_info const& parameter, std::span<T const> values) = 0;
};

// ... and its passes, for networks from rows of features to rows of features.
template <class T>
struct any_network : any_weights<T> {
    using input_value = T;
    using backend_type = sequent::cpu;
    using batch = sequent::packed_sequence<T>;
    using states = sequent::states<T>;
    int inputs = 0, features = 0;
    sequent::cpu on;

    virtual sequent::matrix_view<T const> forward(batch const& input, states const& initial = {}) = 0;
    virtual sequent::matrix_view<T const> predict(batch const& input, states const& initial = {}) = 0;
    virtual void backward(sequent::matrix_view<T const> gradient, states const& final_gradient = {}) = 0;
    [[nodiscard]] virtual states zero_states(int size) = 0;
    [[nodiscard]] virtual states final_states() = 0;
    [[nodiscard]] virtual states initial_state_gradients() = 0;
    [[nodiscard]] virtual sequent::matrix_view<T const> input_gradient() = 0;
    [[nodiscard]] virtual std::vector<T> gradient(std::string const& of) = 0;
    virtual void zero_gradients() = 0;

    // What gradient_check asks besides: no network here has dropout or tables.
    [[nodiscard]] sequent::cpu const& device() const { return on; }
    [[nodiscard]] bool is_training() const { return true; }
    void train() {}
    void eval() {}
    struct no_table {
        std::optional<int> padding;
    };
    [[nodiscard]] no_table table(sequent::parameter_info const&) const { return {}; }
};

template <class Network, class T, class Base = any_weights<T>>
struct weights_of_network : Base {
    sequent::model<Network, sequent::cpu, T> net;

    explicit weights_of_network(std::uint64_t seed) : net{{}, {.seed = seed}} {}
    std::vector<sequent::parameter_info> const& parameters() const override { return net.parameters(); }
    std::vector<T> values(sequent::parameter_info const& parameter) override { return net.values(parameter); }
    void assign(sequent::parameter_info const& parameter, std::span<T const> values) override {
        net.assign(parameter, values);
    }
};

template <class Network, class T>
struct passes_of_network : weights_of_network<Network, T, any_network<T>> {
    using base = weights_of_network<Network, T, any_network<T>>;
    using base::net;
    using typename any_network<T>::batch;
    using typename any_network<T>::states;

    explicit passes_of_network(std::uint64_t seed) : base(seed) {
        this->inputs = decltype(net)::network_type::input_size;
        this->features = decltype(net)::output_shape::features;
    }
    sequent::matrix_view<T const> forward(batch const& input, states const& initial) override {
        return net.forward(input, initial).values.rows;
    }
    sequent::matrix_view<T const> predict(batch const& input, states const& initial) override {
        return net.predict(input, initial).values.rows;
    }
    void backward(sequent::matrix_view<T const> gradient, states const& final_gradient) override {
        net.backward(gradient, final_gradient);
    }
    states zero_states(int size) override { return net.zero_states(size); }
    states final_states() override { return net.final_states(); }
    states initial_state_gradients() override { return net.initial_state_gradients(); }
    sequent::matrix_view<T const> input_gradient() override { return net.input_gradient(); }
    std::vector<T> gradient(std::string const& of) override { return net.gradient(of); }
    void zero_gradients() override { net.zero_gradients(); }
};

// The networks of one cell that Rows takes, each made from the seed.
template <template <class, class...> class Erased, class Rows, int Which, int Input, int Hidden, class Any>
void add_networks(std::vector<std::unique_ptr<Any>>& to, std::uint64_t seed) {
    using T = typename Any::scalar;
    using networks = all_networks<std::tuple_element_t<Which, all_cells<Input, Hidden>>>;
    [&]<std::size_t... N>(std::index_sequence<N...>) {
        auto const add = [&]<int Network>(std::integral_constant<int, Network>) {
            if constexpr (Rows::takes(Which, Network, std::is_same_v<T, double>)) {
                to.push_back(std::make_unique<Erased<std::tuple_element_t<Network, networks>, T>>(seed));
                to.back()->name = std::string(cell_names[Which]) + " " + network_names[Network];
            }
        };
        (add(std::integral_constant<int, static_cast<int>(N)>{}), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<networks>>{});
}

// The table: Rows of the cells Input -> Hidden.
template <template <class, class...> class Erased, class Any, class Rows, int Input, int Hidden>
[[nodiscard]] std::vector<std::unique_ptr<Any>> rows_of_table(std::uint64_t seed) {
    std::vector<std::unique_ptr<Any>> table;
    [&]<std::size_t... C>(std::index_sequence<C...>) {
        (add_networks<Erased, Rows, static_cast<int>(C), Input, Hidden>(table, seed), ...);
    }
    (std::make_index_sequence<cell_names.size()>{});
    return table;
}
// To run. With as many inputs as units both layers of l2.uni and l2.reversed have one cell, which saves compile time.
template <class T, class Rows, int Input = 5, int Hidden = 5>
[[nodiscard]] auto networks(std::uint64_t seed) {
    return rows_of_table<passes_of_network, any_network<T>, Rows, Input, Hidden>(seed);
}
// Only their parameters.
template <class T, class Rows, int Input = 3, int Hidden = 5>
[[nodiscard]] auto weights_of_networks(std::uint64_t seed) {
    return rows_of_table<weights_of_network, any_weights<T>, Rows, Input, Hidden>(seed);
}

}  // namespace sequent_tests
