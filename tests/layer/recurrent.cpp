#include "sequent/layer/recurrent.hpp"

#include "golden.hpp"
#include "layers.hpp"
#include "random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

constexpr int inputs = 3, hidden = 5;

// What one pass of a network makes, by sequence in the user's order, states too.
template <class T>
struct pass_result {
    std::vector<std::vector<T>> output, input_gradient;
    states<T> final, initial_gradient;
    std::vector<T> gradient;  // of all parameters, of this pass alone
};

// Input, states and cotangents of sequence i depend on i and its length alone, wherever in a batch it stands.
template <class T>
[[nodiscard]] states<T> states_of(states<T> zeros, std::vector<int> const& who, std::uint64_t seed) {
    for (auto& entry : zeros.entries) {
        ++seed;
        for (std::size_t i = 0; i < who.size(); ++i) {
            auto const row = random_values<T>(static_cast<std::size_t>(entry.width),
                                              1000 * seed + static_cast<std::uint64_t>(who[i]));
            std::copy(row.begin(), row.end(), entry.values.begin() + static_cast<std::ptrdiff_t>(i) * entry.width);
        }
    }
    return zeros;
}
template <class T>
[[nodiscard]] std::vector<T> gradient_of(any_network<T>& net) {
    std::vector<T> all;
    for (auto const& parameter : net.parameters()) {
        auto const values = net.gradient(parameter.name);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}
enum class from { zeros, given_states };
template <class T>
[[nodiscard]] auto run(any_network<T>& net, std::vector<int> const& lengths, std::vector<int> const& who, from start) {
    auto const of_each = [&](int width, std::uint64_t seed) {
        std::vector<std::vector<T>> all;
        for (int const i : who)
            all.push_back(random_values<T>(static_cast<std::size_t>(lengths[static_cast<std::size_t>(i)] * width),
                                           seed + static_cast<std::uint64_t>(i)));
        return pack(all, width);
    };
    auto const packed = of_each(net.inputs, 100);
    auto const by_sequence = [&](matrix_view<T const> rows) {
        return unpack(packed_sequence<T>{packed.shape, numbers_of(rows), rows.columns});
    };
    auto const zeros = net.zero_states(static_cast<int>(who.size())), given = states_of(zeros, who, 1);
    bool const is_given = start == from::given_states;
    pass_result<T> result;
    auto const output = (is_given ? net.predict(packed, given) : net.predict(packed));
    auto const cotangent = of_each(output.columns, 200);
    result.output = by_sequence(output);
    result.final = net.final_states();
    CHECK(same_bits(by_sequence(is_given ? net.forward(packed, given) : net.forward(packed)), result.output));
    CHECK(same_bits(net.final_states(), result.final));
    net.zero_gradients();
    net.backward(cotangent.rows(), states_of(zeros, who, 2));
    result.input_gradient = by_sequence(net.input_gradient());
    result.initial_gradient = net.initial_state_gradients();
    result.gradient = gradient_of(net);
    return result;
}

// The state rows of sequence i.
template <class T>
[[nodiscard]] states<T> row_of(states<T> const& all, std::size_t i) {
    states<T> one{1, {}};
    for (auto const& entry : all.entries) {
        auto const begin = entry.values.begin() + static_cast<std::ptrdiff_t>(i) * entry.width;
        one.entries.push_back({entry.name, entry.width, {begin, begin + entry.width}});
    }
    return one;
}

template <class T>
constexpr double rounding = std::is_same_v<T, double> ? 1e-14 : 1e-6;

// Batches of these lengths, from zeros and from given states.
template <class T>
void check_batches(any_network<T>& net, std::vector<std::vector<int>> const& batches) {
    for (from const start : {from::zeros, from::given_states})
        for (std::vector<int> const& lengths : batches) {
            INFO(net.name << ", batch of " << lengths.size() << ", first length " << lengths[0]
                          << (start == from::zeros ? " from zeros" : ""));
            std::vector<int> who(lengths.size()), shuffled;
            std::iota(who.begin(), who.end(), 0);
            auto const together = run<T>(net, lengths, who, start);

            std::vector<double> summed(together.gradient.size());
            for (std::size_t i = 0; i < who.size(); ++i) {
                INFO("sequence " << i);
                auto const alone = run<T>(net, lengths, {who[i]}, start);
                CHECK(same_bits(alone.output[0], together.output[i]));
                CHECK(same_bits(alone.final, row_of(together.final, i)));
                CHECK(largest_error(alone.input_gradient[0], together.input_gradient[i]) <= rounding<T>);
                auto const expected = row_of(together.initial_gradient, i);
                for (std::size_t k = 0; k < expected.entries.size(); ++k)
                    CHECK(largest_error(alone.initial_gradient.entries[k].values, expected.entries[k].values) <=
                          rounding<T>);
                for (std::size_t j = 0; j < summed.size(); ++j) summed[j] += static_cast<double>(alone.gradient[j]);
            }
            CHECK(largest_error(together.gradient, summed) <= 10 * rounding<T>);

            shuffled = who;
            shuffle(std::span(shuffled), {7, 7});
            auto const other = run<T>(net, lengths, shuffled, start);
            for (std::size_t i = 0; i < who.size(); ++i) {
                std::size_t const place = static_cast<std::size_t>(shuffled[i]);
                CHECK(same_bits(other.output[i], together.output[place]));
                CHECK(same_bits(row_of(other.final, i), row_of(together.final, place)));
            }
            CHECK(largest_error(other.gradient, together.gradient) <= 10 * rounding<T>);
        }
}

}  // namespace

