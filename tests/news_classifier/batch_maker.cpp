#include "batch_maker.hpp"

#include "catch.hpp"

using rows = std::vector<std::vector<int>>;

namespace {
sequent::encoded_text some_text() {
    sequent::encoded_text text;
    text.add(3, std::vector{5, 6});
    text.add(0, std::vector<int>{});
    text.add(2, std::vector{7, 8, 9});
    return text;
}
}  // namespace

TEST_CASE("a packed batch ends every row at its last word", "[batch_maker]") {
    news::batch_maker maker(news::lesson_rows::packed);
    maker.make(some_text(), std::vector{0, 1, 2});
    CHECK(unpack(maker.batch()) == rows{{5, 6}, {}, {7, 8, 9}});
    CHECK(std::vector<int>(maker.labels().begin(), maker.labels().end()) == std::vector{3, 0, 2});
    CHECK(maker.tokens() == 5);
}

TEST_CASE("a padded batch fills up with token 0 to its longest row", "[batch_maker]") {
    auto const text = some_text();
    news::batch_maker maker(news::lesson_rows::padded);
    maker.make(text, std::vector{0, 1, 2});
    CHECK(unpack(maker.batch()) == rows{{5, 6, 0}, {0, 0, 0}, {7, 8, 9}});
    CHECK(maker.tokens() == 5);
    maker.make(text, std::vector{1, 0});
    CHECK(unpack(maker.batch()) == rows{{0, 0}, {5, 6}});
    CHECK(maker.tokens() == 2);
    maker.make(text, std::vector{1});
    CHECK(unpack(maker.batch()) == rows{{}});
}
