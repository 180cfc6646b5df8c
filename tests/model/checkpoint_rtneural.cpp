#include "sequent/model/checkpoint_rtneural.hpp"

#include <fstream>

#include "../io/helpers.hpp"
#include "catch.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace std::string_literals;
using sequent_tests::bytes_of;
using sequent_tests::fixture;
using sequent_tests::temporary_folder;
using sequent_tests::thrown;

namespace {

// The networks of the golden files, with the names of those for PyTorch.
struct lstm_net : sequential<named<"lstm", lstm<3, 4>>, named<"dense", linear<4, 2>>> {};
struct gru_net : sequential<named<"gru", gru<3, 4>>, named<"dense", linear<4, 2>>> {};

// The golden input from zero states: outputs within 1e-14 of the golden ones, exact weights where they are stored.
template <class Net>
void check_golden(Net& net, std::string const& name) {
    auto const golden = safetensors::read(fixture("gate_orders_" + name + ".safetensors"));
    CHECK(net.values("dense.weight") == golden.values<double>("dense/weight"));
    CHECK(net.values(name + ".weight_hh_l0") == golden.values<double>("pytorch/weight_hh_l0"));
    auto const input = golden.values<double>("input"), expected = golden.values<double>("dense_from_zero");
    std::vector<int> const lengths{5, 5};
    auto const batch = pack_padded(input.data(), 2, 5, 3, lengths);
    std::vector<double> padded(2 * 5 * 2);
    unpack_padded(batch.shape, net.predict(batch).values.rows, padded.data(), 5);
    REQUIRE(expected.size() == padded.size());
    for (std::size_t i = 0; i < padded.size(); ++i) CHECK(std::abs(padded[i] - expected[i]) < 1e-14);
}

// What load_rtneural says to a file of this text, without the file's name; the model must stay as it was.
template <class Net, class Scalar = double>
std::string refusal(std::string const& text, rtneural_options const& options = {}) {
    model<Net, cpu, Scalar> net(Net{}, {.seed = 3});
    auto const weights = [&] {
        std::vector<std::vector<Scalar>> all;
        for (auto const& parameter : net.parameters()) all.push_back(net.values(parameter));
        return all;
    };
    auto const before = weights();
    std::string const what = thrown<file_error>([&] { load_rtneural(net, bytes_of(text), "file", options); });
    CHECK((what.empty() || weights() == before));
    return what.starts_with("file: ") ? what.substr(6) : what;
}

std::string text_of_fixture(std::string const& name) {
    std::ifstream file(fixture(name));
    return {std::istreambuf_iterator<char>(file), {}};
}
std::string replaced(std::string text, std::string const& from, std::string const& to) {
    std::size_t const at = text.find(from);
    REQUIRE(at != text.npos);
    return text.replace(at, from.size(), to);
}

// A file with one layer, given its fields, or a dense one, given its weights.
std::string with_layer(std::string const& fields) {
    return R"({"in_shape":[null,null,2],"layers":[{)" + fields + "}]}";
}
std::string with_weights(std::string const& lists) {
    return with_layer(R"("type":"dense","activation":"","shape":[null,null,1],"weights":)" + lists);
}
std::string const weights = "[[[1],[2]],[3]]";
using dense = linear<2, 1>;

}  // namespace

TEST_CASE("load_rtneural: LSTM and GRU with a dense layer, in both forms") {
    model<lstm_net, cpu, double> a, b;
    load_rtneural(a, fixture("rtneural_lstm.json"));
    load_rtneural(b, fixture("rtneural_torch_lstm.json"));
    check_golden(a, "lstm");
    check_golden(b, "lstm");
    model<gru_net, cpu, double> c, d;
    load_rtneural(c, fixture("rtneural_gru.json"));
    load_rtneural(d, fixture("rtneural_torch_gru.json"));
    check_golden(c, "gru");
    check_golden(d, "gru");
}