TEMPLATE_TEST_CASE("recurrent: a batch is its sequences one by one, in any order, forward to the bit", "", double,
                   float) {
    for (auto const& net : networks<TestType, halves>(1))
        check_batches(*net, {{4, 7, 0, 1, 4, 9, 7, 7, 7, 2}, {5}, {1}, {1, 1, 1}, {6, 6, 6, 6}, {0, 3}});
}

TEST_CASE("recurrent: so are batches of wide layers, of several registers of units and a part of one") {
    passes_of_network<recurrent<lstm<20, 72>>, float> a(1);
    passes_of_network<bidirectional<gru<33, 40>>, float> b(1);
    for (any_network<float>* net : {static_cast<any_network<float>*>(&a), static_cast<any_network<float>*>(&b)})
        check_batches(*net, {{4, 7, 0, 1, 4, 9, 7, 7, 7, 2}, {6, 6, 6}});
}

TEMPLATE_TEST_CASE("recurrent: sequences of no steps hand their states on", "", double, float) {
    using T = TestType;
    for (auto const& each : networks<T, halves>(1))
        for (std::vector<int> const& lengths : {std::vector<int>{0, 3, 0}, std::vector<int>{0, 0}}) {
            any_network<T>& net = *each;
            INFO(net.name << ", batch of " << lengths.size());
            auto const input = pack(random_sequences<T>(lengths, net.inputs, 1), net.inputs);
            int const batch = input.shape.batch();
            auto initial = net.zero_states(batch), final_gradient = initial;
            randomise(initial, 10), randomise(final_gradient, 20);
            net.forward(input, initial);
            auto const final = net.final_states();
            net.zero_gradients();
            net.backward({}, final_gradient);
            auto const gradient = net.initial_state_gradients();
            for (std::size_t i = 0; i < lengths.size(); ++i) {
                if (lengths[i] > 0) continue;
                CHECK(same_bits(row_of(final, i), row_of(initial, i)));
                CHECK(same_bits(row_of(gradient, i), row_of(final_gradient, i)));
            }
            if (input.shape.rows() == 0)
                for (auto const& parameter : net.parameters())
                    CHECK(net.gradient(parameter.name) == std::vector<T>(parameter.size()));

            net.forward(input);  // from zeros, whatever was there before
            auto const from_zero = net.final_states();
            CHECK(same_bits(row_of(from_zero, 0), row_of(net.zero_states(batch), 0)));
        }
}

TEMPLATE_TEST_CASE("recurrent: gradients of several batches add up, and a run repeats to the bit", "", double, float) {
    using T = TestType;
    using network = any_network<T>;
    auto const cotangent = random_values<T>(13 * 2 * hidden, 3);
    auto const table = networks<T, halves>(1), again = networks<T, halves>(1);
    for (std::size_t k = 0; k < table.size(); ++k) {
        INFO(table[k]->name);
        int const width = table[k]->inputs;
        auto const first = pack(random_sequences<T>({3, 5}, width, 1), width),
                   second = pack(random_sequences<T>({2, 4, 1, 6}, width, 2), width);
        auto const gradients_of = [&](network& net, std::vector<packed_sequence<T> const*> const& batches) {
            net.zero_gradients();
            for (auto const* batch : batches) {
                auto const output = net.forward(*batch);
                net.backward({cotangent.data(), output.rows, output.columns});
            }
            return gradient_of(net);
        };
        auto const a = gradients_of(*table[k], {&first}), b = gradients_of(*table[k], {&second}),
                   both = gradients_of(*table[k], {&first, &second});
        std::vector<double> sum(a.begin(), a.end());
        for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(b[j]);
        CHECK(largest_error(both, sum) <= rounding<T>);
        CHECK(same_bits(gradients_of(*again[k], {&first, &second}), both));
    }
}

