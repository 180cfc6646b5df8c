// What the benchmarks work on: batches of the lesson's size, of AG News where SEQUENT_DATA_HOME is set and made up
// otherwise, and batches of long sequences of real numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "sequent/core/random.hpp"
#include "sequent/data/batches.hpp"
#include "sequent/data/labelled_text.hpp"
#include "sequent/sequence/packed_sequence.hpp"
#include "sequent/text/tokenizer.hpp"
#include "sequent/text/vocabulary.hpp"

namespace bench {

// The folder with train.csv, if there is one.
inline std::optional<std::filesystem::path> news_folder() {
    char const* const home = std::getenv("SEQUENT_DATA_HOME");
    if (home == nullptr) return std::nullopt;
    std::filesystem::path folder = std::filesystem::path(home) / "ag_news";
    return std::filesystem::exists(folder / "train.csv") ? std::optional(folder) : std::nullopt;
}

struct corpus {
    sequent::encoded_text text;
    int words = 0;
};

// The way from the file to numbers, as the news classifier goes it.
inline corpus read_news(std::filesystem::path const& folder) {
    std::vector<sequent::labelled_text> const rows = sequent::read_labelled_text(folder / "train.csv");
    sequent::basic_english tokenizer;
    sequent::token_counts counts;
    for (sequent::labelled_text const& row : rows) counts.add(row.text, tokenizer);
    sequent::vocabulary const words(counts);
    return {sequent::encode(std::span(rows), words, tokenizer), words.size()};
}

// Rows whose lengths (log-normal around 42, from 13 to 198) and word frequencies (Zipf: of rank r as r^-1.07) are like
// those of AG News: a batch of 16 has 690 tokens, 57 % of them distinct.
inline corpus make_up_news() {
    constexpr int rows = 16'000, words = 71'310;
    constexpr double exponent = 1.07;
    sequent::random_stream const lengths{1, 1}, ids{1, 2};
    corpus made{{}, words};
    std::uint64_t drawn = 0;
    std::vector<int> tokens;
    for (int row = 0; row < rows; ++row) {
        double const length = 42 * std::exp(0.25 * lengths.normal(static_cast<std::uint64_t>(row)));
        tokens.resize(static_cast<std::size_t>(std::clamp(length, 13.0, 198.0)));
        for (int& token : tokens) {
            double const u = ids.uniform(drawn++), all = 1 - std::pow(words - 2, 1 - exponent);
            token = 1 + static_cast<int>(std::pow(1 - u * all, 1 / (1 - exponent)));
        }
        made.text.add(row % 4, tokens);
    }
    return made;
}

inline corpus const& news() {
    static corpus const data = news_folder() ? read_news(*news_folder()) : make_up_news();
    return data;
}

// Batches of 16 rows of the news in random order, without end.
class lesson_batches {
  public:
    static constexpr int size = 16;

    [[nodiscard]] sequent::packed_sequence<int> const& next() {
        std::span<int const> rows = order_.next();
        if (rows.empty()) rows = order_.epoch(order_.position().epoch + 1).next();
        sequent::gather(news().text, rows, tokens_, topics_);
        sequent::pack_into(text_, tokens_);
        return text_;
    }
    [[nodiscard]] std::span<int const> topics() const { return topics_; }

  private:
    sequent::batches order_{news().text.size(), {.size = size, .seed = 1, .last = sequent::last_batch::drop_if_short}};
    std::vector<std::span<int const>> tokens_;
    std::vector<int> topics_;
    sequent::packed_sequence<int> text_;
};

// Numbers from a standard normal distribution, or uniform in [-bound, bound).
inline std::vector<float> normal_numbers(std::size_t count, std::uint64_t stream) {
    sequent::random_stream const random{1, stream};
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(random.normal(i));
    return numbers;
}
inline std::vector<float> uniform_numbers(std::size_t count, float bound, std::uint64_t stream) {
    sequent::random_stream const random{1, stream};
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) numbers[i] = (2 * random.uniform(i) - 1) * bound;
    return numbers;
}

// 64 sequences of 40 to 200 steps.
inline std::vector<int> long_lengths(std::uint64_t stream) {
    sequent::random_stream const random{1, stream};
    std::vector<int> lengths(64);
    for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = 40 + static_cast<int>(random.below(i, 161));
    return lengths;
}
inline sequent::packed_sequence<float> long_batch(int features, std::uint64_t stream) {
    sequent::packed_sequence<float> batch{sequent::packing(long_lengths(stream)), {}, features};
    std::size_t const size = static_cast<std::size_t>(batch.shape.rows()) * static_cast<std::size_t>(features);
    batch.values = normal_numbers(size, stream + 1);
    return batch;
}

}  // namespace bench