TEST_CASE("load_rtneural: a prefix picks one layer of a state_dict") {
    model<lstm<3, 4>, cpu, float> net;
    load_rtneural(net, fixture("rtneural_torch_lstm.json"), {.prefix = "lstm."});
    auto const golden = safetensors::read(fixture("gate_orders_lstm.safetensors"));
    CHECK(net.values("weight_ih_l0") == golden.values<float>("pytorch/weight_ih_l0"));
    CHECK(net.values("bias_hh_l0") == golden.values<float>("pytorch/bias_hh_l0"));

    CHECK_THROWS_WITH(load_rtneural(net, fixture("rtneural_torch_lstm.json"), {.prefix = "gru."}),
                      Catch::Matchers::EndsWith(".json: no layers, and no tensors whose names begin with 'gru.'"));
    CHECK_THROWS_WITH(load_rtneural(net, fixture("rtneural_torch_lstm.json")),
                      Catch::Matchers::EndsWith(".json: 'dense.bias': the model has no such parameter"));
    CHECK_THROWS_WITH(load_rtneural(net, fixture("rtneural_lstm.json"), {.prefix = "lstm."}),
                      Catch::Matchers::EndsWith(".json: has layers without names, so no prefix fits"));
    std::string const large = replaced(text_of_fixture("rtneural_torch_lstm.json"), "[[", "[[1e39,0,0],[");
    temporary_folder folder;
    std::ofstream(folder / "large") << large;
    CHECK_THROWS_WITH(load_rtneural(net, folder / "large", {.prefix = "lstm."}),
                      Catch::Matchers::EndsWith("'lstm.weight_ih_l0'[0][0]: beyond the range of float"));
}

TEST_CASE("load_rtneural: layers that are not the model's") {
    std::string const lstm_file = text_of_fixture("rtneural_lstm.json");
    std::string const gru_file = text_of_fixture("rtneural_gru.json");
    CHECK(refusal<lstm_net>(gru_file) ==
          "layers[0]: is a GRU; the model's next layer, that of 'lstm.weight_ih_l0', is not");
    CHECK(refusal<gru_net>(lstm_file) ==
          "layers[0]: is an LSTM; the model's next layer, that of 'gru.weight_ih_l0', is not");
    std::string const dense = R"({"type":"dense","shape":[2],"weights":[[[1,2],[3,4]],[5,6]]})";
    CHECK(refusal<lstm_net>(R"({"in_shape":[2],"layers":[)" + dense + "]}") ==
          "layers[0]: is dense; the model's next layer, that of 'lstm.weight_ih_l0', is not");
    CHECK(refusal<lstm_net>(lstm_file.substr(0, lstm_file.find_last_of(']')) + "," + dense + "]}") ==
          "layers[2]: the model has no layer left for it");
    CHECK(refusal<lstm_net>(lstm_file.substr(0, lstm_file.find(R"(,{"type":"dense")")) + "]}") ==
          "tensor 'dense.weight': missing; the model needs it");
    std::string const narrow =
        R"({"in_shape":[1],"layers":[{"type":"gru","shape":[1],"weights":[[[1,2,3]],[[1,2,3]],[[1,2,3],[4,5,6]]]}]})";
    CHECK(refusal<gru_net>(narrow) == "layers[0] as 'gru.weight_ih_l0': has shape [3, 1]; the model needs [12, 3]");
}

namespace {

// A model whose only layer has no bias.
struct without_bias {
    using scalar = double;
    [[nodiscard]] std::vector<parameter_info> parameters() const { return {{"weight", {1, 1}}}; }
    [[nodiscard]] states<double> zero_states(int) const { return {}; }
};

}  // namespace

TEST_CASE("load_rtneural: a layer of the model's that has fewer parameters than the file's") {
    std::string const layer = R"({"type":"dense","shape":[1],"weights":[[[1]],[2]]})";
    auto const json = detail::parse_json(R"({"in_shape":[1],"layers":[)" + layer + "," + layer + "]}", "file");
    without_bias model;
    CHECK(thrown<file_error>([&] {
              (void)detail::rtneural_layers(model, {json, "file", ""});
          }) == "file: layers[1]: the model has no layer left for it");
}

