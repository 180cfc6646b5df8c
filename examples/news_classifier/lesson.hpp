// What the lesson prints: numbers as Python's repr writes them, and its lines of running accuracy.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "sequent/core/error.hpp"

namespace news {

// Python's repr of a float: the shortest digits that read back as the same number; an exponent only below 1e-4 and from
// 1e16 on.
[[nodiscard]] inline std::string python_float(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    double const size = std::abs(value);
    auto const format = value == 0 || (size >= 1e-4 && size < 1e16) ? std::chars_format::fixed  //
                                                                    : std::chars_format::scientific;
    char digits[32];
    std::string text(digits, std::to_chars(digits, digits + sizeof digits, value, format).ptr);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

// The sums of one epoch, kept as the lesson keeps them: the loss adds up batch means, in float32.
struct lesson_sums {
    float loss = 0;
    std::int64_t correct = 0, count = 0;

    void add(double batch_loss, int batch_correct, int batch_rows) {
        loss += static_cast<float>(batch_loss);
        correct += batch_correct;
        count += batch_rows;
    }
    // The sum of batch means over the number of rows: 1 / batch size of the mean loss.
    [[nodiscard]] double mean_loss() const { return static_cast<double>(loss) / static_cast<double>(count); }
    [[nodiscard]] double accuracy() const { return static_cast<double>(correct) / static_cast<double>(count); }

    // "3200: acc=0.3090625"
    [[nodiscard]] std::string report() const { return sequent::message(count, ": acc=", python_float(accuracy())); }
    // What the lesson's train_epoch returns: "(0.029785829671223958, 0.8138166666666666)"
    [[nodiscard]] std::string returned() const {
        return sequent::message("(", python_float(mean_loss()), ", ", python_float(accuracy()), ")");
    }
};

}  // namespace news
