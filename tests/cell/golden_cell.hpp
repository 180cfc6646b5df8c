// What PyTorch computes with one cell, compared with models of it: networks of one and two layers in one and both
// directions, packed and padded batches, zero and given initial states; outputs, final states and every gradient.
#pragma once

#include "golden.hpp"
#include "layer/layers.hpp"
#include "layer/random_data.hpp"

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

template <class T>
void run(any_network<T>& net, golden_pass<T>& pass) {
    net.zero_gradients();
    pass.output = numbers_of(pass.given ? net.forward(pass.input, pass.initial) : net.forward(pass.input));
    pass.final = net.final_states();
    net.backward(pass.output_gradient.rows(), pass.final_gradient);
    pass.input_gradient = numbers_of(net.input_gradient());
    pass.initial_gradient = net.initial_state_gradients();
}

// States [layers * directions, batch, hidden] of a fixture, one tensor for h and, where the cell has it, one for c.
template <class T>
[[nodiscard]] sequent::states<T> golden_states(any_network<T>& net, golden const& file,
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

// In double only rounding differs. In float a number is exact to 2e-6 of the largest in its tensor, or of 1: the sums
// of a tensor of few numbers may cancel.
template <class T, class Actual, class Expected>
void check_close(Actual const& actual, Expected const& expected) {
    if constexpr (std::is_same_v<T, double>)
        CHECK(largest_error(actual, expected) <= 1e-13);
    else
        CHECK(largest_error(actual, expected, 1) <= 2e-6);
}

template <class T>
void check_states(sequent::states<T> const& actual, sequent::states<T> const& expected) {
    REQUIRE(actual.entries.size() == expected.entries.size());
    for (std::size_t k = 0; k < expected.entries.size(); ++k) {
        INFO(expected.entries[k].name);
        check_close<T>(actual.entries[k].values, expected.entries[k].values);
    }
}

// All cases of one network of recurrent_<cell>_<hidden>. One model runs them all, so its memory is reused.
template <class T>
void check_golden_network(golden const& file, any_network<T>& net) {
    std::string const network = net.name.substr(net.name.find(' ') + 1);
    for (auto const& parameter : net.parameters()) {
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

        run(net, pass);

        auto const rows_are = [&](std::string const& tensor, std::vector<T> const& rows) {
            INFO(tensor);
            check_close<T>(rows, pack(tensor).values);
        };
        rows_are("output", pass.output);
        rows_are("d_input", pass.input_gradient);
        check_states(pass.final, golden_states(net, file, {in + "h_n", in + "c_n"}));
        check_states(pass.initial_gradient, golden_states(net, file, {in + "d_h0", in + "d_c0"}));
        for (auto const& parameter : net.parameters()) {
            INFO("grad/" << parameter.name);
            check_close<T>(net.gradient(parameter.name), file.values(in + "grad/" + parameter.name));
        }
    }
    CHECK(cases > 0);
}

// Of the 16 units that fill a register the fixtures have two networks.
struct with_16_units {
    static constexpr bool takes(int, int network, bool) { return network == l1_uni || network == l2_bi; }
};

// The networks of recurrent_<cell>_<hidden>.
template <int Which, int Input, int Hidden, class T>
void check_golden_networks() {
    using rows = std::conditional_t<Hidden == 16, with_16_units, pytorch_has>;
    golden const file(std::string("recurrent_") + cell_names[Which] + "_" + std::to_string(Hidden));
    std::vector<std::unique_ptr<any_network<T>>> table;
    add_networks<passes_of_network, rows, Which, Input, Hidden>(table, 1);
    CHECK(table.size() == (Hidden == 16 ? 2u : 4u));
    for (auto const& net : table) check_golden_network(file, *net);
}

// A cell of the table in every network of the fixtures: in double, where only rounding may differ, or in float.
template <int Which, class T>
void check_golden_cell() {
    check_golden_networks<Which, 3, 5, T>();
    if constexpr (std::is_same_v<T, double>) {
        check_golden_networks<Which, 3, 1, T>();
        check_golden_networks<Which, 8, 16, T>();
    }
}

// float_<cell>: 64 -> 32 in float. The error of each result is at most four times PyTorch's own in float.
template <int Which>
void check_golden_float() {
    golden const file(std::string("float_") + cell_names[Which]);
    using cell = std::tuple_element_t<Which, all_cells<64, 32>>;
    passes_of_network<sequent::recurrent<cell>, float> net(1);
    for (auto const& parameter : net.parameters()) net.assign(parameter, file.values<float>("param/" + parameter.name));

    sequent::packing const shape(file.values<int>("lengths"));
    CHECK(std::ranges::equal(shape.batch_sizes(), file.values<int>("batch_sizes")));
    CHECK(std::ranges::equal(shape.sorted_indices(), file.values<int>("sorted_indices")));
    golden_pass<float> pass{{shape, file.values<float>("input"), 64},
                            {shape, file.values<float>("d_output"), 32},
                            golden_states<float>(net, file, {"h0", "c0"}),
                            golden_states<float>(net, file, {"d_h_n", "d_c_n"}),
                            true,
                            {},
                            {},
                            {},
                            {}};
    run<float>(net, pass);

    auto const is = [&](std::string const& tensor, std::vector<float> const& actual) {
        INFO(tensor);
        CHECK(relative_error(actual, file.values(tensor)) <= 4 * file.number("float_error/" + tensor));
    };
    is("output", pass.output);
    is("d_input", pass.input_gradient);
    for (auto const& entry : pass.final.entries) is(entry.name.substr(0, 1) + "_n", entry.values);
    for (auto const& entry : pass.initial_gradient.entries) is("d_" + entry.name.substr(0, 1) + "0", entry.values);
    for (auto const& parameter : net.parameters()) is("grad/" + parameter.name, net.gradient(parameter.name));
}

}  // namespace sequent_tests
