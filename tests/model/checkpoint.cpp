#include "sequent/model/checkpoint.hpp"

#include <cstdlib>
#include <fstream>
#include <limits>

#include "../io/helpers.hpp"
#include "catch.hpp"
#include "layer/layers.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class Recurrent, int Width>
struct classifier : sequential<named<"embedding", embedding<20, 8>>, named<"rnn", Recurrent>, last_state,
                               named<"fc", linear<Width, 4>>> {
    classifier() : classifier::sequential{{.padding = 1}, {}, {}, {}} {}
};
using news_net = classifier<lstm<8, 6>, 6>;

template <class Scalar>
using news = model<news_net, cpu, Scalar>;

template <class Scalar>
using weights = std::map<std::string, std::vector<Scalar>>;
template <class Model>
weights<typename Model::scalar> weights_of(Model& net) {
    weights<typename Model::scalar> all;
    for (auto const& parameter : net.parameters()) all[parameter.name] = net.values(parameter);
    return all;
}

template <class Scalar>
weights<Scalar> weights_in(std::filesystem::path const& path) {
    auto const file = safetensors::read(path);
    weights<Scalar> all;
    for (auto const& [name, tensor] : file.tensors()) all[name] = file.values<Scalar>(name);
    return all;
}

// Step s of a training in which most rows of the embedding pause for many steps.
template <class Model>
void train_step(training<Model, cross_entropy, adam>& run, int s) {
    std::vector<std::vector<int>> const words{{2 + s % 3, 5, 2 + s % 7}, {9 + s % 11}};
    std::vector<int> const topics{s % 4, 3};
    run.step(pack(words), topics);
}

template <class Model>
void train(Model& net, int steps) {
    training run{net, cross_entropy{}, adam{.rate = 0.01}};
    for (int s = 0; s < steps; ++s) train_step(run, s);
}

std::vector<std::vector<int>> sentences(safetensors const& file) {
    auto const ids = file.values<std::int64_t>("ids"), lengths = file.values<std::int64_t>("lengths");
    auto const time = static_cast<std::ptrdiff_t>(file.at("ids").shape.at(1));
    std::vector<std::vector<int>> result;
    for (std::ptrdiff_t i = 0; i < std::ssize(lengths); ++i)
        for (std::int64_t t = 0; t < lengths[static_cast<std::size_t>(i)]; ++t) {
            result.resize(static_cast<std::size_t>(i) + 1);
            result.back().push_back(static_cast<int>(ids[static_cast<std::size_t>(i * time + t)]));
        }
    return result;
}

template <class Model>
std::vector<typename Model::scalar> logits_of(Model& net, safetensors const& batch) {
    auto const logits = net.predict(pack(sentences(batch)));
    return {logits.data, logits.data + logits.rows * logits.columns};
}

void check_close(auto const& computed, std::vector<double> const& expected, double tolerance) {
    REQUIRE(computed.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        CHECK(std::abs(static_cast<double>(computed[i]) - expected[i]) < tolerance);
}

// A file of the news network's tensors: zeros but for what a test changes.
struct news_file {
    struct tensor {
        std::string dtype;
        std::vector<std::size_t> shape;
        std::vector<std::byte> bytes;
    };
    std::map<std::string, tensor> tensors;

    explicit news_file(std::string const& dtype = "F32") {
        news<float> net;
        for (auto const& parameter : net.parameters()) {
            std::size_t const element = find_safetensors_dtype(dtype)->bytes;
            tensors[parameter.name] = {dtype,
                                       {parameter.shape.begin(), parameter.shape.end()},
                                       std::vector<std::byte>(parameter.size() * element)};
        }
    }
    template <class Number>
    void set(std::string const& name, std::size_t place, Number number) {
        std::memcpy(tensors.at(name).bytes.data() + place * sizeof number, &number, sizeof number);
    }
    void write(std::filesystem::path const& path) const {
        safetensors_writer writer;
        for (auto const& [name, one] : tensors) writer.add(name, one.dtype, one.shape, std::span(one.bytes));
        writer.write(path);
    }
};

// What load says to the file, without the file's name; the model must stay as it was.
std::string refusal(std::filesystem::path const& path) {
    news<float> net(news_net{}, {.seed = 5});
    auto const before = weights_of(net);
    std::string const what = thrown<file_error>([&] { load(net, path); });
    if (!what.empty()) CHECK(weights_of(net) == before);
    return what.starts_with(path.string() + ": ") ? what.substr(path.string().size() + 2) : what;
}
std::string refusal(news_file const& file) {
    temporary_folder const folder;
    file.write(folder / "file");
    return refusal(folder / "file");
}

std::vector<std::byte> content(std::filesystem::path const& path) { return read_file(path, 1 << 20); }

}  // namespace

