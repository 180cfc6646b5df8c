#include "sequent/layer/sequential.hpp"

#include "golden.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

template <class Model>
std::vector<std::string> names_of(Model const& net) {
    std::vector<std::string> names;
    for (auto const& parameter : net.parameters()) names.push_back(parameter.name);
    return names;
}
using list = std::vector<std::string>;

// token ids -> word vectors -> two bidirectional LSTM layers -> last state -> four topics
struct news_net
    : sequential<named<"embedding", embedding<dynamic, 6>>, named<"rnn", stacked<2, bidirectional<lstm<6, 5>>>>,
                 last_state, named<"fc", linear<10, 4>>> {
    explicit news_net(int words) : sequential{{.rows = words, .padding = 1}, {.dropout = 0.2}, {}, {}} {}
};

// A layer of one's own, which counts its backward passes.
struct watched_mean : mean_state {
    using mean_state::mean_state;
    static inline int passes_back = 0;
    auto backward(auto&&... arguments) const {
        ++passes_back;
        return mean_state::backward(arguments...);
    }
};

}  // namespace

TEST_CASE("sequential: shapes flow from layer to layer") {
    STATIC_REQUIRE(std::is_same_v<news_net::output<token_ids>, rows_of<4>>);
    STATIC_REQUIRE(std::is_same_v<sequential<gru<3, 4>, linear<4, 2>>::output<sequence_of<3>>, sequence_of<2>>);
    STATIC_REQUIRE(std::is_same_v<stacked<3, bidirectional<gru<3, 4>>>::output<sequence_of<3>>, sequence_of<8>>);
    STATIC_REQUIRE(sequential<gru<3, 4>, dropout>::input_size == 3);
    STATIC_REQUIRE(sequential<dropout, sequential<dropout, mean_state>, linear<3, 2>>::input_size == 3);
    STATIC_REQUIRE(sequential<sequential<embedding<9, 4>, dropout>, gru<4, 3>>::input_size == 0);
    STATIC_REQUIRE(sequential<dropout, mean_state>::input_size == -1);
    // Each layer of a stack is as wide at its input as the one before at its output.
    STATIC_REQUIRE(std::is_same_v<stacked<2, bidirectional<gru<3, 4>>>::layer_at<2>, bidirectional<gru<8, 4>>>);
    STATIC_REQUIRE(std::is_same_v<stacked<2, gru<3, 4>>::with_input<7>::layer_at<0>, recurrent<gru<7, 4>>>);
    STATIC_REQUIRE(std::is_same_v<layer_of<gru<3, 4>>, recurrent<gru<3, 4>>>);
    STATIC_REQUIRE(stacked<1, gru<3, 4>>::count == 1);
}

TEST_CASE("sequential: parameters have PyTorch's names, by place and by name, nested and stacked") {
    using nested = sequential<gru<3, 4>, sequential<linear<4, 5>, named<"head", linear<5, 2>>>>;
    CHECK(names_of(model<nested, cpu>{}) == list{"0.weight_ih_l0", "0.weight_hh_l0", "0.bias_ih_l0", "0.bias_hh_l0",
                                                 "1.0.weight", "1.0.bias", "1.head.weight", "1.head.bias"});

    model<news_net, cpu> const net{news_net{9}};
    CHECK(names_of(net) == list{"embedding.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0",
                                "rnn.bias_hh_l0", "rnn.weight_ih_l0_reverse", "rnn.weight_hh_l0_reverse",
                                "rnn.bias_ih_l0_reverse", "rnn.bias_hh_l0_reverse", "rnn.weight_ih_l1",
                                "rnn.weight_hh_l1", "rnn.bias_ih_l1", "rnn.bias_hh_l1", "rnn.weight_ih_l1_reverse",
                                "rnn.weight_hh_l1_reverse", "rnn.bias_ih_l1_reverse", "rnn.bias_hh_l1_reverse",
                                "fc.weight", "fc.bias"});
    CHECK(net.parameters()[0].shape == std::vector{9, 6});
    CHECK(net.parameters()[9].shape == std::vector{20, 10});

    CHECK(names_of(model<named<"a", sequential<named<"b", linear<3, 2>>>>, cpu>{}) == list{"b.weight", "b.bias"});
    auto states = model<news_net, cpu>{news_net{9}}.zero_states(1);
    list state_names;
    for (auto const& entry : states.entries) state_names.push_back(entry.name);
    CHECK(state_names == list{"rnn.h_l0", "rnn.c_l0", "rnn.h_l0_reverse", "rnn.c_l0_reverse", "rnn.h_l1", "rnn.c_l1",
                              "rnn.h_l1_reverse", "rnn.c_l1_reverse"});
}

TEST_CASE("sequential: every gradient of a whole network") {
    model<news_net, cpu, double> net{news_net{9}, {.seed = 1}};
    auto const text = pack(std::vector<std::vector<int>>{{2, 5, 2}, {}, {5, 4, 0, 2, 2, 7, 1}, {8}});
    std::vector<int> const topics{1, 0, 2, 3};
    auto const result = gradient_check(net, text, topics, cross_entropy{});
    INFO(result.parameter << "[" << result.place << "]: " << result.analytic << ", numerically " << result.numeric);
    CHECK(result.worst < 1e-6);
    CHECK(result.checked == 48 + 2 * 260 + 2 * 340 + 44);
}

