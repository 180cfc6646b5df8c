// What PyTorch computes with one cell, compared with models of it: networks of one and two layers in one and both
// directions, packed and padded batches, zero and given initial states; outputs, final states and every gradient. On
// any policy: whoever includes this brings its header.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "golden.hpp"
#include "layer/table.hpp"
#include "sequent/model/model.hpp"

namespace sequent {
struct cpu;
}

namespace sequent_tests {

// One pass of a model, forward and back, so that the comparison is compiled once for all of them.
template <class T>
struct golden_pass {
    sequent::packed_sequence<T> input;
    sequent::packed_sequence<T> output_gradient;
    sequent::states<T> initial, final_gradient;
    bool given = false;  // whether the initial states are

    std::vector<T> output, input_gradient;
    sequent::states<T> final, initial_gradient;
};

// A model without its type.
template <class T>
struct golden_model {
    std::vector<sequent::parameter_info> parameters;
    std::function<void(sequent::parameter_info const&, std::span<T const>)> assign;
    std::function<std::vector<T>(std::string const&)> gradient;
    std::function<sequent::states<T>(int)> zero_states;
    std::function<void(golden_pass<T>&)> run;
    double within;  // how far a number may be from PyTorch's in double
};

// In double only rounding differs. In float a number is exact to 2e-6 of the largest in its tensor, or of 1: the sums
// of a tensor of few numbers may cancel.
template <class T>
inline constexpr double golden_error = std::is_same_v<T, double> ? 1e-13 : 2e-6;

template <class Network, class T, class Device = sequent::cpu>
[[nodiscard]] golden_model<T> golden_model_of(double within = golden_error<T>) {
    auto const net = std::make_shared<sequent::model<Network, Device, T>>();
    auto const copy = [net](sequent::matrix_view<T const> rows) {
        std::vector<T> numbers(static_cast<std::size_t>(rows.rows) * static_cast<std::size_t>(rows.columns));
        copy_to_host(net->device(), rows.data, numbers.size(), numbers.data());
        return numbers;
    };
    auto const there = std::make_shared<typename Device::template buffer<T>>();
    auto const run = [net, copy, there](golden_pass<T>& pass) {
        net->zero_gradients();
        auto const output = pass.given ? net->forward(pass.input, pass.initial) : net->forward(pass.input);
        pass.output = copy(output.values.rows);
        pass.final = net->final_states();
        sequent::matrix_view<T const> const given = pass.output_gradient.rows();
        auto const& numbers = pass.output_gradient.values;
        copy_from_host(net->device(), numbers.data(), numbers.size(), there->reserve(numbers.size()));
        net->backward({there->data(), given.rows, given.columns}, pass.final_gradient);
        pass.input_gradient = copy(net->input_gradient());
        pass.initial_gradient = net->initial_state_gradients();
    };
    return {net->parameters(),
            [net](auto const& parameter, auto values) { net->assign(parameter, values); },
            [net](auto const& name) { return net->gradient(name); },
            [net](int batch) { return net->zero_states(batch); },
            run,
            within};
}

// States [layers * directions, batch, hidden] of a fixture, one tensor for h and, where the cell has it, one for c.
template <class T>
[[nodiscard]] sequent::states<T> golden_states(golden_model<T> const& net, golden const& file,
                                               std::vector<std::string> const& tensors) {
    auto given = net.zero_states(file.shape(tensors[0])[1]);
    std::size_t const kinds = file.contains(tensors[1]) ? 2 : 1;
    for (std::size_t place = 0; place < given.entries.size(); ++place) {
        auto const values = file.values<T>(tensors[place % kinds]);
        auto& entry = given.entries[place].values;
        REQUIRE(values.size() * kinds == entry.size() * given.entries.size());
        std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(place / kinds * entry.size()), entry.size(),
                    entry.begin());
    }
    return given;
}

template <class T, class Actual, class Expected>
void check_close(double within, Actual const& actual, Expected const& expected) {
    CHECK(largest_error(actual, expected, std::is_same_v<T, double> ? 0 : 1) <= within);
}

template <class T>
void check_states(double within, sequent::states<T> const& actual, sequent::states<T> const& expected) {
    REQUIRE(actual.entries.size() == expected.entries.size());
    for (std::size_t k = 0; k < expected.entries.size(); ++k) {
        INFO(expected.entries[k].name);
        check_close<T>(within, actual.entries[k].values, expected.entries[k].values);
    }
}