TEST_CASE("checkpoint: a state_dict of PyTorch's loads by name and gives its logits") {
    auto const expected = safetensors::read(fixture("news_tiny_expected.safetensors"));
    auto const golden = expected.values<double>("logits");
    news<double> in_double;
    load(in_double, fixture("news_tiny.safetensors"));
    check_close(logits_of(in_double, expected), golden, 1e-14);
    news<float> in_float;
    load(in_float, fixture("news_tiny.safetensors"));
    check_close(logits_of(in_float, expected), golden, 1e-6);
}

TEMPLATE_TEST_CASE("checkpoint: a trained network comes back bit for bit", "", float, double) {
    temporary_folder const folder;
    news<TestType> net(news_net{}, {.seed = 1}), other(news_net{}, {.seed = 2});
    train(net, 5);
    save(net, folder / "file", {{"vocabulary", "abc"}});
    CHECK(weights_of(other) != weights_of(net));
    file_metadata const metadata = load(other, folder / "file");
    CHECK(weights_of(other) == weights_of(net));
    CHECK(metadata == file_metadata{{"format", "pt"}, {"vocabulary", "abc"}});

    auto const file = safetensors::read(folder / "file");
    CHECK(file.tensors().size() == 7);
    CHECK(file.at("embedding.weight").dtype == safetensors_dtype_of<TestType>);
    CHECK(file.at("embedding.weight").shape == std::vector<std::size_t>{20, 8});
    CHECK(file.at("rnn.bias_hh_l0").shape == std::vector<std::size_t>{24});
}

TEMPLATE_TEST_CASE("checkpoint: every cell, direction and depth comes back bit for bit, under its names", "", float,
                   double) {
    temporary_folder const folder;
    auto const table = weights_of_networks<TestType, halves>(1), others = weights_of_networks<TestType, halves>(2);
    for (std::size_t k = 0; k < table.size(); ++k) {
        auto &net = *table[k], &other = *others[k];
        INFO(net.name);
        save(net, folder / "file");
        CHECK(weights_in<TestType>(folder / "file") == weights_of(net));
        REQUIRE(weights_of(other) != weights_of(net));
        load(other, folder / "file");
        CHECK(weights_of(other) == weights_of(net));
    }
}

TEST_CASE("checkpoint: parameters of units have names like PyTorch's") {
    model<stacked<2, bidirectional<coupled_lstm<3, 5>>>, cpu> net;
    weights<float> const named = weights_of(net);
    CHECK(named.size() == 4 * 6);
    for (std::string const name : {"weight_cf_l0", "weight_co_l0_reverse", "weight_cf_l1", "weight_co_l1_reverse"})
        CHECK(named.contains(name));
}

TEMPLATE_TEST_CASE("checkpoint: saving while a training lives writes caught-up rows and changes no later bit", "",
                   float, double) {
    temporary_folder const folder;
    news<TestType> uninterrupted(news_net{}, {.seed = 1}), saved(news_net{}, {.seed = 1}),
        ended(news_net{}, {.seed = 1});
    train(uninterrupted, 60);
    {
        training run{saved, cross_entropy{}, adam{.rate = 0.01}};
        for (int s = 0; s < 60; ++s) {
            if (s == 13 || s == 40) save(saved, folder / std::to_string(s));
            train_step(run, s);
        }
    }
    CHECK(weights_of(saved) == weights_of(uninterrupted));
    train(ended, 40);  // the end of its training catches all rows up
    CHECK(weights_in<TestType>(folder / "40") == weights_of(ended));
    CHECK(weights_in<TestType>(folder / "13") != weights_of(ended));
}