TEST_CASE("recurrent: a bidirectional layer is one in each direction, and reversed reads backwards") {
    using cell = gru<inputs, hidden>;
    model<bidirectional<cell>, cpu, double> both{{}, {.seed = 4}};
    model<recurrent<cell>, cpu, double> forwards;
    model<reversed<cell>, cpu, double> backwards;
    for (std::string const stem : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}) {
        forwards.assign(stem, both.values(stem));
        backwards.assign(stem + "_reverse", both.values(stem + "_reverse"));
    }
    auto const sequences = random_sequences<double>({3, 6, 0, 1, 6}, inputs, 5);
    auto const input = pack(sequences, inputs);
    auto const cotangent = random_values<double>(16 * 2 * hidden, 6);
    matrix_view<double const> const d_output(cotangent.data(), 16, 2 * hidden);

    auto const output = both.forward(input).values.rows;
    CHECK(same_bits(numbers_of(forwards.forward(input).values.rows), numbers_of(output.column_block(0, hidden))));
    CHECK(same_bits(numbers_of(backwards.forward(input).values.rows), numbers_of(output.column_block(hidden, hidden))));
    CHECK(both.final_states()["h_l0"](1, 2) == forwards.final_states()["h_l0"](1, 2));
    CHECK(both.final_states()["h_l0_reverse"](1, 2) == backwards.final_states()["h_l0_reverse"](1, 2));

    both.backward(d_output);
    forwards.backward(d_output.column_block(0, hidden));
    backwards.backward(d_output.column_block(hidden, hidden));
    auto sum = numbers_of(forwards.input_gradient()), reverse_part = numbers_of(backwards.input_gradient());
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += reverse_part[j];
    CHECK(largest_error(numbers_of(both.input_gradient()), sum) <= 1e-14);
    CHECK(same_bits(both.gradient("weight_hh_l0"), forwards.gradient("weight_hh_l0")));
    CHECK(same_bits(both.gradient("weight_hh_l0_reverse"), backwards.gradient("weight_hh_l0_reverse")));

    // Backwards over the sequences = forwards over the sequences turned round.
    auto turned = sequences;
    auto const turn = [](std::vector<double>& rows, int width) {
        for (std::size_t a = 0, b = rows.size(); b > a + static_cast<std::size_t>(width);
             a += static_cast<std::size_t>(width)) {
            b -= static_cast<std::size_t>(width);
            std::swap_ranges(rows.begin() + static_cast<std::ptrdiff_t>(a),
                             rows.begin() + static_cast<std::ptrdiff_t>(a) + width,
                             rows.begin() + static_cast<std::ptrdiff_t>(b));
        }
    };
    for (auto& sequence : turned) turn(sequence, inputs);
    for (std::string const stem : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"})
        forwards.assign(stem, both.values(stem + "_reverse"));
    auto expected = unpack(
        packed_sequence<double>{input.shape, numbers_of(forwards.forward(pack(turned, inputs)).values.rows), hidden});
    for (auto& sequence : expected) turn(sequence, hidden);
    CHECK(
        same_bits(unpack(packed_sequence<double>{input.shape, numbers_of(output.column_block(hidden, hidden)), hidden}),
                  expected));
}

TEST_CASE("recurrent: parameters and states have PyTorch's names, shapes, order and distribution") {
    model<bidirectional<lstm<inputs, hidden>>, cpu> net{{}, {.seed = 1}};
    std::vector<std::string> names;
    std::vector<std::vector<int>> shapes;
    for (auto const& parameter : net.parameters()) {
        names.push_back(parameter.name), shapes.push_back(parameter.shape);
        for (float const value : net.values(parameter)) CHECK(std::abs(value) <= 1 / std::sqrt(5.f));
    }
    CHECK(names == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                                            "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse",
                                            "bias_hh_l0_reverse"});
    CHECK(shapes == std::vector<std::vector<int>>{{20, 3}, {20, 5}, {20}, {20}, {20, 3}, {20, 5}, {20}, {20}});
    auto const zero = net.zero_states(2);
    std::vector<std::string> state_names;
    for (auto const& entry : zero.entries) state_names.push_back(entry.name);
    CHECK(state_names == std::vector<std::string>{"h_l0", "c_l0", "h_l0_reverse", "c_l0_reverse"});
    CHECK(zero.entries[3].values == std::vector<float>(10));
}