TEST_CASE("sequential: layers of different widths are the layers one by one") {
    using network = sequential<lstm<3, 4>, reversed<gru<4, 2>>, linear<2, 5>>;
    model<network, cpu, double> net{network{}, {.seed = 1}};
    model<lstm<3, 4>, cpu, double> first;
    model<reversed<gru<4, 2>>, cpu, double> second;
    model<linear<2, 5>, cpu, double> third;
    auto const take = [&](auto& one, std::string const& prefix) {
        for (auto const& parameter : one.parameters()) one.assign(parameter, net.values(prefix + parameter.name));
    };
    take(first, "0."), take(second, "1."), take(third, "2.");
    auto const input = pack(random_sequences<double>({4, 2, 0, 5}, 3, 1), 3);
    auto const packed = [&](auto const& flow) {
        return packed_sequence<double>{input.shape, numbers_of(flow.values.rows), flow.values.rows.columns};
    };
    auto const a = packed(first.forward(input)), b = packed(second.forward(a)), c = packed(third.forward(b));
    CHECK(same_bits(numbers_of(net.forward(input).values.rows), c.values));

    auto const gradient = random_values<double>(55, 2);
    net.backward({gradient.data(), 11, 5});
    third.backward({gradient.data(), 11, 5});
    second.backward(third.input_gradient());
    first.backward(second.input_gradient());
    CHECK(same_bits(numbers_of(net.input_gradient()), numbers_of(first.input_gradient())));
    CHECK(same_bits(net.gradient("0.weight_hh_l0"), first.gradient("weight_hh_l0")));
    CHECK(same_bits(net.gradient("1.bias_hh_l0_reverse"), second.gradient("bias_hh_l0_reverse")));
}

TEST_CASE("sequential: dropout or pooling first, on numbers") {
    auto const input = pack(random_sequences<double>({4, 2, 5}, 3, 1), 3);
    auto const gradient = random_values<double>(44, 2);
    model<sequential<dropout, lstm<3, 4>>, cpu, double> net{{dropout::options{.probability = 0.5}, {}}, {.seed = 1}};
    model<lstm<3, 4>, cpu, double> bare;
    for (auto const& one : bare.parameters()) bare.assign(one, net.values("1." + one.name));
    CHECK(same_bits(numbers_of(net.predict(input).values.rows), numbers_of(bare.predict(input).values.rows)));

    net.forward(input);  // in training mode: numbers that dropout takes away have no gradient
    net.backward({gradient.data(), 11, 4});
    auto const of_input = numbers_of(net.input_gradient());
    auto const zeros = std::ranges::count(of_input, 0.0);
    CHECK(zeros > 5);
    CHECK(zeros < 28);
    net.eval();
    net.forward(input), net.zero_gradients(), net.backward({gradient.data(), 11, 4});
    bare.forward(input), bare.backward({gradient.data(), 11, 4});
    CHECK(same_bits(numbers_of(net.input_gradient()), numbers_of(bare.input_gradient())));
    CHECK(same_bits(net.gradient("1.weight_ih_l0"), bare.gradient("weight_ih_l0")));

    model<sequential<mean_state, linear<3, 2>>, cpu, double> pooled{{}, {.seed = 1}};
    CHECK(gradient_check(pooled, input, std::vector{1, 0, 1}, cross_entropy{}).worst < 1e-6);
    pooled.reserve(8, 2);
}

TEST_CASE("sequential: options, one aggregate per layer, nested too") {
    using inner = sequential<embedding<dynamic, 3>, dropout>;
    using network = sequential<inner, mean_state, linear<3, 2>>;
    network const description{inner::options{{embedding<dynamic, 3>::options{.rows = 8}, dropout::options{}}}, {}, {}};
    model<network, cpu> net{description, {.seed = 1}};
    CHECK(net.parameters()[0].shape == std::vector{8, 3});
    CHECK(net.network().get<2>().input_size == 3);
    net.eval();
    CHECK(net.forward(pack(std::vector<std::vector<int>>{{7, 0}})).columns == 2);
    CHECK_THROWS_AS((network{inner::options{{embedding<dynamic, 3>::options{}, dropout::options{}}}, {}, {}}),
                    argument_error);
}

TEST_CASE("sequential: nothing is differentiated below what wants no gradient") {
    using network = sequential<named<"words", embedding<6, 3>>, named<"rnn", gru<3, 4>>, last_state>;
    model<network, cpu, double> net{network{{.frozen = true}, {}, {}}, {.seed = 1}};
    model<network, cpu, double> free{network{}, {.seed = 1}};
    auto const text = pack(std::vector<std::vector<int>>{{2, 5, 2}, {1, 4}});
    auto const gradient = random_values<double>(8, 1);
    for (auto* one : {&net, &free}) {
        one->forward(text);
        one->backward({gradient.data(), 2, 4});
    }
    CHECK(same_bits(net.gradient("rnn.weight_ih_l0"), free.gradient("rnn.weight_ih_l0")));
    CHECK(net.gradient("words.weight") == std::vector<double>(18));
    CHECK(free.gradient("words.weight") != std::vector<double>(18));

    // Not even computed: the layers between a frozen embedding and the first that trains have no backward pass.
    using pooled = sequential<embedding<6, 3>, watched_mean, linear<3, 2>>;
    for (bool const frozen : {true, false}) {
        model<pooled, cpu, double> words{pooled{{.frozen = frozen}, {}, {}}, {.seed = 1}};
        watched_mean::passes_back = 0;
        words.forward(text);
        words.backward({gradient.data(), 2, 2});
        CHECK(watched_mean::passes_back == (frozen ? 0 : 1));
    }

    model<gru<3, 4>, cpu, double> rows{{}, {.seed = 1}};
    rows.forward(pack(random_sequences<double>({2}, 3, 1), 3));
    rows.backward({gradient.data(), 2, 4}, input_gradient::not_wanted);
    CHECK(rows.input_gradient().rows == 0);
    CHECK(rows.gradient("weight_ih_l0") != std::vector<double>(36));
}