TEST_CASE("load_rtneural: a state_dict that is not the model's, and what is no network") {
    std::string const file = text_of_fixture("rtneural_torch_lstm.json");
    CHECK(refusal<lstm_net>(replaced(file, "lstm.weight_hh_l0", "lstm.weight_hh_l1")) ==
          "'lstm.weight_hh_l1': the model has no such parameter");
    CHECK(refusal<lstm_net>(replaced(file, "{", R"({"lstm.extra":[1],)")) ==
          "'lstm.extra': the model has no such parameter");
    CHECK(refusal<lstm_net>(R"({"dense.bias":[1,2]})") == "tensor 'lstm.weight_ih_l0': missing; the model needs it");
    CHECK(refusal<lstm_net>(replaced(file, R"("dense.bias":[)", R"("dense.bias":[1,)")) ==
          "'dense.bias': has shape [3]; the model needs [2]");
    CHECK(refusal<lstm_net>(file.substr(0, 300)).starts_with("byte 300: not UTF-8 encoded JSON"));
    CHECK(refusal<lstm_net>("{}") == "no layers, and no tensors whose names begin with ''");
    // What a prefix leaves aside must be sound too, but need not fit the model's scalar.
    std::string const own = R"("x.weight":[[1,2]],"x.bias":[3],"y":)";
    CHECK(refusal<dense, float>("{" + own + "[1e39]}", {.prefix = "x."}).empty());
    CHECK(refusal<dense, float>("{" + own + "[1,[2]]}", {.prefix = "x."}) == "'y'[1]: unexpected array");
}

TEST_CASE("load_rtneural: what may be written in several ways") {
    // Fields and keys in any order, integers, other names of a dense layer, an activation that changes nothing.
    struct net : sequential<named<"a", linear<2, 2>>, named<"b", gru<2, 1>>> {};
    model<net, cpu, double> both;
    load_rtneural(both, bytes_of(R"( {"layers" : [ {"weights":[[[1,-2],[3e0,4]],[5,6]], "shape":[7,2],
                                     "type":"time-distributed-dense"},
                                    {"type":"gru","activation":"tanh","shape":[1],
                                     "weights":[[[1,2,3],[4,5,6]],[[1,2,3]],[[1,2,3],[4,5,6]]]}],
                                    "in_shape":[2]} )"),
                  "file");
    CHECK(both.values("a.weight") == std::vector<double>{1, 3, -2, 4});
    CHECK(both.values("a.bias") == std::vector<double>{5, 6});
    CHECK(both.values("b.bias_ih_l0") == std::vector<double>{2, 1, 3});
    CHECK(both.values("b.weight_ih_l0") == std::vector<double>{2, 5, 1, 4, 3, 6});
    model<dense, cpu, double> one;
    load_rtneural(one, bytes_of(R"({"bias":[-0],"weight":[[18446744073709551615,-9223372036854775808]]})"), "file");
    CHECK(one.values("weight") == std::vector<double>{0x1p64, -0x1p63});
}

