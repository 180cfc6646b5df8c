#include "sampling.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "catch.hpp"

using namespace news;

namespace {

// A "network" whose likeliest character is the one after what it read, in a b c ... and, behind c, the mark.
struct counting_stream {
    std::array<float, 5> logits{};
    int read = 0;
    std::span<float const> step(int id) {
        ++read;
        logits.fill(0);
        logits[static_cast<std::size_t>(id == 4 ? end_mark : id + 1)] = 1;
        return logits;
    }
};
sequent::vocabulary const abc(std::vector<std::string>{"<unk>", "<pad>", "a", "b", "c"});
int greedy(std::span<float const> logits, int) { return most_likely(logits); }

}  // namespace

TEST_CASE("drawing follows the probabilities at any temperature", "[sampling]") {
    std::array<float, 3> const logits = {0.0f, std::log(3.0f), std::log(6.0f)};
    for (double const temperature : {0.5, 1.0, 2.0}) {
        std::array<double, 3> share{};
        double sum = 0;
        for (double const weight : {1.0, 3.0, 6.0}) sum += std::pow(weight, 1 / temperature);
        constexpr int draws = 10000;
        for (int n = 0; n < draws; ++n)
            share[static_cast<std::size_t>(drawn(logits, temperature, (n + 0.5) / draws))] += 1.0 / draws;
        INFO("temperature " << temperature);
        CHECK(share[0] == Approx(1 / sum).margin(2e-4));
        CHECK(share[1] == Approx(std::pow(3, 1 / temperature) / sum).margin(2e-4));
    }
}

TEST_CASE("drawing survives large logits and tiny temperatures, where it is greedy", "[sampling]") {
    std::array<float, 4> const large = {-300.0f, -88.0f, 300.0f, 299.0f};
    for (double const temperature : {0.3, 1e-3, 1e-300})
        for (double const uniform : {0.0, 0.3, 0.9}) CHECK(drawn(large, temperature, uniform) == 2);
    CHECK(drawn(large, 1e9, 0.0) == 0);
    CHECK(drawn(large, 1e9, std::nextafter(1.0, 0.0)) == 3);
    std::array<float, 2> const equal = {1.0f, 1.0f};
    CHECK(most_likely(equal) == 0);
}

TEST_CASE("a sample continues its start until the mark or its length", "[sampling]") {
    counting_stream stream;
    CHECK(continue_text(stream, abc, "a", 10, characters::ends::plain, greedy) == "abc");
    CHECK(stream.read == 3);
    CHECK(continue_text(stream, abc, "a", 1, characters::ends::marked, greedy) == "ab");
    CHECK(continue_text(stream, abc, "", 10, characters::ends::marked, greedy) == "abc");
    CHECK(continue_text(stream, abc, "", 10, characters::ends::plain, greedy).empty());
    CHECK(continue_text(stream, abc, "z", 10, characters::ends::plain, [](auto, int) { return unknown_character; }) ==
          "z??????????");
}