// All cases of one network of recurrent_<cell>_<hidden>. One model runs them all, so its memory is reused.
template <class T>
void check_golden_network(golden const& file, std::string const& network, golden_model<T> const& net) {
    for (auto const& parameter : net.parameters) {
        std::string const name = "param/" + network + "/" + parameter.name;
        CHECK(file.shape(name) == parameter.shape);
        net.assign(parameter, file.values<T>(name));
    }
    int cases = 0;
    for (std::string const& name : file.words("cases")) {
        if (!name.starts_with(network + ".")) continue;
        ++cases;
        INFO(name);
        std::string const in = name + "/";
        auto const lengths = file.values<int>(in + "lengths");
        auto const pack = [&](std::string const& tensor) {
            auto const shape = file.shape(in + tensor);
            auto const values = file.values<T>(in + tensor);
            return sequent::pack_padded(values.data(), shape[0], shape[1], shape[2], lengths);
        };
        golden_pass<T> pass{pack("input"), pack("d_output"), {}, {}, file.contains(in + "h0"), {}, {}, {}, {}};
        if (pass.given) pass.initial = golden_states(net, file, {in + "h0", in + "c0"});
        pass.final_gradient = golden_states(net, file, {in + "d_h_n", in + "d_c_n"});

        net.run(pass);

        auto const rows_are = [&](std::string const& tensor, std::vector<T> const& rows) {
            INFO(tensor);
            check_close<T>(net.within, rows, pack(tensor).values);
        };
        rows_are("output", pass.output);
        rows_are("d_input", pass.input_gradient);
        check_states(net.within, pass.final, golden_states(net, file, {in + "h_n", in + "c_n"}));
        check_states(net.within, pass.initial_gradient, golden_states(net, file, {in + "d_h0", in + "d_c0"}));
        for (auto const& parameter : net.parameters) {
            INFO("grad/" << parameter.name);
            check_close<T>(net.within, net.gradient(parameter.name), file.values(in + "grad/" + parameter.name));
        }
    }
    CHECK(cases > 0);
}

// The networks of recurrent_<cell>_<hidden>: all four, but for the 16 units that fill a register, two.
template <class Cell, class T, class Device = sequent::cpu>
void check_golden_networks(std::string const& cell, double within = golden_error<T>) {
    golden const file("recurrent_" + cell + "_" + std::to_string(Cell::hidden_size));
    auto const check = [&]<int Network>(std::integral_constant<int, Network>) {
        using network = std::tuple_element_t<Network, all_networks<Cell>>;
        check_golden_network(file, network_names[Network], golden_model_of<network, T, Device>(within));
    };
    check(std::integral_constant<int, l1_uni>{});
    check(std::integral_constant<int, l2_bi>{});
    if constexpr (Cell::hidden_size < 16) {
        check(std::integral_constant<int, l1_bi>{});
        check(std::integral_constant<int, l2_uni>{});
    }
}

// A cell in every network of the fixtures: in double, where only rounding may differ, or in float.
template <template <int, int> class Cell, class T>
void check_golden_cell(std::string const& cell) {
    check_golden_networks<Cell<3, 5>, T>(cell);
    if constexpr (std::is_same_v<T, double>) {
        check_golden_networks<Cell<3, 1>, T>(cell);
        check_golden_networks<Cell<8, 16>, T>(cell);
    }
}

// float_<cell>: 64 -> 32 in float. The error of each result is at most four times PyTorch's own in float.
template <template <int, int> class Cell, class Device = sequent::cpu>
void check_golden_float(std::string const& cell) {
    golden const file("float_" + cell);
    auto const net = golden_model_of<sequent::recurrent<Cell<64, 32>>, float, Device>();
    for (auto const& parameter : net.parameters) net.assign(parameter, file.values<float>("param/" + parameter.name));

    sequent::packing const shape(file.values<int>("lengths"));
    CHECK(std::ranges::equal(shape.batch_sizes(), file.values<int>("batch_sizes")));
    CHECK(std::ranges::equal(shape.sorted_indices(), file.values<int>("sorted_indices")));
    golden_pass<float> pass{{shape, file.values<float>("input"), 64},
                            {shape, file.values<float>("d_output"), 32},
                            golden_states(net, file, {"h0", "c0"}),
                            golden_states(net, file, {"d_h_n", "d_c_n"}),
                            true,
                            {},
                            {},
                            {},
                            {}};
    net.run(pass);

    auto const is = [&](std::string const& tensor, std::vector<float> const& actual) {
        INFO(tensor);
        CHECK(relative_error(actual, file.values(tensor)) <= 4 * file.number("float_error/" + tensor));
    };
    is("output", pass.output);
    is("d_input", pass.input_gradient);
    for (auto const& entry : pass.final.entries) is(entry.name.substr(0, 1) + "_n", entry.values);
    for (auto const& entry : pass.initial_gradient.entries) is("d_" + entry.name.substr(0, 1) + "0", entry.values);
    for (auto const& parameter : net.parameters) is("grad/" + parameter.name, net.gradient(parameter.name));
}

}  // namespace sequent_tests
