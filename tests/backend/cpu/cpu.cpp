#include "sequent/backend/cpu/cpu.hpp"

#include "cell/coupled_lstm.hpp"
#include "golden.hpp"
#include "layer/random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// A network, and how many times as long as here its sequences are: so that each of its operations is worth waking a
// thread for (for_pieces), and its units fill more than one piece.
template <class Network, int Longer>
struct shared_work {
    using network = Network;
    static constexpr int longer = Longer;
};

// One pass forward and back.
template <class Work>
std::vector<float> run(std::shared_ptr<executor> threads) {
    model<typename Work::network, cpu> net{{}, {.seed = 1, .device = {std::move(threads)}}};
    std::vector<int> lengths;
    for (int i = 0; i < 37; ++i) lengths.push_back(i * 7 % 31 * Work::longer);
    auto const input = pack(random_sequences<float>(lengths, 40, 1), 40);
    auto all = numbers_of(net.forward(input).values.rows);
    auto const gradient = random_values<float>(all.size(), 2);
    net.backward({gradient.data(), input.shape.rows(), static_cast<int>(all.size()) / input.shape.rows()});
    auto const d_input = numbers_of(net.input_gradient());
    all.insert(all.end(), d_input.begin(), d_input.end());
    all.insert(all.end(), net.gradient_block(), net.gradient_block() + net.block_size());
    return all;
}

// Every second piece on a thread of its own, the last ones first.
struct counting_executor : executor {
    int calls = 0;
    void run(int pieces, piece_function f) override {
        ++calls;
        auto const every_second = [&](int last) {
            for (int piece = last; piece >= 0; piece -= 2) f(piece);
        };
        std::thread other([&] { every_second(pieces - 2); });
        every_second(pieces - 1);
        other.join();
    }
};

}  // namespace

TEMPLATE_TEST_CASE("cpu: the same bits without threads and with any number of them", "",
                   (shared_work<bidirectional<lstm<40, 72>>, 1>), (shared_work<recurrent<gru<40, 100>>, 2>),
                   (shared_work<recurrent<elman<40, 272>>, 2>), (shared_work<recurrent<coupled_lstm<40, 100>>, 2>)) {
    auto const alone = run<TestType>(nullptr);
    for (int const threads : {1, 2, 3, 8})
        CHECK(same_bits(run<TestType>(std::make_shared<thread_pool>(threads)), alone));
    auto const own = std::make_shared<counting_executor>();
    CHECK(same_bits(run<TestType>(own), alone));
    CHECK(own->calls == 5);  // input products and steps, steps back, gradients of weights and of inputs: all were cut
}

TEST_CASE("cpu: as many rows as an int counts are cut into ranges") {
    std::vector<recurrent_run<gru<3, 4>, cpu, float>> const runs(1);
    constexpr int most = std::numeric_limits<int>::max();
    std::vector<int> ends;
    for (int const size : {most, most - 1})
        for_ranges(nullptr, std::span(runs), most, size, 1, [&](int, int last, auto const&) { ends.push_back(last); });
    CHECK(ends == std::vector{most, most - 1, most});
}

TEMPLATE_TEST_CASE("cpu_with: other activations change the numbers by their errors", "", (bidirectional<lstm<5, 9>>),
                   (recurrent<gru<5, 20>>), (recurrent<elman<5, 3>>)) {
    auto const input = pack(random_sequences<float>({4, 7, 0, 2}, 5, 1), 5);
    auto const outputs = [&]<class Device>(Device const& device) {
        model<TestType, Device> net{TestType{}, {.seed = 3, .device = device}};
        auto all = numbers_of(net.forward(input).values.rows);
        auto const gradient = random_values<float>(all.size(), 2);
        net.backward({gradient.data(), input.shape.rows(), TestType::features});
        all.insert(all.end(), net.gradient_block(), net.gradient_block() + net.block_size());
        return std::vector<double>(all.begin(), all.end());
    };
    auto const usual = outputs(cpu{}), precise_ones = outputs(cpu_with<precise>{}),
               fast_ones = outputs(cpu_with<fast>{});
    CHECK(largest_error(precise_ones, usual) < 3e-6);
    CHECK(largest_error(fast_ones, usual) < 1e-3);
    CHECK(fast_ones != usual);
    auto const threads = std::make_shared<thread_pool>(2);
    CHECK(outputs(cpu_with<fast>{{.threads = threads}}) == fast_ones);
}

