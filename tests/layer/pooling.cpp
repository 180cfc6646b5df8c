#include "sequent/layer/pooling.hpp"

#include "golden.hpp"
#include "io/helpers.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

using words = std::vector<std::vector<int>>;

// The pooling of the fixture's batch and its gradients. `last`: the rows of each sequence's last step, sorted.
// lengths: the fixture's, or others.
template <class Pool>
void check_fixture(std::string const& name, std::vector<int> lengths = {}) {
    golden const file("pooling");
    if (lengths.empty()) lengths = file.values<int>("lengths");
    auto const pack = [&](std::string const& tensor) {
        auto const values = file.values(tensor);
        return pack_padded(values.data(), 4, 5, 3, lengths);
    };
    auto const input = pack("input");
    std::vector<double> last;
    for (int i = 0; i < 4; ++i) {
        double const* const row =
            input.rows().row(input.shape.row(input.shape.lengths()[static_cast<std::size_t>(i)] - 1, i));
        last.insert(last.end(), row, row + 3);
    }
    cpu const device;
    pass<cpu> const now{device};
    typename Pool::template memory<cpu, double> memory;
    sequence_flow<cpu, double> const flow{&input.shape, {input.rows(), {}}, {last.data(), 4, 3}};
    auto const output = Pool{}.forward(now, static_cast<double const*>(nullptr), memory, flow);
    CHECK(largest_error(numbers_of(output.values), file.values(name + "/output")) < 1e-15);
    CHECK(Pool{}.template output_view<cpu, double>(memory, flow).values.data == output.values.data);

    auto const d_output = file.values(name + "/d_output");
    rows_gradient<double> const gradient{{d_output.data(), 4, 3}};
    auto const d_input = Pool{}.backward(now, static_cast<double const*>(nullptr), static_cast<double*>(nullptr),
                                         memory, flow, gradient, input_gradient::wanted);
    std::vector<double> d_rows(input.values.size());
    if (!d_input.values.empty()) d_rows = numbers_of(d_input.values);
    if (!d_input.last.empty())
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 3; ++k)
                d_rows[static_cast<std::size_t>(
                    input.shape.row(input.shape.lengths()[static_cast<std::size_t>(i)] - 1, i) * 3 + k)] +=
                    d_input.last(i, k);
    CHECK(largest_error(d_rows, pack(name + "/d_input").values) < 1e-15);
}

}  // namespace

TEST_CASE("pooling: last, mean and maximum over the valid steps, as in PyTorch") {
    check_fixture<last_state>("last");
    check_fixture<mean_state>("mean");
    check_fixture<max_state>("max");
}

TEMPLATE_TEST_CASE("pooling: gradients through words that occur more than once, and empty sequences", "", mean_state,
                   max_state) {
    using network = sequential<embedding<6, 3>, TestType>;
    model<network, cpu, double> net{network{}, {.seed = 1}};
    auto const text = pack(words{{2, 5, 2}, {}, {5, 4, 0, 2}});
    std::vector<int> const targets{1, 0, 2};
    auto const result = gradient_check(net, text, targets, cross_entropy{});
    CHECK(result.worst < 1e-6);
    CHECK(result.checked == 18);
    auto const output = net.predict(text);
    CHECK((output(1, 0) == 0 && output(1, 1) == 0 && output(1, 2) == 0));
}

TEST_CASE("last_state: of a bidirectional layer, forward's last step beside reverse's first") {
    using network = sequential<named<"rnn", bidirectional<gru<3, 2>>>, last_state>;
    model<network, cpu, double> net{network{}, {.seed = 1}};
    auto const input = pack(random_sequences<double>({2, 0, 4}, 3, 1), 3);
    auto initial = net.zero_states(3);
    randomise(initial, 5);
    auto const output = numbers_of(net.forward(input, initial));
    auto const final = net.final_states();
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 2; ++k) {
            std::size_t const at = static_cast<std::size_t>(i * 4 + k);
            CHECK(output[at] == final["rnn.h_l0"](i, k));
            CHECK(output[at + 2] == final["rnn.h_l0_reverse"](i, k));
        }
    CHECK(output[4] == initial["rnn.h_l0"](1, 0));  // no steps: the initial state
    CHECK(output[6] == initial["rnn.h_l0_reverse"](1, 0));

    // A gradient that comes through the pooling and one of the final state are the same thing, and add up.
    auto const d_output = random_values<double>(12, 2);
    auto d_final = net.zero_states(3);
    net.backward({d_output.data(), 3, 4});
    auto const through = net.gradient("rnn.weight_hh_l0"), d_input = numbers_of(net.input_gradient());
    for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 2; ++k) {
            d_final["rnn.h_l0"](i, k) = d_output[static_cast<std::size_t>(i * 4 + k)];
            d_final["rnn.h_l0_reverse"](i, k) = d_output[static_cast<std::size_t>(i * 4 + 2 + k)];
        }
    net.zero_gradients();
    std::vector<double> const none(12);
    net.backward({none.data(), 3, 4}, d_final);
    CHECK(largest_error(net.gradient("rnn.weight_hh_l0"), through) < 1e-15);
    net.zero_gradients();
    net.backward({d_output.data(), 3, 4}, d_final);
    auto twice = d_input;
    for (double& x : twice) x *= 2;
    CHECK(largest_error(numbers_of(net.input_gradient()), twice) < 1e-15);
}

TEST_CASE("last_state: needs a layer with a final state before it") {
    using network = sequential<embedding<6, 3>, last_state>;
    model<network, cpu> net{network{}};
    CHECK(thrown<argument_error>([&] {
              net.forward(pack(words{{1, 2}}));
          }) == "sequent::last_state: the layer before has no final state; put it behind a recurrent layer");
}

TEST_CASE("pooling: with padding packed as tokens, mean_state is the mean over padded steps") {
    check_fixture<mean_state>("padded_mean", {5, 5, 5, 5});
    std::vector<std::vector<double>> const sequences{{1, 2, 3, 4}, {5, 6}};  // two features
    auto padded = sequences;
    padded[1].resize(4, 0.0);  // PyTorch: x.mean(dim=1) of [[1, 2], [3, 4]] and [[5, 6], [0, 0]]
    auto const mean_of = [](auto const& batch) {
        cpu const device;
        mean_state::memory<cpu, double> memory;
        sequence_flow<cpu, double> const flow{&batch.shape, {batch.rows(), {}}, {}};
        return numbers_of(
            mean_state{}.forward(pass<cpu>{device}, static_cast<double const*>(nullptr), memory, flow).values);
    };
    CHECK(mean_of(sequent::pack(padded, 2)) == std::vector<double>{2, 3, 2.5, 3});
    CHECK(mean_of(sequent::pack(sequences, 2)) == std::vector<double>{2, 3, 5, 6});
}
