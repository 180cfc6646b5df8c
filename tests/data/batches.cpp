#include "sequent/data/batches.hpp"

#include "catch.hpp"

using sequent::batches;
using sequent::last_batch;
using sequent::row_order;
using rows = std::vector<int>;

namespace {

// What is left of the epoch.
std::vector<rows> rest(batches& data) {
    std::vector<rows> result;
    for (std::span<int const> const batch : data) result.emplace_back(batch.begin(), batch.end());
    return result;
}

rows flat(std::vector<rows> const& parts) {
    rows result;
    for (rows const& part : parts) result.insert(result.end(), part.begin(), part.end());
    return result;
}

}  // namespace

TEST_CASE("batches in order keep the last one or drop it", "[batches]") {
    batches keep(5, {.size = 2, .order = row_order::as_read});
    CHECK(keep.per_epoch() == 3);
    CHECK(rest(keep) == std::vector<rows>{{0, 1}, {2, 3}, {4}});
    CHECK(rest(keep).empty());
    CHECK(rest(keep.epoch(1)).size() == 3);

    batches drop(5, {.size = 2, .order = row_order::as_read, .last = last_batch::drop_if_short});
    CHECK(drop.per_epoch() == 2);
    CHECK(rest(drop) == std::vector<rows>{{0, 1}, {2, 3}});
    batches even(4, {.size = 2, .order = row_order::as_read, .last = last_batch::drop_if_short});
    CHECK(even.per_epoch() == 2);
    batches nothing(0);
    CHECK(nothing.per_epoch() == 0);
    CHECK(rest(nothing).empty());
}

TEST_CASE("an epoch is a permutation that its number and the seed determine", "[batches]") {
    batches data(100, {.size = 7, .seed = 5}), same(100, {.size = 9, .seed = 5}), other(100, {.size = 7, .seed = 6});
    rows const first = flat(rest(data.epoch(0))), second = flat(rest(data.epoch(1)));
    rows sorted = first;
    std::sort(sorted.begin(), sorted.end());
    rows all(100);
    std::iota(all.begin(), all.end(), 0);
    CHECK(sorted == all);
    CHECK(first != all);
    CHECK(first != second);
    CHECK(flat(rest(data.epoch(0))) == first);
    CHECK(flat(rest(same.epoch(0))) == first);
    CHECK(flat(rest(other.epoch(0))) != first);
}

TEST_CASE("the shuffle is the same on every machine", "[batches]") {
    batches data(8, {.size = 8, .seed = 1});
    CHECK(flat(rest(data)) == rows{3, 2, 0, 4, 1, 7, 5, 6});
}

TEST_CASE("limit takes rows after shuffling, exactly", "[batches]") {
    batches data(100, {.size = 16, .seed = 5, .limit = 40}), whole(100, {.size = 16, .seed = 5});
    rows expected = flat(rest(whole));
    expected.resize(40);
    CHECK(data.per_epoch() == 3);
    CHECK(flat(rest(data)) == expected);
}

TEST_CASE("an interrupted epoch resumes where it stopped", "[batches]") {
    batches data(50, {.size = 4, .seed = 9});
    sequent::batch_position saved;
    std::vector<rows> later;
    for (std::span<int const> const batch : data.epoch(3)) {
        if (saved.batch != 0) later.emplace_back(batch.begin(), batch.end());
        if (data.position().batch == 5) saved = data.position();
    }
    CHECK(saved == sequent::batch_position{.epoch = 3, .batch = 5});
    CHECK(later.size() == 8);
    batches resumed(50, {.size = 4, .seed = 9});
    resumed.seek(saved);
    CHECK(rest(resumed) == later);
    resumed.seek({.epoch = 3, .batch = 13});
    CHECK(rest(resumed).empty());
}

TEST_CASE("batches refuse what makes no sense", "[batches]") {
    CHECK_THROWS_WITH(batches(-1), "batches: -1 rows, size 16, limit 2147483647");
    CHECK_THROWS_AS(batches(5, {.size = 0}), sequent::argument_error);
    CHECK_THROWS_AS(batches(5, {.limit = -1}), sequent::argument_error);
    batches data(5, {.size = 2});
    CHECK_THROWS_WITH(data.seek({.batch = 4}), "batches: no batch 4 among 3");
    CHECK_THROWS_AS(data.seek({.batch = -1}), sequent::argument_error);
}

TEST_CASE("gather points at the rows of a batch", "[batches]") {
    sequent::encoded_text text;
    text.add(3, rows{7, 8});
    text.add(1, rows{});
    text.add(2, rows{9});
    std::vector<std::span<int const>> tokens(5);
    std::vector<int> labels(5);
    sequent::gather(text, rows{2, 0}, tokens, labels);
    REQUIRE(tokens.size() == 2);
    CHECK(rows(tokens[0].begin(), tokens[0].end()) == rows{9});
    CHECK(tokens[1].data() == text.all_tokens().data());
    CHECK(labels == std::vector{2, 3});
}
