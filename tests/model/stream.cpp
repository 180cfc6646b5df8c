// Streaming a network: the bits of the whole sequence, states in and out, no allocation, no exception.
#include "sequent/model/stream.hpp"

#include <cstring>

#include "allocations.hpp"
#include "catch.hpp"
#include "cell/coupled_lstm.hpp"
#include "layer/random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;

namespace {
struct network : sequential<named<"embedding", embedding<dynamic, 12>>, named<"rnn", stacked<2, lstm<12, 20>>>,
                            last_state, dropout, named<"fc", linear<20, 5>>> {
    network() : sequential{{.rows = 30}, {.dropout = 0.5}, {}, {.probability = 0.5}, {}} {}
};
std::vector<int> const text = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
}  // namespace

TEST_CASE("stream: each token's output has the bits of the sequence up to it") {
    model<network, cpu> net{network{}, {.seed = 8}};
    stream reader(net);
    for (std::size_t n = 1; n <= text.size(); ++n) {
        auto const y = reader.step(text[n - 1]);
        REQUIRE(y.size() == 5);
        auto const whole = net.predict(
            pack(std::vector<std::vector<int>>{{text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n)}}));
        CHECK(std::memcmp(y.data(), whole.row(0), 5 * sizeof(float)) == 0);
    }
}

TEST_CASE("stream: states out, in and back to zero") {
    model<network, cpu> net{network{}, {.seed = 8}};
    stream reader(net), other(net);
    std::vector<float> first;
    for (int const id : text) first.assign(reader.step(id).begin(), reader.step(id).end());
    states<float> const saved = reader.get_states();
    CHECK(saved.entries.size() == 4);
    std::vector<float> const next(reader.step(7).begin(), reader.step(7).end());
    other.set_states(saved);
    (void)other.step(7);
    auto const again = other.step(7);
    CHECK(std::equal(next.begin(), next.end(), again.begin()));
    reader.restart();
    for (auto const& entry : reader.get_states().entries)
        for (float const value : entry.values) CHECK(value == 0);
    states<float> wrong = saved;
    wrong.batch = 2;
    CHECK_THROWS_WITH(other.set_states(wrong), Catch::Contains("batch size is 2"));
}

TEST_CASE("stream: features in, and what does not fit gives nothing") {
    model<gru<3, 6>, cpu, double> net{gru<3, 6>{}, {.seed = 2}};
    stream reader(net);
    std::vector<double> const x = {0.1, -0.2, 0.3};
    CHECK(reader.step(std::span<double const>(x)).size() == 6);
    CHECK(reader.step(std::span<double const>(x).first(2)).empty());
    static_assert(noexcept(reader.step(std::span<double const>(x))));
    model<network, cpu> tokens;
    stream words(tokens);
    CHECK(words.step(30).empty());
    CHECK(words.step(-1).empty());
}

TEST_CASE("stream: dropout first, which does not act") {
    model<sequential<dropout, lstm<3, 4>>, cpu> net{{}, {.seed = 2}};
    stream reader(net);
    std::vector<float> const x = {0.1f, -0.2f, 0.3f};
    auto const y = reader.step(std::span<float const>(x));
    REQUIRE(y.size() == 4);
    auto const whole = net.predict(pack(std::vector<std::vector<float>>{x}, 3));
    CHECK(std::memcmp(y.data(), whole.values.rows.row(0), 4 * sizeof(float)) == 0);
    CHECK(reader.step(std::span<float const>(x).first(2)).empty());
}

TEST_CASE("stream: a step takes no memory") {
    if (!sequent_tests::counts_allocations) SKIP_TEST("a sanitizer allocates");
    model<network, cpu> net{network{}, {.seed = 8}};
    stream reader(net);
    long const before = sequent_tests::allocations;
    for (int const id : text) (void)reader.step(id);
    reader.restart();
    CHECK(sequent_tests::allocations == before);
}

TEMPLATE_TEST_CASE(
    "stream: an Elman cell and a user's, with parameters of its units, have the bits of the whole sequence", "",
    (elman<2, 21>), (elman<2, 21, nonlinearity::relu>), (sequent_tests::coupled_lstm<2, 21>)) {
    model<TestType, cpu> net{{}, {.seed = 4}};
    stream reader(net);
    std::vector<float> const x = {0.5f, -1, 0.25f, 2, -0.75f, 0.1f};
    std::span<float const> last;
    for (std::size_t t = 0; t < 3; ++t) last = reader.step(std::span<float const>(x).subspan(2 * t, 2));
    auto const whole = net.predict(pack(std::vector<std::vector<float>>{x}, 2));
    REQUIRE(last.size() == 21);
    CHECK(std::memcmp(last.data(), whole.values.rows.row(2), 21 * sizeof(float)) == 0);
}

TEST_CASE("stream: few units in double have the bits of the whole sequence") {
    model<gru<3, 6>, cpu, double> net{gru<3, 6>{}, {.seed = 2}};
    stream reader(net);
    std::vector<double> const x = sequent_tests::random_values<double>(3 * 500, 3);
    auto const whole = net.predict(pack(std::vector<std::vector<double>>{x}, 3));
    for (int t = 0; t < 500; ++t) {
        auto const y = reader.step(std::span(x).subspan(3 * static_cast<std::size_t>(t), 3));
        REQUIRE(y.size() == 6);
        CHECK(std::memcmp(y.data(), whole.values.rows.row(t), 6 * sizeof(double)) == 0);
    }
}