TEST_CASE("checkpoint: tensors that are missing, too many, or not the model's") {
    REQUIRE(refusal(news_file()).empty());
    news_file missing, extra, reshaped, transposed, integer;
    missing.tensors.erase("rnn.weight_hh_l0");
    CHECK(refusal(missing) == "tensor 'rnn.weight_hh_l0': missing; the model needs it");
    extra.tensors["fc.scale"] = extra.tensors["fc.bias"];
    CHECK(refusal(extra) == "tensor 'fc.scale': the model has no such parameter");
    reshaped.tensors["fc.bias"].shape = {4, 1};
    CHECK(refusal(reshaped) == "tensor 'fc.bias': has shape [4, 1]; the model needs [4]");
    transposed.tensors["fc.weight"].shape = {6, 4};
    CHECK(refusal(transposed) == "tensor 'fc.weight': has shape [6, 4]; the model needs [4, 6]");
    integer.tensors["fc.bias"].dtype = "I32";
    CHECK(refusal(integer) == "tensor 'fc.bias': holds type I32, which does not read as F32");
}

TEST_CASE("checkpoint: numbers that are not finite or too large are not loaded") {
    news_file nan, infinite("F64"), large("F64");
    nan.set("embedding.weight", 7, std::numeric_limits<float>::quiet_NaN());
    CHECK(refusal(nan) == "tensor 'embedding.weight': holds nan at place 7");
    infinite.set("fc.bias", 3, -std::numeric_limits<double>::infinity());
    CHECK(refusal(infinite) == "tensor 'fc.bias': holds -inf at place 3");
    large.set("fc.bias", 0, 1e39);
    CHECK(refusal(large) == "tensor 'fc.bias': element 0 is beyond the range of float");
}

TEST_CASE("checkpoint: half, bfloat16 and double are converted") {
    temporary_folder const folder;
    news_file half("F16"), brain("BF16"), wide("F64");
    half.set("fc.bias", 2, std::uint16_t{0xBE00});   // -1.5
    brain.set("fc.bias", 2, std::uint16_t{0xBFC0});  // -1.5
    wide.set("fc.bias", 2, 0.1);
    half.write(folder / "half"), brain.write(folder / "brain"), wide.write(folder / "wide");
    news<float> in_float;
    load(in_float, folder / "half");
    CHECK(in_float.values("fc.bias") == std::vector<float>{0, 0, -1.5f, 0});
    load(in_float, folder / "brain");
    CHECK(in_float.values("fc.bias") == std::vector<float>{0, 0, -1.5f, 0});
    load(in_float, folder / "wide");
    CHECK(in_float.values("fc.bias") == std::vector<float>{0, 0, 0.1f, 0});
    news<double> in_double;
    load(in_double, folder / "wide");
    CHECK(in_double.values("fc.bias") == std::vector<double>{0, 0, 0.1, 0});
    save(in_float, folder / "float");
    load(in_double, folder / "float");
    CHECK(in_double.values("fc.bias") == std::vector<double>{0, 0, 0.1f, 0});
}

TEST_CASE("checkpoint: a file that is cut at any byte, lengthened or not there") {
    temporary_folder const folder;
    news_file().write(folder / "file");
    std::size_t const whole = std::filesystem::file_size(folder / "file");
    for (std::size_t size = whole + 1; size > 0; --size) {
        std::filesystem::resize_file(folder / "file", size);
        CAPTURE(size);
        REQUIRE(refusal(folder / "file").empty() == (size == whole));
    }
    std::filesystem::resize_file(folder / "file", 0);
    CHECK_FALSE(refusal(folder / "file").empty());
    CHECK(refusal(folder / "none") == "cannot open: No such file or directory");
}

