#include "sequent/model/parameters.hpp"

#include "catch.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;

namespace {
std::vector<std::pair<std::ptrdiff_t, std::size_t>> ranges(std::vector<parameter_info> const& parameters) {
    std::vector<std::pair<std::ptrdiff_t, std::size_t>> found;
    for (block_range const& range : trainable_ranges(parameters)) found.emplace_back(range.offset, range.size);
    return found;
}
}  // namespace

TEST_CASE("parameter_info: its size") {
    CHECK(parameter_info{"w", {3, 4}}.size() == 12);
    CHECK(parameter_info{"b", {7}}.size() == 7);
    CHECK(parameter_info{"large", {1 << 20, 1 << 20}}.size() == std::size_t{1} << 40);
}

TEST_CASE("trainable_ranges: neighbours as one, tables and frozen tensors left out") {
    using list = std::vector<std::pair<std::ptrdiff_t, std::size_t>>;
    std::vector<parameter_info> parameters{{"a", {10}, 0}, {"b", {5}, 16}, {"table", {9, 9}, 0, 0}, {"c", {4}, 32}};
    CHECK(ranges(parameters) == list{{0, 36}});
    parameters[1].frozen = true;
    CHECK(ranges(parameters) == list{{0, 10}, {32, 4}});
    parameters[0].frozen = true;
    CHECK(ranges(parameters) == list{{32, 4}});
    parameters[3].frozen = true;
    CHECK(ranges(parameters).empty());
    CHECK(ranges({}).empty());
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
