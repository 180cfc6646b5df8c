#include "sequent/model/gate_order.hpp"

#include "catch.hpp"
#include "sequent/io/safetensors.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using sequent_tests::fixture;

namespace {

struct golden {
    gated_cell cell;
    safetensors file;
    explicit golden(std::string const& name)
        : cell(name == "lstm" ? gated_cell::lstm : gated_cell::gru),
          file(safetensors::read(fixture("gate_orders_" + name + ".safetensors"))) {}

    [[nodiscard]] std::vector<double> operator[](std::string_view name) const { return file.values<double>(name); }
    [[nodiscard]] gate_weights<double> pytorch() const {
        golden const& self = *this;
        return {self["pytorch/weight_ih_l0"], self["pytorch/weight_hh_l0"], self["pytorch/bias_ih_l0"],
                self["pytorch/bias_hh_l0"]};
    }
};

// What a layer with these weights makes of the golden input and states must be the golden output.
template <class Cell>
void check_outputs(golden const& expected, gate_weights<double> const& weights) {
    model<Cell, cpu, double> net;
    net.assign("weight_ih_l0", weights.weight_ih);
    net.assign("weight_hh_l0", weights.weight_hh);
    net.assign("bias_ih_l0", weights.bias_ih);
    net.assign("bias_hh_l0", weights.bias_hh);
    states<double> initial = net.zero_states(2);
    for (auto& state : initial.entries) state.values = expected[state.name == "h_l0" ? "h0" : "c0"];

    std::vector<double> const input = expected["input"];
    std::vector<int> const lengths{5, 5};
    auto const batch = pack_padded(input.data(), 2, 5, 3, lengths);
    auto const output = net.predict(batch, initial);
    std::vector<double> padded(2 * 5 * 4);
    unpack_padded(batch.shape, output.values.rows, padded.data(), 5);
    std::vector<double> const golden_output = expected["output"];
    REQUIRE(golden_output.size() == padded.size());
    for (std::size_t i = 0; i < padded.size(); ++i) CHECK(std::abs(padded[i] - golden_output[i]) < 1e-14);
}

void check_equal(gate_weights<double> const& a, gate_weights<double> const& b) {
    CHECK(a.weight_ih == b.weight_ih);
    CHECK(a.weight_hh == b.weight_hh);
    CHECK(a.bias_ih == b.bias_ih);
    CHECK(a.bias_hh == b.bias_hh);
}

}  // namespace

TEST_CASE("gate order: Keras") {
    std::string const name = GENERATE("lstm", "gru");
    golden const expected(name);
    gate_weights<double> const weights =
        from_keras(expected.cell, expected["keras/kernel"], expected["keras/recurrent_kernel"], expected["keras/bias"]);
    gate_weights<double> pytorch = expected.pytorch();
    if (expected.cell == gated_cell::lstm) {
        check_outputs<lstm<3, 4>>(expected, weights);
        for (std::size_t i = 0; i < 16; ++i) pytorch.bias_ih[i] += std::exchange(pytorch.bias_hh[i], 0.);
    } else {
        check_outputs<gru<3, 4>>(expected, weights);
    }
    check_equal(weights, pytorch);
}

TEST_CASE("gate order: ONNX") {
    std::string const name = GENERATE("lstm", "gru");
    golden const expected(name);
    gate_weights<double> const weights =
        from_onnx(expected.cell, expected["onnx/W"], expected["onnx/R"], expected["onnx/B"]);
    check_equal(weights, expected.pytorch());
    if (expected.cell == gated_cell::lstm)
        check_outputs<lstm<3, 4>>(expected, weights);
    else
        check_outputs<gru<3, 4>>(expected, weights);
}

TEST_CASE("gate order: by hand, one unit and one input") {
    std::vector<float> const w{1, 2, 3, 4}, r{5, 6, 7, 8}, b{1, 2, 3, 4, 5, 6, 7, 8};
    auto const onnx = from_onnx(gated_cell::lstm, w, r, b);  // i o f c -> i f c o
    CHECK(onnx.weight_ih == std::vector<float>{1, 3, 4, 2});
    CHECK(onnx.weight_hh == std::vector<float>{5, 7, 8, 6});
    CHECK(onnx.bias_ih == std::vector<float>{1, 3, 4, 2});
    CHECK(onnx.bias_hh == std::vector<float>{5, 7, 8, 6});

    std::span<float const> const kernel(w.data(), 3), recurrent(r.data(), 3), bias(b.data(), 6);
    auto const keras = from_keras(gated_cell::gru, kernel, recurrent, bias);  // z r h -> r z n
    CHECK(keras.weight_ih == std::vector<float>{2, 1, 3});
    CHECK(keras.weight_hh == std::vector<float>{6, 5, 7});
    CHECK(keras.bias_ih == std::vector<float>{2, 1, 3});
    CHECK(keras.bias_hh == std::vector<float>{5, 4, 6});
}

TEST_CASE("gate order: sizes that do not fit each other") {
    std::vector<float> const none, three(3), four(4), six(6), eight(8), nine(9);
    CHECK_THROWS_WITH(from_keras(gated_cell::lstm, four, three, four),
                      "sequent::from_keras: the recurrent weights have 3 numbers, which is no 4 * H * H");
    CHECK_THROWS_WITH(from_keras(gated_cell::gru, three, nine, six),
                      "sequent::from_keras: the recurrent weights have 9 numbers, which is no 3 * H * H");
    CHECK_THROWS_WITH(from_onnx(gated_cell::lstm, four, none, eight),
                      "sequent::from_onnx: the recurrent weights have 0 numbers, which is no 4 * H * H");
    CHECK_THROWS_WITH(from_keras(gated_cell::lstm, six, four, four),
                      "sequent::from_keras: the input weights have 6 numbers, which is no multiple of 4 (4 gates of 1 "
                      "units)");
    CHECK_THROWS_AS(from_keras(gated_cell::lstm, none, four, four), argument_error);
    CHECK_THROWS_WITH(from_keras(gated_cell::gru, three, three, three),
                      "sequent::from_keras: the bias has 3 numbers, expected 6 for 1 units; a GRU has two "
                      "(reset_after=True in Keras)");
    CHECK_THROWS_WITH(from_onnx(gated_cell::lstm, four, four, four),
                      "sequent::from_onnx: the bias has 4 numbers, expected 8 for 1 units");
}