TEST_CASE("load_rtneural: what is refused, and where") {
    REQUIRE(refusal<dense>(with_weights(weights)).empty());
    auto const [text, message] = GENERATE(table<std::string, std::string>({
        // the document
        {"", "byte 0: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"3", "unexpected number"},
        {"null", "unexpected null"},
        {"[]", "unexpected array"},
        {"{}", "no layers, and no tensors whose names begin with ''"},
        {"{\"a\":[1]} x", "byte 10: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"{\"a\":[1]}\0"s, "byte 9: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"{\"\xff\":[1]}", "byte 2: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"\xef\xbb\xbf{}", "byte 0: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        // keys of the top
        {R"({"layers":[]})", "missing key 'in_shape'"},
        {R"({"in_shape":[1]})", "missing key 'layers'"},
        {R"({"in_shape":[1],"layers":[]})", "no layers, and no tensors whose names begin with ''"},
        {R"({"in_shape":[1],"in_skip":1})", "unknown key 'in_skip'"},
        {R"({"a":[1],"layers":[]})", "unknown key 'a'"},
        {R"({"in_shape":[1],"layers":[],"z":[1]})", "unknown key 'z'"},
        {R"({"a":[1],"a":[1]})", "'a': duplicate key 'a'"},
        {R"({"in_shape":[1],"layers":[],"layers":[]})", "'layers': duplicate key 'layers'"},
        {R"({"in_shape":[1],"layers":{}})", "layers: unexpected object"},
        {R"({"a":true})", "'a': unexpected boolean"},
        {R"({"a":"b"})", "'a': unexpected string"},
        // in_shape and shape
        {R"({"layers":[],"in_shape":3})", "in_shape: unexpected number"},
        {R"({"layers":[],"in_shape":[]})",
         "in_shape: expected at most 4 extents, the last of them from 1 to 2147483647"},
        {R"({"layers":[],"in_shape":[3,null]})",
         "in_shape: expected at most 4 extents, the last of them from 1 to 2147483647"},
        {R"({"layers":[],"in_shape":[2147483648]})",
         "in_shape: expected at most 4 extents, the last of them from 1 to 2147483647"},
        {R"({"layers":[],"in_shape":[1,1,1,1,1]})",
         "in_shape: expected at most 4 extents, the last of them from 1 to 2147483647"},
        {R"({"layers":[],"in_shape":[-1]})", "in_shape[0]: unexpected sign, fraction, exponent or number beyond 2^64"},
        {R"({"layers":[],"in_shape":[1.5]})", "in_shape[0]: unexpected sign, fraction, exponent or number beyond 2^64"},
        {R"({"layers":[],"in_shape":[[1]]})", "in_shape[0]: unexpected array"},
        {R"({"layers":[],"in_shape":[true,1]})", "in_shape[0]: unexpected boolean"},
        {with_layer(R"("type":"dense","weights":[],"shape":[])"),
         "layers[0].shape: expected at most 4 extents, the last of them from 1 to 2147483647"},
        {with_layer(R"("type":"dense","weights":[],"shape":[true])"), "layers[0].shape[0]: unexpected boolean"},
        {with_layer(R"("type":"dense","weights":[],"shape":"1")"), "layers[0].shape: unexpected string"},
        // a layer
        {R"({"in_shape":[1],"layers":[1]})", "layers[0]: unexpected number"},
        {R"({"in_shape":[1],"layers":[[]]})", "layers[0]: unexpected array"},
        {with_layer(""), "layers[0]: missing key 'shape'"},
        {with_layer(R"("type":"lstm","shape":[1])"), "layers[0]: missing key 'weights'"},
        {with_layer(R"("type":"lstm","weights":[])"), "layers[0]: missing key 'shape'"},
        {with_layer(R"("shape":[1],"weights":[])"), "layers[0]: missing key 'type'"},
        {with_layer(R"("shape":[1],"weights":[],"type":"conv1d")"),
         "layers[0].type: unsupported layer 'conv1d'; lstm, gru and dense are read"},
        {with_layer(R"("shape":[1],"weights":[],"type":null)"), "layers[0].type: unexpected null"},
        {with_layer(R"("shape":[1],"weights":[],"type":[])"), "layers[0].type: unexpected array"},
        {with_layer(R"("dilation":1)"), "layers[0]: unknown key 'dilation'"},
        {with_layer(R"("type":"dense","type":"dense")"), "'layers': duplicate key 'type'"},
        {with_layer(R"("type":"dense","activation":"relu","shape":[1],"weights":[])"),
         "layers[0]: unsupported activation 'relu'"},
        {with_layer(R"("type":"dense","activation":"tanh","shape":[1],"weights":[])"),
         "layers[0]: unsupported activation 'tanh'"},
        {with_layer(R"("type":"dense","activation":null,"shape":[1],"weights":[])"),
         "layers[0].activation: unexpected null"},
        {with_layer(R"("type":"lstm","activation":"sigmoid","shape":[1],"weights":[])"),
         "layers[0]: unsupported activation 'sigmoid'"},
        // numbers
        {with_weights("{}"), "layers[0].weights: unexpected object"},
        {with_weights("[1,2]"), "layers[0].weights[0]: unexpected number"},
        {with_weights("[[[1],[null]],[3]]"), "layers[0].weights[0][1][0]: unexpected null"},
        {with_weights("[[],[3]]"), "layers[0].weights[0]: has no numbers"},
        {with_weights("[[[1],[]],[3]]"), "layers[0].weights[0][1]: has no numbers"},
        {with_weights("[[1],[2],[3],[4]]"), "layers[0].weights: 4 lists, expected 2 (with bias)"},
        {with_weights("[[1],[2,NaN]]"), "byte 108: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {R"({"a":[[1,2],[3]]})", "'a'[1]: a row of 1 numbers, unlike those before"},
        {R"({"a":[[1,2],[3,4,5]]})", "'a'[1]: a row of 3 numbers, unlike those before"},
        {R"({"a":[[]]})", "'a'[0]: has no numbers"},
        {R"({"a":[]})", "'a': has no numbers"},
        {R"({"a":[[1],2]})", "'a'[1]: unexpected number"},
        {R"({"a":[1,[2]]})", "'a'[1]: unexpected array"},
        {R"({"a":[[[1]]]})", "'a'[0][0]: unexpected array"},
        {R"({"a":[{}]})", "'a'[0]: unexpected object"},
        {R"({"a":[1,1e999]})", "'a': a number beyond the range of double"},
        {R"({"a":[-Infinity]})", "byte 7: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        // shapes
        {with_weights("[[[1],[2]]]"), "layers[0].weights: 1 lists, expected 2 (with bias)"},
        {with_weights("[[[1,2]],[3]]"), "layers[0].weights[0]: has shape [1, 2], expected [2, 1]"},
        {with_weights("[[[1],[2]],[[3]]]"), "layers[0].weights[1]: has shape [1, 1], expected [1]"},
        {with_layer(R"("type":"gru","shape":[1],"weights":[[[1,2,3],[1,2,3]],[[1,2,3]],[1,2,3]])"),
         "layers[0].weights[2]: has shape [3], expected [2, 3]"},
        {with_layer(R"("type":"gru","shape":[1],"weights":[[[1,2,3],[1,2,3]],[[1,2,3]]])"),
         "layers[0].weights: 2 lists, expected 3 (with bias, reset_after=True)"},
        {R"({"in_shape":[2],"layers":[{"type":"dense","shape":[1],"weights":[[[1],[2]],[3]]},)"
         R"({"type":"dense","shape":[1],"weights":[[[1],[2]],[3]]}]})",
         "layers[1].weights[0]: has shape [2, 1], expected [1, 1]"},
    }));
    CAPTURE(text);
    CHECK(refusal<dense>(text) == message);
}

TEST_CASE("load_rtneural: a bomb of brackets is refused at its ninth") {
    std::string const bomb(1 << 20, '[');
    CHECK(refusal<dense>(bomb) == "nested deeper than 8");
    CHECK(refusal<dense>("{\"a\":" + bomb) == "'a': nested deeper than 8");
    std::string objects;
    for (int i = 0; i < 1 << 16; ++i) objects += "{\"a\":";
    CHECK(refusal<dense>(objects) == "'a': nested deeper than 8");
}

TEST_CASE("load_rtneural: the limit of the file is the caller's") {
    temporary_folder folder;
    std::string const text = with_weights(weights);
    std::ofstream(folder / "x") << text;
    model<dense, cpu, double> net;
    load_rtneural(net, folder / "x", {.max_file = text.size()});
    CHECK(net.values("weight") == std::vector<double>{1, 2});
    CHECK_THROWS_AS(load_rtneural(net, folder / "x", {.max_file = text.size() - 1}), file_error);
    CHECK_THROWS_AS(load_rtneural(net, folder / "none"), file_error);
}

TEST_CASE("load_rtneural: a file cut at any byte is refused") {
    std::string const flat = R"({"weight":[[1,2]],"bias":[5]})";
    for (std::string const& text : {with_weights(weights), flat}) {
        REQUIRE(refusal<dense>(text).empty());
        for (std::size_t size = 0; size < text.size(); ++size) {
            CAPTURE(size);
            CHECK_FALSE(refusal<dense>(text.substr(0, size)).empty());
        }
    }
}
