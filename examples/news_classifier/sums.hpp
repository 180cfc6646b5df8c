// What training and testing add up to.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "lesson.hpp"

namespace news {

inline constexpr std::array<std::string_view, 4> topics = {"World", "Sports", "Business", "Sci/Tech"};

// What one epoch, or the part of it that is done, came to.
struct epoch_sums {
    lesson_sums lesson;  // rows, correct ones, and the loss as the lesson reckons it
    double loss = 0;     // summed over rows
    std::int64_t batches = 0, tokens = 0;
    double seconds = 0;  // training only

    // Of a row; or the lesson's.
    [[nodiscard]] double mean_loss(bool as_lesson) const {
        return as_lesson ? lesson.mean_loss() : loss / static_cast<double>(lesson.count);
    }
};

struct test_sums {
    double loss = 0;  // summed over rows
    std::array<std::array<std::int64_t, topics.size()>, topics.size()>
        confusion{};  // [true topic][what the network says]

    [[nodiscard]] std::int64_t rows() const {
        std::int64_t sum = 0;
        for (auto const& row : confusion)
            for (std::int64_t const count : row) sum += count;
        return sum;
    }
    [[nodiscard]] double mean_loss() const { return loss / static_cast<double>(rows()); }
    [[nodiscard]] double accuracy() const {
        std::int64_t correct = 0;
        for (std::size_t topic = 0; topic < topics.size(); ++topic) correct += confusion[topic][topic];
        return static_cast<double>(correct) / static_cast<double>(rows());
    }
};

// The last line of standard output; of the last epoch where no sum is meant. Without an epoch or a test: nan.
struct summary {
    int epochs = 0;
    std::int64_t rows = 0, tokens = 0;  // of all epochs
    double seconds = 0;                 // of all epochs, training only
    double loss = std::numeric_limits<double>::quiet_NaN(), train_accuracy = loss, test_accuracy = loss;
};

}  // namespace news