TEST_CASE("cpu_with: precise relu is relu") {
    auto const input = pack(random_sequences<double>({3, 5}, 2, 1), 2);
    model<elman<2, 6, nonlinearity::relu>, cpu_with<precise>, double> a{{}, {.seed = 1}};
    model<elman<2, 6, nonlinearity::relu>, cpu, double> b{{}, {.seed = 1}};
    CHECK(numbers_of(a.predict(input).values.rows) == numbers_of(b.predict(input).values.rows));
}

TEST_CASE("cpu: operations on rows and blocks") {
    cpu const device;
    std::vector<double> const from{1, 2, 3, 4};
    std::vector<double> to{10, 20, 30, 40, 50, 60};
    matrix_view<double const> const a(from.data(), 2, 2);
    matrix_view<double> const b(to.data(), 2, 2, 3);
    add_rows(device, a, b);
    CHECK(to == std::vector<double>{11, 22, 30, 43, 54, 60});
    copy_rows(device, a, b);
    CHECK(to == std::vector<double>{1, 2, 30, 3, 4, 60});
    scale(device, to.data(), 3, 2.0);
    CHECK(to == std::vector<double>{2, 4, 60, 3, 4, 60});
    fill(device, to.data(), 2, 7.0);
    CHECK(to == std::vector<double>{7, 7, 60, 3, 4, 60});
    CHECK(sum_of_squares(device, to.data(), 2) == 98);
    copy_to_host(device, from.data(), 4, to.data());
    copy_from_host(device, from.data(), 1, to.data() + 5);
    CHECK(to == std::vector<double>{1, 2, 3, 4, 4, 1});
}

TEST_CASE("cpu: an affine map and its gradients") {
    cpu const device;
    auto const x = random_values<double>(4 * 3, 1), weight = random_values<double>(2 * 3, 2),
               bias = random_values<double>(2, 3), d_y = random_values<double>(4 * 2, 4);
    std::vector<double> y(8), d_x(12), d_weight(6, 1), d_bias(2, 1), expected_d_x(12), expected_d_weight(6, 1),
        expected_d_bias(2, 1);
    matrix_view<double const> const W(weight.data(), 2, 3), X(x.data(), 4, 3), D(d_y.data(), 4, 2);
    affine(device, X, W, bias.data(), matrix_view<double>(y.data(), 4, 2));
    affine_backward_input(device, D, W, matrix_view<double>(d_x.data(), 4, 3));
    affine_backward_weight(device, D, X, matrix_view<double>(d_weight.data(), 2, 3), d_bias.data());
    affine_backward_weight(device, D, X, matrix_view<double>(d_weight.data(), 2, 3), static_cast<double*>(nullptr));
    for (int r = 0; r < 4; ++r)
        for (int o = 0; o < 2; ++o) {
            double sum = bias[static_cast<std::size_t>(o)];
            for (int k = 0; k < 3; ++k) {
                sum += X(r, k) * W(o, k);
                expected_d_x[static_cast<std::size_t>(r * 3 + k)] += D(r, o) * W(o, k);
                expected_d_weight[static_cast<std::size_t>(o * 3 + k)] += 2 * D(r, o) * X(r, k);  // both calls add
            }
            expected_d_bias[static_cast<std::size_t>(o)] += D(r, o);
            CHECK(y[static_cast<std::size_t>(r * 2 + o)] == Approx(sum).epsilon(1e-14));
        }
    CHECK(largest_error(d_x, expected_d_x) < 1e-15);
    CHECK(largest_error(d_weight, expected_d_weight) < 1e-15);
    CHECK(largest_error(d_bias, expected_d_bias) < 1e-15);
}
