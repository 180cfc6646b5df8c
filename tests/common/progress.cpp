#include "progress.hpp"

#include <algorithm>
#include <sstream>

#include "catch.hpp"

namespace {
news::progress_state const half{"epoch 1/2", "it", 430, 1000, 42.4, "loss=0.53"};
}

TEST_CASE("clock_text writes minutes, and hours when there are any", "[progress]") {
    CHECK(news::clock_text(0) == "00:00");
    CHECK(news::clock_text(75.9) == "01:15");
    CHECK(news::clock_text(3600) == "1:00:00");
    CHECK(news::clock_text(-1) == "00:00");
    CHECK(news::clock_text(1e300) == news::clock_text(1e9));
}

TEST_CASE("the numbers say what is done, what is left and how fast", "[progress]") {
    CHECK(news::progress_numbers(half) == "430/1000 [00:42<00:56, 10.1it/s, loss=0.53]");
    CHECK(news::progress_numbers({"download", "kB", 0, 0, 0, ""}) == "0/? [00:00<?, 0.0kB/s]");
}

TEST_CASE("the bar fills in eighths of a cell and keeps to the terminal's width", "[progress]") {
    std::string const left = "epoch 1/2:  43%|", right = "| " + news::progress_numbers(half);
    int const columns = static_cast<int>(left.size() + right.size()) + 1 + 10;
    CHECK(progress_bar(half, {columns, false, true}) == left + "████▎     " + right);
    CHECK(progress_bar(half, {columns, false, false}) == left + "####      " + right);
    CHECK(progress_bar(half, {columns, true, false}) == left + "\033[32m####      \033[0m" + right);
    CHECK(progress_bar(half, {20, true, true}) == "epoch 1/2:  43%|| 4");
    news::progress_state whole = half;
    whole.done = whole.total;
    CHECK(progress_bar(whole, {200, false, false}).starts_with("epoch 1/2: 100%|" + std::string(40, '#') + "| 1000"));
}

TEST_CASE("a terminal gets a bar at once, a file a line every five seconds", "[progress]") {
    std::ostringstream terminal, file;
    news::progress bar(terminal, true, {}), lines(file, false, {});
    bar.start("epoch 1/1", "it", 10);
    lines.start("epoch 1/1", "it", 10);
    for (int i = 1; i <= 10; ++i) {
        bar.update(i);
        lines.update(i);
    }
    std::string const drawn = terminal.str();
    CHECK(drawn.starts_with("\repoch 1/1:  10%|"));
    CHECK(drawn.ends_with("]\033[K"));
    CHECK(std::count(drawn.begin(), drawn.end(), '\r') == 1);  // the other nine came too soon
    bar.clear();
    CHECK(terminal.str().ends_with("]\033[K\r\033[K"));
    lines.clear();
    CHECK(file.str().empty());
}
