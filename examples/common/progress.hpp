// How far a long loop is, on standard error: a bar on a terminal, else a plain line every few seconds.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "sequent/core/error.hpp"

namespace news {

struct progress_state {
    std::string title, unit;
    std::int64_t done = 0, total = 0;  // total 0: unknown
    double seconds = 0;
    std::string note;  // "loss=0.53, acc=0.81"
};

// 75 seconds are "01:15", an hour is "1:00:00".
[[nodiscard]] inline std::string clock_text(double seconds) {
    auto const whole = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9));
    char text[32];
    if (whole >= 3600)
        std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(whole / 3600),
                      static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
    else
        std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(whole / 60), static_cast<int>(whole % 60));
    return text;
}

// "3225/7500 [00:42<00:56, 76.2it/s, loss=0.53]"
[[nodiscard]] inline std::string progress_numbers(progress_state const& now) {
    double const rate = now.seconds > 0 ? static_cast<double>(now.done) / now.seconds : 0;
    std::string const left = rate > 0 && now.total > 0  //
                                 ? clock_text(static_cast<double>(now.total - now.done) / rate)
                                 : "?";
    char speed[32];
    std::snprintf(speed, sizeof speed, rate < 100 ? "%.1f" : "%.0f", rate);
    return sequent::message(now.done, "/", now.total > 0 ? std::to_string(now.total) : "?", " [",
                            clock_text(now.seconds), "<", left, ", ", speed, now.unit, "/s",
                            now.note.empty() ? "" : ", ", now.note, "]");
}

// A terminal as far as the bar minds.
struct terminal_style {
    int columns = 80;
    bool colour = false;
    bool unicode = true;
};

// "epoch 1/1:  43%|████▎     | 3225/7500 [...]", at most style.columns - 1 characters wide: narrower, the bar goes
// first.
[[nodiscard]] inline std::string progress_bar(progress_state const& now, terminal_style const& style) {
    double const share =
        now.total > 0 ? std::clamp(static_cast<double>(now.done) / static_cast<double>(now.total), 0.0, 1.0) : 0;
    char percent[8];
    std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(100 * share));
    std::string const left = now.title + ": " + percent + "|", right = "| " + progress_numbers(now);
    int const room = style.columns - 1 - static_cast<int>(left.size() + right.size());
    if (room <= 0) return (left + right).substr(0, static_cast<std::size_t>(std::max(style.columns - 1, 0)));
    int const cells = std::min(room, 40), eighths = static_cast<int>(share * cells * 8);

    static constexpr std::array<std::string_view, 8> parts = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    std::string bar;
    for (int cell = 0; cell < cells; ++cell) {
        int const fill = std::clamp(eighths - 8 * cell, 0, 8);
        if (style.unicode)
            bar += fill == 8 ? "█" : parts[static_cast<std::size_t>(fill)];
        else
            bar += fill >= 4 ? '#' : ' ';
    }
    if (style.colour) bar = "\033[32m" + bar + "\033[0m";
    return left + bar + right;
}

// Draws at most ten times a second, or writes a line at most every five seconds.
class progress {
    using clock = std::chrono::steady_clock;

  public:
    progress(std::ostream& out, bool terminal, terminal_style style) : out_(out), terminal_(terminal), style_(style) {}

    // Of this process: NO_COLOR (no-color.org) is honoured, and a locale without UTF-8 gets '#'.
    static progress on_standard_error() {
        bool const terminal = isatty(STDERR_FILENO) == 1;
        terminal_style style;
        winsize size{};
        if (terminal && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.columns = size.ws_col;
        auto const variable = [](char const* name) {
            char const* const value = std::getenv(name);
            return std::string_view(value == nullptr ? "" : value);
        };
        std::string_view const kind = variable("TERM");
        style.colour = variable("NO_COLOR").empty() && kind != "dumb";
        std::string_view locale = variable("LC_ALL");
        if (locale.empty()) locale = variable("LC_CTYPE");
        if (locale.empty()) locale = variable("LANG");
        style.unicode = locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
        return {std::cerr, terminal && kind != "dumb", style};
    }

    void start(std::string title, std::string unit, std::int64_t total) {
        state_ = {std::move(title), std::move(unit), 0, total, 0, {}};
        started_ = clock::now();
        next_ = started_ + (terminal_ ? std::chrono::milliseconds(0) : std::chrono::milliseconds(5000));
    }

    // note() makes the text behind the numbers; it is called only when there is something to write.
    template <class Note>
    void update(std::int64_t done, Note&& note) {
        state_.done = done;
        clock::time_point const now = clock::now();
        if (now < next_) return;
        next_ = now + (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000));
        state_.seconds = std::chrono::duration<double>(now - started_).count();
        state_.note = note();
        if (terminal_)
            out_ << '\r' << progress_bar(state_, style_) << "\033[K" << std::flush;
        else
            out_ << state_.title << ": " << progress_numbers(state_) << std::endl;
        drawn_ = true;
    }
    void update(std::int64_t done) {
        update(done, [] { return std::string(); });
    }

    // Makes room for other output; the next update draws the bar again.
    void clear() {
        if (terminal_ && drawn_) out_ << "\r\033[K" << std::flush;
        drawn_ = false;
    }

  private:
    std::ostream& out_;
    bool terminal_;
    terminal_style style_;
    progress_state state_;
    clock::time_point started_{}, next_{};
    bool drawn_ = false;
};

}  // namespace news
