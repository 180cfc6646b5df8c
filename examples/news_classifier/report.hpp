// What a run tells: lines on standard output, progress on standard error, and one JSON object a line in a file.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "lesson.hpp"
#include "progress.hpp"
#include "sequent/core/error.hpp"

namespace news {

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
    double loss = 0;
    std::int64_t correct = 0, rows = 0;

    [[nodiscard]] double mean_loss() const { return loss / static_cast<double>(rows); }
    [[nodiscard]] double accuracy() const { return static_cast<double>(correct) / static_cast<double>(rows); }
};

// The last line of standard output; of the last epoch where no sum is meant. Without an epoch or a test: nan.
struct summary {
    int epochs = 0;
    std::int64_t rows = 0, tokens = 0;  // of all epochs
    double seconds = 0;                 // of all epochs, training only
    double loss = std::numeric_limits<double>::quiet_NaN(), train_accuracy = loss, test_accuracy = loss;
};

// With this many digits behind the point.
[[nodiscard]] inline std::string fixed(double value, int digits) {
    if (!std::isfinite(value)) return python_float(value);
    char text[400];
    return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

[[nodiscard]] inline std::string result_line(std::string_view model, summary const& all) {
    return sequent::message(
        "result model=", model, " epochs=", all.epochs, " samples=", all.rows, " loss=", fixed(all.loss, 6),
        " train_accuracy=", fixed(all.train_accuracy, 6), " test_accuracy=", fixed(all.test_accuracy, 6),
        " seconds=", fixed(all.seconds, 3),
        " tokens_per_second=", fixed(all.seconds > 0 ? static_cast<double>(all.tokens) / all.seconds : 0, 0));
}

class report {
  public:
    report(std::optional<std::filesystem::path> const& metrics, bool as_lesson)
        : progress_(progress::on_standard_error()), as_lesson_(as_lesson) {
        if (!metrics) return;
        metrics_name_ = metrics->string();
        metrics_.open(*metrics, std::ios::binary);
        if (!metrics_) throw sequent::file_error(metrics_name_, "", "cannot be written");
    }

    void begin(nlohmann::json const& settings) { measure(settings); }

    void begin_epoch(int epoch, int epochs, std::int64_t batches) {
        epoch_ = epoch;
        progress_.start(sequent::message("epoch ", epoch, epochs > 1 ? sequent::message("/", epochs) : ""), "it",
                        batches);
    }
    // After each batch; every 200 a point of the curve.
    void batch(epoch_sums const& now) {
        progress_.update(now.batches, [&] {
            return "loss=" + fixed(now.loss / static_cast<double>(now.lesson.count), 2) +
                   ", acc=" + fixed(now.lesson.accuracy(), 3);
        });
        if (now.batches % 200 != 0) return;
        if (as_lesson_) line(now.lesson.report());
        measure(curve("train", now));
    }
    void end_epoch(epoch_sums const& done, std::optional<test_sums> const& test) {
        progress_.clear();
        if (as_lesson_)
            line(done.lesson.returned());
        else
            line(sequent::message("epoch ", epoch_, ": loss=", fixed(done.mean_loss(false), 6),
                                  " train_accuracy=", fixed(done.lesson.accuracy(), 6),
                                  " test_accuracy=", fixed(test ? test->accuracy() : std::nan(""), 6),
                                  " seconds=", fixed(done.seconds, 3)));
        nlohmann::json point = curve("epoch", done);
        if (test) {
            point["test_loss"] = test->mean_loss();
            point["test_accuracy"] = test->accuracy();
        }
        measure(point);
    }
    // Of a run that stops within an epoch.
    void interrupt() {
        progress_.clear();
        std::cerr << "interrupted" << std::endl;
    }

    void line(std::string_view text) {
        progress_.clear();
        std::cout << text << std::endl;
        if (!std::cout) throw sequent::file_error("standard output", "", "cannot be written");
    }

  private:
    [[nodiscard]] nlohmann::json curve(char const* event, epoch_sums const& now) const {
        return {{"event", event},
                {"epoch", epoch_},
                {"batches", now.batches},
                {"samples", now.lesson.count},
                {"loss", now.mean_loss(as_lesson_)},
                {"accuracy", now.lesson.accuracy()},
                {"tokens", now.tokens},
                {"seconds", now.seconds}};
    }
    void measure(nlohmann::json const& point) {
        if (!metrics_.is_open()) return;
        metrics_ << point.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
        if (!metrics_) throw sequent::file_error(metrics_name_, "", "cannot be written");
    }

    progress progress_;
    bool as_lesson_;
    std::string metrics_name_;
    std::ofstream metrics_;
    int epoch_ = 0;
};

}  // namespace news
