#include "report.hpp"

#include "catch.hpp"
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
        news::report report(folder / "metrics", false);
        report.begin({{"event", "begin"}, {"data", "not UTF-8: \xff"}});
        report.begin_epoch(1, 1, 200);
        report.batch(sums);
        report.end_epoch(sums, news::test_sums{30, 9, 10});
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
}

TEST_CASE("metrics that cannot be written are an error", "[report]") {
    temporary_folder folder;
    CHECK_THROWS_WITH(news::report(folder / "no" / "metrics", false),
                      (folder / "no" / "metrics").string() + ": cannot be written");
}
