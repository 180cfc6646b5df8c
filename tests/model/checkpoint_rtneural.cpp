#include "sequent/model/checkpoint_rtneural.hpp"

#include <fstream>

#include "../io/helpers.hpp"
#include "catch.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
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
template <class Net>
std::string refusal(std::string const& text, rtneural_options const& options = {}) {
    temporary_folder folder;
    std::ofstream(folder / "file") << text;
    model<Net, cpu, double> net(Net{}, {.seed = 3});
    auto const weights = [&] {
        std::vector<std::vector<double>> all;
        for (auto const& parameter : net.parameters()) all.push_back(net.values(parameter));
        return all;
    };
    auto const before = weights();
    std::string const what = thrown<file_error>([&] { load_rtneural(net, folder / "file", options); });
    CHECK(weights() == before);
    std::string const file = (folder / "file").string() + ": ";
    return what.starts_with(file) ? what.substr(file.size()) : what;
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
                      Catch::Matchers::EndsWith(".json: no tensor's name begins with 'gru.'"));
    CHECK_THROWS_WITH(load_rtneural(net, fixture("rtneural_torch_lstm.json")),
                      Catch::Matchers::EndsWith(".json: 'dense.bias': the model has no such parameter"));
    CHECK_THROWS_WITH(load_rtneural(net, fixture("rtneural_lstm.json"), {.prefix = "lstm."}),
                      Catch::Matchers::EndsWith(".json: has layers without names, so no prefix fits"));
    std::string const large = replaced(text_of_fixture("rtneural_torch_lstm.json"), "[[", "[[1e39,0,0],[");
    temporary_folder folder;
    std::ofstream(folder / "large") << large;
    CHECK_THROWS_WITH(load_rtneural(net, folder / "large", {.prefix = "lstm."}),
                      Catch::Matchers::EndsWith("'lstm.weight_ih_l0': number 0 is beyond the range of float"));
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

TEST_CASE("load_rtneural: a layer of the model's that has fewer parameters than the file's") {
    auto const network = [](std::string const& dense) {
        std::string const text = R"({"in_shape":[1],"layers":[)" + dense + "," + dense + "]}";
        return parse_rtneural(sequent_tests::bytes_of(text), "file").layers;
    };
    std::vector<parameter_info> const no_bias{{"weight", {1, 1}}};
    CHECK(thrown<file_error>([&] {
              (void)detail::named_after(no_bias, {}, "file",
                                        network(R"({"type":"dense","shape":[1],"weights":[[[1]],[2]]})"));
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
    CHECK(refusal<lstm_net>(file.substr(0, 300)).starts_with("byte 300, in 'lstm.weight_ih_l0'["));
    CHECK(refusal<lstm_net>("{}") == "no layers and no tensors");
}
