#include "corpus.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "catch.hpp"
#include "sequent/text/tokenizer.hpp"
#include "text/basic_english_rules.hpp"

namespace {

using lines = std::vector<sequent::labelled_text>;

std::array<int, 4> count_topics(lines const& text) {
    std::array<int, 4> counts{};
    for (auto const& line : text) ++counts.at(static_cast<std::size_t>(line.label));
    return counts;
}

std::vector<std::string> bag_of_words(std::string const& text) {
    auto words = sequent_tests::tokens_of(sequent::basic_english(), text);
    std::sort(words.begin(), words.end());
    return words;
}

bool same(lines const& a, lines const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](auto const& x, auto const& y) { return x.label == y.label && x.text == y.text; });
}

}  // namespace

TEST_CASE("the made-up corpus has as many lines of each topic", "[corpus]") {
    auto const corpus = news::make_up_corpus(2400, 250);
    CHECK(count_topics(corpus.train) == std::array{600, 600, 600, 600});
    CHECK(corpus.test.size() == 264);  // whole blocks
    CHECK(count_topics(corpus.test) == std::array{66, 66, 66, 66});
}

TEST_CASE("the made-up corpus is the same every time and on every machine", "[corpus]") {
    auto const corpus = news::make_up_corpus(2400, 240), again = news::make_up_corpus(2400, 240);
    CHECK(same(corpus.train, again.train));
    CHECK(same(corpus.test, again.test));
    CHECK_FALSE(same(corpus.train, news::make_up_corpus(2400, 240, 2).train));
    CHECK(corpus.train.front().text ==
          "Rebel leader calls early election DELHI (Newswire) - The rebel leader called an early election on Tuesday.");
    CHECK(corpus.train[12].text == "Senator thanks swimmer TOKYO (Wire Service) - The swimmer was thanked by the "
                                   "senator on Friday, officials said.");
    CHECK(corpus.train[13].text == "Swimmer thanks senator TOKYO (Wire Service) - The senator was thanked by the "
                                   "swimmer on Friday, officials said.");
    CHECK(corpus.train[12].label == 0);
    CHECK(corpus.train[13].label == 1);
}

TEST_CASE("no line of the made-up corpus comes twice, so none is tested that was trained", "[corpus]") {
    auto const corpus = news::make_up_corpus();
    CHECK(corpus.train.size() == 36000);
    CHECK(corpus.test.size() == 3600);
    std::set<std::string> distinct;
    for (auto const* part : {&corpus.train, &corpus.test})
        for (auto const& line : *part) distinct.insert(line.text);
    CHECK(distinct.size() == 39600);
}

TEST_CASE("in half of the made-up lines only the order of the words tells the topic", "[corpus]") {
    auto const corpus = news::make_up_corpus(24, 2400);
    std::map<std::vector<std::string>, std::map<int, int>> topics_of_bag;
    for (auto const& line : corpus.test) ++topics_of_bag[bag_of_words(line.text)][line.label];
    int ambiguous = 0, best_of_any_bag = 0;
    for (auto const& [bag, topics] : topics_of_bag) {
        int all = 0, most = 0;
        for (auto const& [topic, count] : topics) {
            all += count;
            most = std::max(most, count);
        }
        if (topics.size() > 1) ambiguous += all;
        best_of_any_bag += most;
    }
    CHECK(ambiguous == 1200);
    CHECK(best_of_any_bag == 1800);  // 75 %, for a classifier that knows the test lines by heart, but not their order
}
