#include "sequent/model/parameters.hpp"

#include "catch.hpp"
#include "io/helpers.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using sequent_tests::thrown;

namespace {
struct listed {
    std::vector<parameter_info> all;
    std::vector<parameter_info> const& parameters() const { return all; }
    int table(parameter_info const& one) const { return 100 + one.table; }
};
using visits = std::vector<std::vector<long long>>;
visits of(std::vector<parameter_info> const& parameters, step_counts const& counts) {
    visits found;
    listed const model{parameters};
    each_trainable(
        model, counts,
        [&](block_range const& range, long long count) {
            found.push_back({range.offset, static_cast<long long>(range.size), count});
        },
        [&](int table, std::size_t number, long long count) {
            found.push_back({table, static_cast<long long>(number), count});
        });
    return found;
}
}  // namespace

TEST_CASE("parameter_info: its size") {
    CHECK(parameter_info{"w", {3, 4}}.size() == 12);
    CHECK(parameter_info{"b", {7}}.size() == 7);
    CHECK(parameter_info{"large", {1 << 20, 1 << 20}}.size() == std::size_t{1} << 40);
}

TEST_CASE("each_trainable: neighbours of a count as one, and tables, but nothing that is frozen") {
    std::vector<parameter_info> parameters{{"a", {10}, 0}, {"b", {5}, 16}, {"table", {9, 9}, 0, 0}, {"c", {4}, 32}};
    CHECK(of(parameters, {7, 7, 5, 7}) == visits{{100, 0, 5}, {0, 36, 7}});
    CHECK(of(parameters, {7, 6, 7, 6}) == visits{{0, 10, 7}, {100, 0, 7}, {16, 20, 6}});
    CHECK(of(parameters, {7, 6, 7, 7}) == visits{{0, 10, 7}, {100, 0, 7}, {16, 5, 6}, {32, 4, 7}});
    parameters[1].frozen = true;
    CHECK(of(parameters, {7, 7, 7, 7}) == visits{{0, 10, 7}, {100, 0, 7}, {32, 4, 7}});
    parameters[0].frozen = parameters[2].frozen = true;
    CHECK(of(parameters, {7, 7, 7, 8}) == visits{{32, 4, 8}});
    parameters[3].frozen = true;
    CHECK(of(parameters, {7, 7, 7, 7}).empty());
    CHECK(of({}, {}).empty());
}

TEST_CASE("parameters: tensors fill the block one behind the other") {
    using network = sequential<embedding<9, 3>, stacked<2, bidirectional<lstm<3, 5>>>, last_state, linear<10, 4>>;
    model<network, cpu> net;
    std::ptrdiff_t end = 0;
    for (auto const& parameter : net.parameters()) {
        if (parameter.table >= 0) continue;
        INFO(parameter.name);
        CHECK(parameter.offset >= end);
        CHECK(parameter.offset % 16 == 0);
        end = parameter.offset + static_cast<std::ptrdiff_t>(parameter.size());
    }
    CHECK(static_cast<std::ptrdiff_t>(net.block_size()) >= end);
}

TEST_CASE("states: by name, in the user's order") {
    states<float> given{2, {{"h_l0", 3, {1, 2, 3, 4, 5, 6}}, {"c_l0", 3, std::vector<float>(6)}}};
    CHECK(given["h_l0"](1, 0) == 4);
    given["c_l0"](0, 2) = 7;
    states<float> const& constant = given;
    CHECK(constant["c_l0"](0, 2) == 7);
    CHECK(constant["h_l0"].rows == 2);
}

TEST_CASE("states: a name or a size that does not fit") {
    states<float> const given{2, {{"h_l0", 3, std::vector<float>(5)}, {"c_l0", 3, std::vector<float>(6)}}};
    CHECK(thrown<argument_error>([&] { (void)given["h"]; }) ==
          "sequent::states: no state is called 'h'; there are: h_l0, c_l0");
    CHECK(thrown<argument_error>([&] { (void)given["h_l0"]; }) ==
          "sequent::states: expected the size of state 'h_l0' to be [2, 3], got 5 values");
    CHECK(given["c_l0"].columns == 3);
}
