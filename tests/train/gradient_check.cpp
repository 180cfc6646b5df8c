#include "sequent/train/gradient_check.hpp"

#include <limits>

#include "catch.hpp"
#include "cell/coupled_lstm.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;

namespace {

std::vector<int> const lengths{3, 0, 5, 1};
std::vector<int> const topics{2, 0, 1, 2};

// Sequences of the given lengths, three features a step.
packed_sequence<double> features(std::vector<int> const& of) {
    random_stream const random{5, 1};
    std::uint64_t drawn = 0;
    std::vector<std::vector<double>> rows;
    for (int const length : of) {
        rows.emplace_back();
        for (int j = 0; j < 3 * length; ++j) rows.back().push_back(random.normal(drawn++));
    }
    return pack(rows, 3);
}

template <class Recurrent, int Width>
using topic_of_last = sequential<Recurrent, last_state, linear<Width, 3>>;

// A batch of unequal lengths, one of them zero, and a batch of one sequence.
template <class Recurrent, int Width>
void check_network() {
    model<topic_of_last<Recurrent, Width>, cpu, double> net({}, {.seed = 2});
    std::size_t numbers = 0;
    for (auto const& parameter : net.parameters()) numbers += parameter.size();
    for (bool const alone : {false, true}) {
        auto const result = alone ? gradient_check(net, features({4}), std::vector<int>{1}, cross_entropy{})
                                  : gradient_check(net, features(lengths), topics, cross_entropy{});
        INFO(result.parameter << " at " << result.place << ": " << result.analytic << " and " << result.numeric);
        CHECK(result.checked == numbers);
        CHECK(result.worst < 1e-6);
        CHECK(result.worst > 0);
    }
}

template <class Cell>
void check_cell() {
    check_network<Cell, Cell::hidden_size>();
}
template <class Cell>
void check_deep() {
    check_network<stacked<2, bidirectional<Cell>>, 2 * Cell::hidden_size>();
}

// An Elman cell that forgets the derivative of tanh.
struct forgetful : elman<3, 5> {
    template <int>
    using with_input = forgetful;
    template <class Math, class Number>
    SEQUENT_HD static void step_backward(numbers<Number, 1> const&, numbers<Number, 1> const&,
                                         numbers<Number, 1> const&, numbers<Number, 0> const&,
                                         numbers<Number, 1>& gradient, numbers<Number, 1>& x_gradient,
                                         numbers<Number, 1>& h_gradient, numbers<Number, 0>&) {
        x_gradient = h_gradient = gradient;
        gradient[0] = Number(0);
    }
};

}  // namespace

TEST_CASE("gradients of an LSTM are the differences", "[gradient_check]") {
    check_cell<lstm<3, 1>>();
    check_cell<lstm<3, 5>>();
}

TEST_CASE("gradients of a GRU are the differences", "[gradient_check]") {
    check_cell<gru<3, 1>>();
    check_cell<gru<3, 5>>();
    check_deep<gru<3, 5>>();
}

TEST_CASE("gradients of an Elman network are the differences", "[gradient_check]") {
    check_cell<elman<3, 1>>();
    check_cell<elman<3, 5>>();
    check_deep<elman<3, 5>>();
    check_cell<elman<3, 5, nonlinearity::relu>>();
}

TEST_CASE("gradients of a user's cell with parameters of its units are the differences", "[gradient_check]") {
    check_deep<sequent_tests::coupled_lstm<3, 5>>();
}

TEST_CASE("a gradient check of every step's output, of an embedding and of what is frozen", "[gradient_check]") {
    using network = sequential<named<"embedding", embedding<7, 3>>, dropout, named<"rnn", gru<3, 5>>>;
    network const description{{.rows = 7, .padding = 1}, {.probability = 0.5}, {}};
    model<network, cpu, double> net{description, {.seed = 2}};
    auto const before = net.values("embedding.weight");
    auto const batch = pack(std::vector<std::vector<int>>{{2, 1, 6}, {}, {3, 3, 1, 0}});
    std::vector<int> const targets{0, 4, 2, 1, -100, 3, 0};  // one per packed row
    cross_entropy const loss{.reduction = reduction::sum, .label_smoothing = 0.1};

    auto const all = gradient_check(net, batch, targets, loss);
    INFO(all.parameter << " at " << all.place << ": " << all.analytic << " and " << all.numeric);
    CHECK(all.worst < 1e-6);
    CHECK(all.checked == 6 * 3 + 15 * (3 + 5 + 2));  // not the padding row
    CHECK(net.values("embedding.weight") == before);
    CHECK(net.is_training());

    net.freeze("embedding");
    CHECK(gradient_check(net, batch, targets, loss).checked == 15 * (3 + 5 + 2));
    net.eval();
    CHECK(gradient_check(net, batch, targets, loss).worst < 1e-6);
    CHECK(!net.is_training());
}

TEST_CASE("a gradient check finds a wrong cell", "[gradient_check]") {
    model<topic_of_last<forgetful, 5>, cpu, double> net({}, {.seed = 2});
    auto const result = gradient_check(net, features(lengths), topics, cross_entropy{});
    CHECK(result.worst > 0.01);
    CHECK(result.parameter.starts_with("0."));
}

TEST_CASE("a gradient check finds NaN", "[gradient_check]") {
    model<topic_of_last<elman<3, 5>, 5>, cpu, double> net({}, {.seed = 2});
    auto const wrong = [](cpu const& device, matrix_view<double const> output, std::span<int const> targets,
                          matrix_view<double> gradient) {
        auto const result = cross_entropy{}(device, output, targets, gradient);
        gradient(0, 0) = std::numeric_limits<double>::quiet_NaN();
        return result;
    };
    CHECK(std::isnan(gradient_check(net, features(lengths), topics, wrong).worst));
}
