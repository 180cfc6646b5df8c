#include "sequent/io/rtneural.hpp"

#include <fstream>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using namespace std::string_literals;
using sequent_tests::bytes_of;
using sequent_tests::fixture;
using sequent_tests::temporary_folder;
using sequent_tests::text_of;
using sequent_tests::thrown;

namespace {

rtneural_network parse(std::string const& text) { return parse_rtneural(bytes_of(text), "file"); }
std::string refusal(std::string const& text) {
    return thrown<file_error>([&] { (void)parse(text); });
}

// A file with one layer, given its fields.
std::string with_layer(std::string const& fields) {
    return R"({"in_shape":[null,null,2],"layers":[{)" + fields + "}]}";
}
std::string const dense = R"("type":"dense","activation":"","shape":[null,null,1],"weights":[[[1],[2]],[3]])";

using shapes = std::vector<std::vector<std::size_t>>;
shapes shapes_of(rtneural_layer const& layer) {
    shapes result;
    for (auto const& tensor : layer.weights) result.push_back(tensor.shape);
    return result;
}

}  // namespace

TEST_CASE("rtneural: the layers of its own form") {
    auto const lstm = read_rtneural(fixture("rtneural_lstm.json"));
    REQUIRE(lstm.layers.size() == 2);
    CHECK(lstm.tensors.empty());
    CHECK(lstm.layers[0].type == rtneural_layer::kind::lstm);
    CHECK(lstm.layers[0].inputs == 3);
    CHECK(lstm.layers[0].outputs == 4);
    CHECK(shapes_of(lstm.layers[0]) == shapes{{3, 16}, {4, 16}, {16}});
    CHECK(lstm.layers[0].weights[0].values[1] == 0.16976841288141864);
    CHECK(lstm.layers[0].weights[0].values[16] == 0.2778815665678398);
    CHECK(lstm.layers[1].type == rtneural_layer::kind::dense);
    CHECK(lstm.layers[1].inputs == 4);
    CHECK(shapes_of(lstm.layers[1]) == shapes{{4, 2}, {2}});

    auto const gru = read_rtneural(fixture("rtneural_gru.json"));
    REQUIRE(gru.layers.size() == 2);
    CHECK(gru.layers[0].type == rtneural_layer::kind::gru);
    CHECK(shapes_of(gru.layers[0]) == shapes{{3, 12}, {4, 12}, {2, 12}});
}

TEST_CASE("rtneural: the tensors of its form for PyTorch") {
    auto const network = read_rtneural(fixture("rtneural_torch_gru.json"));
    CHECK(network.layers.empty());
    REQUIRE(network.tensors.size() == 6);
    CHECK(network.tensors.at("gru.weight_ih_l0").shape == std::vector<std::size_t>{12, 3});
    CHECK(network.tensors.at("gru.weight_ih_l0").values[2] == 0.4937029876018778);
    CHECK(network.tensors.at("gru.bias_hh_l0").shape == std::vector<std::size_t>{12});
    CHECK(network.tensors.at("dense.weight").shape == std::vector<std::size_t>{2, 4});
}

TEST_CASE("rtneural: what may be written in several ways") {
    // Fields and keys in any order, integers, other names of a dense layer, an activation that changes nothing.
    auto const network = parse(R"( {"layers" : [ {"weights":[[[1,-2],[3e0,4]],[5,6]], "shape":[7,2],
                                   "type":"time-distributed-dense"},
                                  {"type":"gru","activation":"tanh","shape":[1],
                                   "weights":[[[1,2,3],[4,5,6]],[[1,2,3]],[[1,2,3],[4,5,6]]]}],
                                  "in_shape":[2]} )");
    REQUIRE(network.layers.size() == 2);
    CHECK(network.layers[0].type == rtneural_layer::kind::dense);
    CHECK(network.layers[0].weights[0].values == std::vector<double>{1, -2, 3, 4});
    CHECK(network.layers[1].inputs == 2);
    CHECK(network.layers[1].outputs == 1);
    CHECK(parse(R"({"a":[1],"":[[18446744073709551615]]})").tensors.at("").values[0] == 0x1p64);
}

