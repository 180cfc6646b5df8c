#include "report.hpp"

#include <tuple>

#include "catch.hpp"
#include "stored_run.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;

TEST_CASE("the result line", "[report]") {
    news::summary all;
    CHECK(news::result_line("gru", all) == "result model=gru epochs=0 samples=0 loss=nan train_accuracy=nan "
                                           "test_accuracy=nan seconds=0.000 tokens_per_second=0");
    all = {2, 127710, 5538092, 8.0, 0.5, 0.75, 0.875};
    CHECK(news::result_line("packed", all) ==
          "result model=packed epochs=2 samples=127710 loss=0.500000 train_accuracy=0.750000 test_accuracy=0.875000 "
          "seconds=8.000 tokens_per_second=692262");
}

TEST_CASE("metrics are one JSON object a line", "[report]") {
    temporary_folder folder;
    news::epoch_sums sums;
    sums.lesson.add(1.25, 8, 16);
    sums.loss = 20;
    sums.batches = 200;
    sums.tokens = 700;
    {
        news::report report(folder / "metrics", {}, false);
        report.begin("gru", {{"data", "not UTF-8: \xff"}});
        report.begin_epoch(1, 1, 200);
        report.batch(sums);
        report.end_epoch(sums, news::test_sums{30, {{{4, 0, 1, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {}}}});
    }
    std::ifstream in(folder / "metrics");
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0]["event"] == "begin");
    CHECK(lines[1]["event"] == "train");
    CHECK(lines[1]["samples"] == 16);
    CHECK(lines[1]["loss"] == 1.25);
    CHECK(lines[1]["accuracy"] == 0.5);
    CHECK(lines[1]["tokens"] == 700);
    CHECK(lines[2]["event"] == "epoch");
    CHECK(lines[2]["epoch"] == 1);
    CHECK(lines[2]["test_loss"] == 3);
    CHECK(lines[2]["test_accuracy"] == 0.9);
    CHECK(lines[2]["confusion"] == nlohmann::json{{4, 0, 1, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 0}});
}

TEST_CASE("a report that goes on continues metrics and plot where a checkpoint left them", "[report]") {
    temporary_folder folder;
    auto const sums = [](std::int64_t batches) {
        news::epoch_sums now;
        now.batches = batches;
        now.loss = 0.1 * static_cast<double>(batches);
        now.lesson = {1.0f, batches, 2 * batches};
        return now;
    };
    news::test_sums const test{3, {{{4, 0, 1, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {}}}};
    auto const report_batches = [&](news::report& report, std::int64_t from, std::int64_t to) {
        for (auto b = from + 1; b <= to; ++b) report.batch(sums(b));
    };
    auto const files = [&](std::string const& name) {
        return std::tuple(std::optional(folder / (name + ".metrics")), std::optional(folder / (name + ".svg")), false);
    };
    // One epoch and a half, at `stop` batches of the second kept as a checkpoint would.
    auto const report_all = [&](std::string const& name, std::int64_t stop) {
        std::string kept;
        {
            auto report = std::make_from_tuple<news::report>(files(name));
            report.begin("gru", {{"rows", 5}});
            report.begin_epoch(1, 2, 900);
            report_batches(report, 0, 900);
            report.end_epoch(sums(900), test);
            report.begin_epoch(2, 2, 900);
            report_batches(report, 0, stop);
            kept = news::text_of(report);
            report_batches(report, stop, 450);  // which a kill undoes
            if (name == "whole") return report.end("gru", {});
        }
        auto report = std::make_from_tuple<news::report>(files(name));
        news::read_numbers(report, kept, "file", "key");
        report.begin("gru", {{"rows", 5}});
        report.begin_epoch(2, 2, 900, sums(stop));
        report_batches(report, stop, 450);
        report.end("gru", {});
    };
    report_all("whole", 0);
    CHECK(read(folder / "whole.metrics").size() > 500);
    for (std::int64_t const stop : {0, 100, 399, 400, 450}) {
        CAPTURE(stop);
        report_all("parts", stop);
        CHECK(read(folder / "parts.metrics") == read(folder / "whole.metrics"));
        CHECK(read(folder / "parts.svg") == read(folder / "whole.svg"));
    }
}

TEST_CASE("metrics that cannot be written are an error", "[report]") {
    temporary_folder folder;
    CHECK_THROWS_WITH(news::report(folder / "no" / "metrics", {}, false),
                      (folder / "no" / "metrics").string() + ": cannot be written");
}
