// What a run tells: lines on standard output, progress on standard error, one JSON object a line in a file, and a plot.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "../common/number_text.hpp"
#include "../common/progress.hpp"
#include "plot.hpp"
#include "sequent/core/error.hpp"
#include "sums.hpp"

namespace news {

[[nodiscard]] inline named_texts result_of(std::string_view model, summary const& all) {
    return {{"model", std::string(model)},
            {"epochs", std::to_string(all.epochs)},
            {"samples", std::to_string(all.rows)},
            {"loss", fixed(all.loss, 6)},
            {"train_accuracy", fixed(all.train_accuracy, 6)},
            {"test_accuracy", fixed(all.test_accuracy, 6)},
            {"seconds", fixed(all.seconds, 3)},
            {"tokens_per_second", fixed(all.seconds > 0 ? static_cast<double>(all.tokens) / all.seconds : 0, 0)}};
}

[[nodiscard]] inline std::string result_line(std::string_view model, summary const& all) {
    std::string line = "result";
    for (auto const& [name, value] : result_of(model, all)) line += " " + name + "=" + value;
    return line;
}

class report {
  public:
    // metrics, plot: the files to be written, if any.
    report(std::optional<std::filesystem::path> const& metrics, std::optional<std::filesystem::path> const& plot,
           bool as_lesson)
        : progress_(progress::on_standard_error()), as_lesson_(as_lesson), plot_(plot) {
        if (!metrics) return;
        metrics_name_ = metrics->string();
        metrics_.open(*metrics, std::ios::binary | std::ios::app);
        if (!metrics_) throw sequent::file_error(metrics_name_, "", "cannot be written");
    }

    void begin(std::string_view model, nlohmann::ordered_json const& settings) {
        nlohmann::ordered_json event = {{"event", "begin"}, {"model", model}};
        event.update(settings);
        bool const goes_on = metrics_bytes_ > 0;  // after those; what a killed run wrote behind them comes again
        if (metrics_.is_open()) {
            std::error_code ignored;  // no file, but a pipe
            auto const size = std::filesystem::file_size(metrics_name_, ignored);
            if (!ignored)
                std::filesystem::resize_file(metrics_name_, std::min(size, static_cast<std::uintmax_t>(metrics_bytes_)),
                                             ignored);
        }
        if (!goes_on) measure(event);
        drawn_.title = sequent::message("News classifier: ", model);
        for (auto const& [name, value] : settings.items())
            drawn_.settings.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    }

    // done: what is done of it already.
    void begin_epoch(int epoch, int epochs, std::int64_t batches, epoch_sums const& done = {}) {
        epoch_ = epoch;
        batches_before_ = (epoch - 1) * batches;
        before_ = done;
        progress_.start(sequent::message("epoch ", epoch, epochs > 1 ? sequent::message("/", epochs) : ""), "it",
                        batches);
    }
    // After each batch; every 200 a point of the curve.
    void batch(epoch_sums const& now) {
        progress_.update(now.batches, [&] {
            return "loss=" + fixed(now.loss / static_cast<double>(now.lesson.count), 2) +
                   ", acc=" + fixed(now.lesson.accuracy(), 3);
        });
        drawn_.training.add({.loss = now.loss - before_.loss,
                             .correct = now.lesson.correct - before_.lesson.correct,
                             .rows = now.lesson.count - before_.lesson.count,
                             .first = batches_before_ + before_.batches + 1,
                             .last = batches_before_ + now.batches});
        before_ = now;
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
        nlohmann::ordered_json point = curve("epoch", done);
        plot_data::epoch_end end{batches_before_ + done.batches, {}, {}};
        if (test) {
            end.test_loss = test->mean_loss();
            end.test_accuracy = test->accuracy();
            point.update(tested(*test));
        }
        drawn_.epochs.push_back(end);
        measure(point);
    }
    // Of a run that trains nothing.
    void test(test_sums const& test) {
        nlohmann::ordered_json event = {{"event", "test"}};
        event.update(tested(test));
        measure(event);
    }
    // Of a run that stops within an epoch.
    void interrupt() {
        progress_.clear();
        std::cerr << "interrupted" << std::endl;
    }

    // Of any run that trains or tests. Throws file_error where the plot cannot be written.
    void end(std::string_view model, summary const& all) {
        if (!plot_) return;
        drawn_.result = result_of(model, all);
        write_plot(*plot_, drawn_);
    }

    // f(name, number[, largest]) reads or sets what the report of a run that goes on must know of the run before.
    template <class F>
    void each_number(F const& f) {
        f("metrics_bytes", metrics_bytes_);
        drawn_.training.each_number(f);
        std::size_t count = drawn_.epochs.size();
        f("epochs", count, std::size_t{1} << 20);
        drawn_.epochs.resize(count);
        auto const maybe = [&](std::string_view name, std::optional<double>& number) {
            double value = number.value_or(std::nan(""));
            f(name, value);
            number = std::isnan(value) ? std::nullopt : std::optional(value);
        };
        for (plot_data::epoch_end& end : drawn_.epochs)
            f("batch", end.batch), maybe("test_loss", end.test_loss), maybe("test_accuracy", end.test_accuracy);
        int tested = drawn_.test ? 1 : 0;
        f("tested", tested, 1);
        if (tested == 0) return;
        if (!drawn_.test) drawn_.test.emplace();
        f("loss", drawn_.test->loss);
        for (auto& row : drawn_.test->confusion)
            for (std::int64_t& texts : row) f("rows", texts);
    }

    void line(std::string_view text) {
        progress_.clear();
        std::cout << text << std::endl;
        if (!std::cout) throw sequent::file_error("standard output", "", "cannot be written");
    }

  private:
    [[nodiscard]] nlohmann::ordered_json curve(char const* event, epoch_sums const& now) const {
        return {{"event", event},
                {"epoch", epoch_},
                {"batches", now.batches},
                {"samples", now.lesson.count},
                {"loss", now.mean_loss(as_lesson_)},
                {"accuracy", now.lesson.accuracy()},
                {"tokens", now.tokens},
                {"seconds", now.seconds}};
    }
    nlohmann::ordered_json tested(test_sums const& test) {
        drawn_.test = test;
        return {{"test_loss", test.mean_loss()}, {"test_accuracy", test.accuracy()}, {"confusion", test.confusion}};
    }
    void measure(nlohmann::ordered_json const& point) {
        if (!metrics_.is_open()) return;
        std::string const text = point.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        metrics_ << text << std::endl;
        metrics_bytes_ += std::ssize(text) + 1;
        if (!metrics_) throw sequent::file_error(metrics_name_, "", "cannot be written");
    }

    progress progress_;
    bool as_lesson_;
    std::string metrics_name_;
    std::ofstream metrics_;
    std::int64_t metrics_bytes_ = 0;
    int epoch_ = 0;
    std::int64_t batches_before_ = 0;  // the epoch's first
    epoch_sums before_;                // the batch that comes next
    std::optional<std::filesystem::path> plot_;
    plot_data drawn_;
};

}  // namespace news