TEST_CASE("rtneural: what is refused, and where") {
    REQUIRE(parse(with_layer(dense)).layers.size() == 1);
    auto const [text, message] = GENERATE(table<std::string, std::string>({
        // the document
        {"", "file: byte 0: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"3", "file: unexpected number"},
        {"null", "file: unexpected null"},
        {"[]", "file: unexpected array"},
        {"{}", "file: no layers and no tensors"},
        {"{\"a\":[1]} x", "file: byte 10: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"{\"a\":[1]}\0"s, "file: byte 9: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {"{\"\xff\":[1]}", "file: byte 2: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        // keys of the top
        {R"({"layers":[]})", "file: missing key 'in_shape'"},
        {R"({"in_shape":[1]})", "file: missing key 'layers'"},
        {R"({"in_shape":[1],"layers":[]})", "file: no layers and no tensors"},
        {R"({"in_shape":[1],"in_skip":1})", "file: unknown key 'in_skip'"},
        {R"({"a":[1],"layers":[]})", "file: unknown key 'layers'"},
        {R"({"a":[1],"a":[1]})", "file: duplicate key 'a'"},
        {R"({"layers":[],"layers":[]})", "file: duplicate key 'layers'"},
        {R"({"layers":{}})", "file: layers: unexpected object"},
        {R"({"a":true})", "file: 'a': unexpected boolean"},
        {R"({"a":"b"})", "file: 'a': unexpected string"},
        // in_shape and shape
        {R"({"in_shape":[]})", "file: in_shape: the last extent is 0; expected 1 to 2147483647"},
        {R"({"in_shape":[3,null]})", "file: in_shape: the last extent is 0; expected 1 to 2147483647"},
        {R"({"in_shape":[2147483648]})", "file: in_shape: the last extent is 2147483648; expected 1 to 2147483647"},
        {R"({"in_shape":[1,1,1,1,1]})", "file: in_shape: more than 4 extents"},
        {R"({"in_shape":[-1]})", "file: in_shape: unexpected negative number"},
        {R"({"in_shape":[1.5]})", "file: in_shape: unexpected fraction, exponent or number beyond 2^64"},
        {R"({"in_shape":[[1]]})", "file: in_shape: unexpected array"},
        {with_layer(R"("shape":[])"), "file: layers[0].shape: the last extent is 0; expected 1 to 2147483647"},
        {with_layer(R"("shape":[true])"), "file: layers[0].shape: unexpected boolean"},
        // a layer
        {R"({"layers":[1]})", "file: layers[0]: unexpected number"},
        {R"({"layers":[[]]})", "file: layers[0]: unexpected array"},
        {with_layer(""), "file: layers[0]: missing key 'shape'"},
        {with_layer(R"("type":"lstm","shape":[1])"), "file: layers[0]: missing key 'weights'"},
        {with_layer(R"("type":"lstm","weights":[])"), "file: layers[0]: missing key 'shape'"},
        {with_layer(R"("type":"conv1d")"),
         "file: layers[0].type: unsupported layer 'conv1d'; lstm, gru and dense are read"},
        {with_layer(R"("type":null)"), "file: layers[0].type: unexpected null"},
        {with_layer(R"("shape":"1")"), "file: layers[0].shape: unexpected string"},
        {with_layer(R"("type":[])"), "file: layers[0].type: unexpected array"},
        {with_layer(R"("dilation":1)"), "file: layers[0]: unknown key 'dilation'"},
        {with_layer(dense + R"(,"type":"dense")"), "file: layers[0]: duplicate key 'type'"},
        {with_layer(R"("type":"dense","activation":"relu","shape":[1],"weights":[])"),
         "file: layers[0]: unsupported activation 'relu'"},
        {with_layer(R"("type":"dense","activation":"tanh","shape":[1],"weights":[])"),
         "file: layers[0]: unsupported activation 'tanh'"},
        {with_layer(R"("type":"lstm","activation":"sigmoid","shape":[1],"weights":[])"),
         "file: layers[0]: unsupported activation 'sigmoid'"},
        // numbers
        {with_layer(R"("weights":[1])"), "file: layers[0].weights[0]: unexpected number"},
        {with_layer(R"("weights":[[[1],[null]]])"), "file: layers[0].weights[0][1][0]: unexpected null"},
        {with_layer(R"("weights":[[],)"), "file: layers[0].weights[0]: has no numbers"},
        {with_layer(R"("weights":[[[1],[]]])"),
         "file: layers[0].weights[0][1]: a row of 0 numbers, unlike those before"},
        {with_layer(R"("weights":[[1],[2],[3],[4]])"), "file: layers[0].weights[3]: more than 3 weights"},
        {with_layer(R"("weights":[[1],[2,NaN]])"),
         "file: byte 55, in layers[0].weights[1][1]: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        {R"({"a":[[1,2],[3]]})", "file: 'a'[1]: a row of 1 numbers, unlike those before"},
        {R"({"a":[[1,2],[3,4,5]]})", "file: 'a'[1]: a row of 3 numbers, unlike those before"},
        {R"({"a":[[]]})", "file: 'a'[0]: a row of 0 numbers"},
        {R"({"a":[[1],2]})", "file: 'a'[1]: unexpected number"},
        {R"({"a":[1,[2]]})", "file: 'a'[1]: unexpected array"},
        {R"({"a":[[[1]]]})", "file: 'a'[0][0]: unexpected array"},
        {R"({"a":[{}]})", "file: 'a'[0]: unexpected object"},
        {R"({"a":[1,1e999]})", "file: 'a'[1]: a number beyond the range of double"},
        {R"({"a":[-Infinity]})", "file: byte 7, in 'a'[0]: not UTF-8 encoded JSON (which has no NaN and no infinity)"},
        // shapes
        {with_layer(R"("type":"dense","shape":[1],"weights":[[[1],[2]]])"),
         "file: layers[0].weights: 1 lists, expected 2 (with bias)"},
        {with_layer(R"("type":"dense","shape":[1],"weights":[[[1,2]],[3]])"),
         "file: layers[0].weights[0]: has shape [1,2], expected [2,1]"},
        {with_layer(R"("type":"dense","shape":[1],"weights":[[[1],[2]],[[3]]])"),
         "file: layers[0].weights[1]: has shape [1,1], expected [1]"},
        {with_layer(R"("type":"gru","shape":[1],"weights":[[[1,2,3],[1,2,3]],[[1,2,3]],[1,2,3]])"),
         "file: layers[0].weights[2]: has shape [3], expected [2,3]"},
        {with_layer(R"("type":"gru","shape":[1],"weights":[[[1,2,3],[1,2,3]],[[1,2,3]]])"),
         "file: layers[0].weights: 2 lists, expected 3 (with bias, reset_after=True)"},
        {R"({"in_shape":[2],"layers":[{)" + dense + "},{" + dense + "}]}",
         "file: layers[1].weights[0]: has shape [2,1], expected [1,1]"},
    }));
    CAPTURE(text);
    CHECK(refusal(text) == message);
}

TEST_CASE("rtneural: a bomb of brackets is refused at its third") {
    std::string const bomb(1 << 20, '[');
    CHECK(refusal(bomb) == "file: unexpected array");
    CHECK(refusal("{\"a\":" + bomb) == "file: 'a'[0][0]: unexpected array");
    std::string objects;
    for (int i = 0; i < 1 << 16; ++i) objects += "{\"a\":";
    CHECK(refusal(objects) == "file: 'a': unexpected object");
}

TEST_CASE("rtneural: the limit of the file is the caller's") {
    temporary_folder folder;
    std::ofstream(folder / "x") << R"({"a":[1]})";
    CHECK(read_rtneural(folder / "x", {.max_file = 9}).tensors.size() == 1);
    CHECK_THROWS_AS(read_rtneural(folder / "x", {.max_file = 8}), file_error);
    CHECK_THROWS_AS(read_rtneural(folder / "none"), file_error);
}

TEST_CASE("rtneural: a file cut at any byte is refused") {
    std::string const whole = with_layer(dense), flat = R"({"a":[[1,2],[3,4]],"b":[5]})";
    for (std::string const& text : {whole, flat}) {
        REQUIRE(refusal(text).empty());
        for (std::size_t size = 0; size < text.size(); ++size) {
            CAPTURE(size);
            CHECK_FALSE(refusal(text.substr(0, size)).empty());
        }
    }
}