TEST_CASE("checkpoint: what cannot be saved leaves the old file as it was") {
    temporary_folder const folder;
    news<float> net(news_net{}, {.seed = 1});
    save(net, folder / "file");
    auto const before = content(folder / "file");
    std::vector<float> bias = net.values("fc.bias");
    bias[1] = std::numeric_limits<float>::quiet_NaN();
    net.assign("fc.bias", bias);
    CHECK(thrown<numeric_error>([&] { save(net, folder / "file"); }) ==
          "sequent::save: 'fc.bias' holds nan at place 1; nothing was written to " + (folder / "file").string());
    std::vector<float> rows = net.values("embedding.weight");
    rows[9] = std::numeric_limits<float>::infinity();
    net.assign("embedding.weight", rows);
    CHECK(thrown<numeric_error>([&] { save(net, folder / "file"); }).starts_with("sequent::save: 'embedding.weight' "));
    CHECK_THROWS_AS(save(net, folder / "file", {{"format", "np"}}), argument_error);
    CHECK_THROWS_AS(save(net, folder / "file", {{"a", "\xff"}}), argument_error);
    CHECK(content(folder / "file") == before);

    net.reset_parameters();
    CHECK_THROWS_AS(save(net, folder / "no folder" / "file"), file_error);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
    save(net, folder / "file");
    CHECK(content(folder / "file") == before);
}

// A network and the name that pytorch_round_trip.py has for it.
struct torch_lstm : classifier<lstm<8, 6>, 6> {
    static constexpr char const* name = "LSTM";
};
struct torch_gru : classifier<gru<8, 6>, 6> {
    static constexpr char const* name = "GRU";
};
struct torch_rnn : classifier<elman<8, 6>, 6> {
    static constexpr char const* name = "RNN";
};
struct torch_deep_lstm : classifier<stacked<2, bidirectional<lstm<8, 6>>>, 12> {
    static constexpr char const* name = "deep_LSTM";
};

TEST_CASE("checkpoint: a state_dict of PyTorch's is saved as it came: names, types, shapes and bytes") {
    temporary_folder const folder;
    auto const check = [&](auto net, std::string const& name, std::size_t count) {
        load(net, fixture(name + ".safetensors"));
        save(net, folder / name);
        auto const given = safetensors::read(fixture(name + ".safetensors")), saved = safetensors::read(folder / name);
        CHECK(given.tensors().size() == count);
        CHECK(saved.tensors().size() == count);
        CHECK(saved.metadata().at("format") == given.metadata().at("format"));
        for (auto const& [tensor, as] : given.tensors()) {
            INFO(name << ": " << tensor);
            REQUIRE(saved.contains(tensor));
            CHECK(saved.at(tensor).dtype == as.dtype);
            CHECK(saved.at(tensor).shape == as.shape);
            CHECK(std::ranges::equal(saved.bytes(tensor), given.bytes(tensor)));
        }
    };
    check(model<torch_lstm, cpu>(), "news_tiny", 7);
    check(model<torch_deep_lstm, cpu>(), "news_deep", 19);
}

TEMPLATE_TEST_CASE("checkpoint: PyTorch's weights come in and go back", "", torch_lstm, torch_gru, torch_rnn,
                   torch_deep_lstm) {
    temporary_folder const folder;
    std::string python = "python3";
    auto const pytorch = [&](std::string const& verb) {
        std::string const script = fixture("../model/pytorch_round_trip.py").string();
        std::string const command =
            python + " '" + script + "' " + verb + " " + TestType::name + " '" + folder.path.string() + "'";
        int const status = std::system(command.c_str());
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    };
    auto const is_missing = [](int status) { return status == 77 || status == 127; };
    int made = pytorch("make");
    if (is_missing(made)) {  // the first of the path may be a virtual environment without PyTorch
        python = "/usr/bin/python3";
        made = pytorch("make");
    }
    if (is_missing(made)) SKIP_TEST("no python3 with PyTorch and NumPy");
    REQUIRE(made == 0);
    model<TestType, cpu> net;
    load(net, folder / "weights.safetensors");
    auto const expected = safetensors::read(folder / "expected.safetensors");
    check_close(logits_of(net, expected), expected.values<double>("logits"), 1e-6);

    train(net, 10);
    save(net, folder / "saved.safetensors");
    std::vector<float> const logits = logits_of(net, expected);
    safetensors_writer writer;
    writer.add("logits", expected.at("logits").shape, std::span(logits));
    writer.write(folder / "saved_logits.safetensors");
    CHECK(pytorch("check") == 0);
}
