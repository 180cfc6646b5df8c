// What a run came to, for people: learning curves and the confusion table as a drawing (SVG), or on a page (HTML). Both
// stand alone, follow the reader's choice of light or dark, and have the same bytes for the same numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "learning_curve.hpp"
#include "sequent/io/file.hpp"
#include "sums.hpp"
#include "svg.hpp"

namespace news {

using named_texts = std::vector<std::pair<std::string, std::string>>;

struct plot_data {
    std::string title;
    named_texts settings, result;
    learning_curve training;
    struct epoch_end {
        std::int64_t batch = 0;  // the last one of the epoch, counted from the first of all
        std::optional<double> test_loss, test_accuracy;
    };
    std::vector<epoch_end> epochs;
    std::optional<test_sums> test;  // the last
};

namespace detail {

inline constexpr std::string_view style = R"(
text { font-family: system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-size: 13px; fill: #1f2933; }
.page { fill: #ffffff; }
.title { font-size: 22px; font-weight: 600; }
.head { font-size: 15px; font-weight: 600; }
.big { font-size: 16px; font-weight: 600; }
.muted { fill: #5f6b7a; font-size: 12px; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: #e4e8ed; }
.epoch { stroke: #b4bcc8; stroke-dasharray: 2 4; }
.axis { stroke: #8a94a3; }
.training { stroke: #2563eb; fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.test { stroke: #d9480f; fill: none; stroke-width: 1.75; }
.training-dot { fill: #2563eb; }
.test-dot { fill: #d9480f; }
.cell { fill: #f4f6f8; }
.share { fill: #2563eb; }
.on { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ee; }
.page { fill: #14181d; }
.muted { fill: #9aa5b4; }
.grid { stroke: #2a313a; }
.epoch { stroke: #566170; }
.axis { stroke: #6c7786; }
.training { stroke: #6ea8fe; }
.test { stroke: #ff9d5c; }
.training-dot { fill: #6ea8fe; }
.test-dot { fill: #ff9d5c; }
.cell { fill: #1d232a; }
.share { fill: #3b7ff5; }
.on { fill: #ffffff; }
}
)";

// Pixels.
inline constexpr double page_width = 960, title_height = 76, page_height = 792, edge = 32;

// One chart: training as a line, tests as dots joined by a line.
struct chart {
    std::string_view title;
    std::vector<svg_writer::place> training, test;  // batch, value
    std::string (*written)(double value, int digits);
    double left, top;

    static constexpr double width = 376, height = 220;
};

inline bool is_finite(svg_writer::place const& point) { return std::isfinite(point.y); }

// The line is interrupted where a value is not finite; a point between two gaps is a dot.
inline void draw_series(svg_writer& out, std::span<svg_writer::place const> points, std::string const& look) {
    for (auto at = points.begin(); at != points.end();) {
        at = std::find_if(at, points.end(), is_finite);
        auto const gap = std::find_if_not(at, points.end(), is_finite);
        if (gap - at > 1) out.path({at, gap}, look);
        if (gap - at == 1) out.dot(at->x, at->y, 2.5, look + "-dot");
        at = gap;
    }
}

inline void draw_legend(svg_writer& out, chart const& one) {
    double right = one.left + one.width;
    auto const entry = [&](std::string_view name, std::vector<svg_writer::place> const& points,
                           std::string const& look) {
        if (points.empty()) return;
        std::string const text = sequent::message(name, " ", one.written(points.back().y, 3));
        out.label(right, one.top - 14, "muted end", text);
        right -= 7.0 * static_cast<double>(text.size()) + 8;  // wider than the text in any font
        out.line(right - 18, one.top - 18, right, one.top - 18, look);
        if (look == "test") out.dot(right - 9, one.top - 18, 3.5, "test-dot");
        right -= 34;
    };
    entry("test", one.test, "test");
    entry("training", one.training, "training");
}

inline void draw_chart(svg_writer& out, chart const& one, plot_data const& data) {
    double const bottom = one.top + one.height, right = one.left + one.width;
    out.label(one.left - 52, one.top - 14, "head", one.title);
    draw_legend(out, one);

    double low = HUGE_VAL, high = -HUGE_VAL;
    for (auto const* points : {&one.training, &one.test})
        for (svg_writer::place const& point : *points) {
            if (!is_finite(point)) continue;
            low = std::min(low, point.y);
            high = std::max(high, point.y);
        }
    ticks const values = round_ticks(low, high, 5);
    auto const points = data.training.points();
    double batches = points.empty() ? 0 : static_cast<double>(points.back().last);
    if (!data.epochs.empty()) batches = std::max(batches, static_cast<double>(data.epochs.back().batch));
    auto const to_x = [&](double batch) { return one.left + one.width * batch / std::max(batches, 1.0); };
    auto const to_y = [&](double value) {
        return bottom - one.height * (value - values.first) / (values.last() - values.first);
    };

    for (int tick = 0; tick < values.count; ++tick) {
        double const y = to_y(values[tick]);
        out.line(one.left, y, right, y, tick == 0 ? "axis" : "grid");
        if (low <= high) out.label(one.left - 8, y + 4, "muted end", one.written(values[tick], values.digits()));
    }
    if (batches == 0) {
        out.label((one.left + right) / 2, (one.top + bottom) / 2, "muted middle", "nothing was trained");
        return;
    }
    if (data.epochs.size() <= 20)
        for (auto const& epoch : data.epochs)
            if (double const x = to_x(static_cast<double>(epoch.batch)); x < right - 1)
                out.line(x, one.top, x, bottom, "epoch");
    ticks const steps = round_ticks(0, batches, 5, 1);
    for (int tick = 0; tick < steps.count && steps[tick] <= batches; ++tick) {
        double const x = to_x(steps[tick]);
        out.line(x, bottom, x, bottom + 5, "axis");
        out.label(x, bottom + 20, "muted middle", grouped(static_cast<std::int64_t>(steps[tick])));
    }
    bool const several = data.epochs.size() > 1;
    out.label((one.left + right) / 2, bottom + 40, "muted middle",
              several ? sequent::message("batches, ", data.epochs.size(), " epochs") : "batches");

    auto const placed = [&](std::vector<svg_writer::place> series) {
        for (svg_writer::place& point : series) point = {to_x(point.x), to_y(point.y)};
        return series;
    };
    draw_series(out, placed(one.training), "training");
    auto const tests = placed(one.test);
    if (tests.size() > 1) draw_series(out, tests, "test");
    for (svg_writer::place const& point : tests)
        if (is_finite(point)) out.dot(point.x, point.y, 3.5, "test-dot");
}

// A row for each topic: what the network says of its texts, how many there are, precision, recall and F1.
inline void draw_confusion(svg_writer& out, test_sums const& test, double top) {
    constexpr double left = edge + 84, cell = 118, height = 52, gap = 3, columns[] = {656, 744, 828, 912};
    out.label(edge, top, "head", "Confusion table");
    out.label(edge, top + 20, "muted",
              sequent::message("of ", grouped(test.rows()),
                               " test rows: what they are (rows), and what the network says they are (columns)"));
    double y = top + 52;
    for (std::size_t said = 0; said < topics.size(); ++said)
        out.label(left + (static_cast<double>(said) + 0.5) * cell, y - 10, "middle", topics[said]);
    constexpr std::string_view heads[] = {"rows", "precision", "recall", "F1"};
    for (std::size_t i = 0; i < std::size(heads); ++i) out.label(columns[i], y - 10, "muted end", heads[i]);

    for (std::size_t topic = 0; topic < topics.size(); ++topic, y += height) {
        double rows = 0, said_so = 0;
        double const middle = y + height / 2 + 4;
        for (std::size_t other = 0; other < topics.size(); ++other) {
            rows += static_cast<double>(test.confusion[topic][other]);
            said_so += static_cast<double>(test.confusion[other][topic]);
        }
        out.label(left - 12, middle, "end", topics[topic]);
        for (std::size_t said = 0; said < topics.size(); ++said) {
            auto const count = test.confusion[topic][said];
            double const share = static_cast<double>(count) / rows, x = left + static_cast<double>(said) * cell;
            double const shade = share > 0 ? std::sqrt(share) : 0;  // so that small shares can be told apart
            out.box(x, y, cell - gap, height - gap, "cell");
            if (shade > 0) out.box(x, y, cell - gap, height - gap, "share", shade);
            std::string const on = shade > 0.6 ? " on" : "";
            out.label(x + (cell - gap) / 2, y + 23, "big middle" + on, percent(share, 1));
            out.label(x + (cell - gap) / 2, y + 40, "muted middle" + on, grouped(count));
        }
        auto const right = static_cast<double>(test.confusion[topic][topic]);
        out.label(columns[0], middle, "end", grouped(static_cast<std::int64_t>(rows)));
        out.label(columns[1], middle, "end", percent(right / said_so, 1));
        out.label(columns[2], middle, "end", percent(right / rows, 1));
        out.label(columns[3], middle, "end", percent(2 * right / (rows + said_so), 1));
    }
}

// On one line; a long one, such as the name of a deep folder, has no room there.
inline std::string joined(named_texts const& texts) {
    std::string line;
    for (auto const& [name, value] : texts)
        if (value.size() <= 40) line += (line.empty() ? "" : " \u00B7 ") + name + " " + value;
    return line;
}

enum class heading { drawn, left_out };

inline std::string drawing(plot_data const& data, heading top) {
    svg_writer out;
    double const from = top == heading::drawn ? 0 : title_height;
    double const height = (data.test ? page_height : 460) - from;
    out.raw(sequent::message("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 ", from, " ", page_width, " ",
                             height, "\" width=\"", page_width, "\" height=\"", height, "\" role=\"img\">"));
    out.raw(sequent::message("<title>", escaped(data.title), "</title>\n<style>", style, "</style>"));
    out.box(0, from, page_width, height, "page");
    if (top == heading::drawn) {
        out.label(edge, 44, "title", data.title);
        out.label(edge, 66, "muted", joined(data.settings));
    }
    chart loss{"Loss", {}, {}, fixed, edge + 52, 132};
    chart accuracy{"Accuracy",
                   {},
                   {},
                   [](double value, int digits) { return percent(value, std::max(digits - 2, 0)); },
                   page_width - edge - chart::width,
                   132};
    for (auto const& point : data.training.points()) {
        loss.training.push_back({point.batch(), point.mean_loss()});
        accuracy.training.push_back({point.batch(), point.accuracy()});
    }
    for (auto const& epoch : data.epochs) {
        auto const batch = static_cast<double>(epoch.batch);
        if (epoch.test_loss) loss.test.push_back({batch, *epoch.test_loss});
        if (epoch.test_accuracy) accuracy.test.push_back({batch, *epoch.test_accuracy});
    }
    draw_chart(out, loss, data);
    draw_chart(out, accuracy, data);
    if (data.test) draw_confusion(out, *data.test, 452);
    out.raw("</svg>");
    return out.text();
}

inline std::string table(std::string_view caption, named_texts const& rows) {
    std::string text = sequent::message("<table>\n<caption>", caption, "</caption>\n");
    for (auto const& [name, value] : rows)
        text += "<tr><th scope=\"row\">" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
    return text + "</table>\n";
}

}  // namespace detail

[[nodiscard]] inline std::string plot_svg(plot_data const& data) {
    return detail::drawing(data, detail::heading::drawn);
}

[[nodiscard]] inline std::string plot_html(plot_data const& data) {
    return sequent::message(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>)",
                            escaped(data.title), R"(</title>
<style>
body { margin: 2rem auto; padding: 0 1rem; max-width: 960px; background: #ffffff; color: #1f2933;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 32px; font-size: 24px; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
.tables { display: flex; flex-wrap: wrap; gap: 1rem 4rem; margin: 1rem 32px; }
table { border-collapse: collapse; align-self: flex-start; }
caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
th, td { text-align: left; padding: .2rem 1.5rem .2rem 0; border-bottom: 1px solid #e4e8ed; }
th { font-weight: 400; color: #5f6b7a; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
body { background: #14181d; color: #e6e9ee; }
th, td { border-color: #2a313a; }
th { color: #9aa5b4; }
}
</style>
</head>
<body>
<h1>)",
                            escaped(data.title), "</h1>\n", detail::drawing(data, detail::heading::left_out),
                            "<div class=\"tables\">\n", detail::table("Settings", data.settings),
                            detail::table("Result", data.result), "</div>\n</body>\n</html>\n");
}

// A page where the name ends in .html, else a drawing. Replaces the file as a whole; throws file_error.
inline void write_plot(std::filesystem::path const& file, plot_data const& data) {
    std::string const text = file.extension() == ".html" ? plot_html(data) : plot_svg(data);
    sequent::write_file_atomically(file, std::as_bytes(std::span(text)));
}

}  // namespace news
