#include "sequent/train/clip_norm.hpp"

#include <limits>

#include "golden.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// 6 rows of a table, a bias and a weight: 12, 4 and 8 numbers, as many as the golden tensors a, b and c.
using network = sequential<named<"a", embedding<6, 2>>, named<"bc", linear<2, 4>>>;
using net_type = model<network, cpu, double>;

net_type make_net() { return net_type{network{{.rows = 6}, {}}}; }

// Numbers that are not given are zero. The rows come in no order.
void give_gradients(net_type& net, std::vector<double> a, std::vector<double> const& b, std::vector<double> const& c) {
    a.resize(12);
    net.zero_gradients();
    std::vector<int> const rows{4, 1, 5, 0, 3, 2};
    std::vector<double> gradient;
    for (int const row : rows) gradient.insert(gradient.end(), a.data() + row * 2, a.data() + row * 2 + 2);
    net.each_table(
        [&](auto& table) { table.add_gradient(net.device(), rows, matrix_view<double const>(gradient.data(), 6, 2)); });
    for (auto const& parameter : net.parameters()) {
        auto const& from = parameter.name == "bc.bias" ? b : c;
        if (parameter.table < 0) std::copy(from.begin(), from.end(), net.gradient_block() + parameter.offset);
    }
}

// A model with as many numbers as no test has room for, on a device that counts them.
struct counting {};
double sum_of_squares(counting, float const*, std::size_t size) { return static_cast<double>(size); }
struct wide_model {
    std::vector<parameter_info> all{{.name = "weight", .shape = {65536, 65536}},
                                    {.name = "bias", .shape = {65536}},
                                    {.name = "scale", .shape = {}}};  // a single number
    [[nodiscard]] auto const& parameters() const { return all; }
    struct table_type {
        [[nodiscard]] static matrix_view<float> gradient_rows() { return {}; }
        [[nodiscard]] static double sum_of_squared_gradients(counting) { return 0; }
    };
    [[nodiscard]] static table_type table(parameter_info const&) { return {}; }  // there is none
    [[nodiscard]] static float* gradient_block() { return nullptr; }
    [[nodiscard]] static counting device() { return {}; }
};

}  // namespace

TEST_CASE("the norm counts all numbers of a tensor of more than 2^31, and a single one", "[clip_norm]") {
    wide_model net;
    CHECK(gradient_norm(net) == std::sqrt(0x1p32 + 65536 + 1));
}

TEST_CASE("clip_norm is PyTorch's clip_grad_norm_", "[clip_norm]") {
    golden const file("clip");
    for (std::string const& name : file.words("cases")) {
        INFO(name);
        auto const tensor = [&](std::string const& when, std::string const& which) {
            std::string const path = name + "/" + when + "/" + which;
            return file.contains(path) ? file.values(path) : std::vector<double>{};
        };
        auto net = make_net();
        give_gradients(net, tensor("before", "a"), tensor("before", "b"), tensor("before", "c"));
        double const norm = file.number(name + "/norm");
        CHECK(std::abs(gradient_norm(net) - norm) <= 1e-15 * norm);
        CHECK(std::abs(clip_norm(net, file.number(name + "/max_norm")) - norm) <= 1e-15 * norm);
        for (auto const& [ours, theirs] : {std::pair{"a.weight", "a"}, {"bc.bias", "b"}, {"bc.weight", "c"}}) {
            auto expected = tensor("after", theirs), now = net.gradient(ours);
            expected.resize(now.size());
            CHECK(largest_error(now, expected) <= 1e-15);
        }
    }
}

TEST_CASE("the norm does not depend on the order in which rows were touched", "[clip_norm]") {
    auto forwards = make_net(), backwards = make_net();
    std::vector<double> gradient;
    for (int j = 0; j < 12; ++j) gradient.push_back(std::pow(10.0, -j) / 3);
    auto const give = [&](net_type& net, int row) {
        net.each_table([&](auto& table) {
            table.add_gradient(net.device(), std::vector<int>{row},
                               matrix_view<double const>(gradient.data() + row * 2, 1, 2));
        });
    };
    for (int row = 0; row < 6; ++row) give(forwards, row), give(backwards, 5 - row);
    CHECK(gradient_norm(forwards) == gradient_norm(backwards));
}

TEST_CASE("clip_norm leaves frozen parameters out", "[clip_norm]") {
    auto net = make_net();
    give_gradients(net, {3, 0, 0, 4}, {1, 2, 2, 0}, {12});
    CHECK(gradient_norm(net) == std::sqrt(25.0 + 9 + 144));
    net.freeze("bc.");
    CHECK(gradient_norm(net) == 5);
    CHECK(clip_norm(net, 2.5) == 5);
    CHECK(net.gradient("bc.bias") == std::vector<double>{1, 2, 2, 0});
    CHECK(std::abs(gradient_norm(net) - 2.5) < 1e-6);
    net.freeze("a");
    CHECK(gradient_norm(net) == 0);
    net.unfreeze("bc.bias");
    CHECK(gradient_norm(net) == 3);
}

TEST_CASE("clip_norm of gradients that are not finite", "[clip_norm]") {
    double const infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    auto net = make_net();
    give_gradients(net, {1, 2}, {3, nan}, {4});
    CHECK(non_finite_gradient(net) == "bc.bias");
    CHECK_THROWS_AS(clip_norm(net, 1, if_non_finite::error), numeric_error);
    CHECK_THROWS_WITH(clip_norm(net, 1, if_non_finite::error),
                      "sequent::clip_norm: the norm of the gradients is nan, first in 'bc.bias'");
    CHECK(net.gradient("bc.bias")[0] == 3);
    CHECK(std::isnan(clip_norm(net, 1)));
    for (double const value : net.gradient("a.weight")) CHECK(std::isnan(value));

    give_gradients(net, {1, 2, infinity}, {3}, {4});
    CHECK(non_finite_gradient(net) == "a.weight");
    CHECK(clip_norm(net, 1) == infinity);
    CHECK(net.gradient("bc.bias")[0] == 0);
    CHECK(std::isnan(net.gradient("a.weight")[2]));

    give_gradients(net, {1}, {}, {});
    CHECK(non_finite_gradient(net).empty());
    CHECK(clip_norm(net, 1, if_non_finite::error) == 1);
    CHECK(clip_norm(net, infinity) < 1);
    CHECK_THROWS_AS(clip_norm(net, -1), argument_error);
    CHECK_THROWS_AS(clip_norm(net, nan), argument_error);
}
