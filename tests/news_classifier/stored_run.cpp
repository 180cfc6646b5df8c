#include "stored_run.hpp"

#include <cmath>

#include "catch.hpp"
#include "learning_curve.hpp"
#include "sequent/io/safetensors.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

std::vector<news::model_help> const models = {{"packed", ""}, {"gru", ""}};

news::run_progress progress() {
    news::run_progress now;
    now.done = {2, 4804, 99999, 1.5, 0.1, 1.0 / 3, std::nan("")};
    now.epoch.loss = 1e-17;
    now.epoch.lesson = {0.1f, 7, 160};
    now.epoch.batches = 10;
    now.epoch.tokens = 4321;
    now.epoch.seconds = 0.25;
    return now;
}

constexpr char const* shape = "--model gru --epochs 4 --batch 8 --rate 0.01 --seed 7 --limit 500";

struct file_of_notes {
    sequent::file_metadata notes = [] {
        auto now = progress();
        return sequent::file_metadata{{"sequent.vocabulary", "12ab"},
                                      {"news.options", shape},
                                      {"news.progress", news::text_of(now)},
                                      {"news.report", "metrics_bytes=5"}};
    }();
    temporary_folder folder;
    std::filesystem::path file = folder / "run";

    void write() const {
        sequent::safetensors_writer writer;
        for (auto const& [key, value] : notes) writer.metadata(key, value);
        writer.write(file);
    }
    [[nodiscard]] news::stored_run load() const {
        write();
        return news::load_run(file, models);
    }
};

struct outcome {
    news::settings options;
    std::optional<news::stored_run> resumed;
    std::optional<int> stop;
    std::string errors;
};

outcome read_line(std::vector<std::string> const& arguments) {
    std::vector<char const*> argv = {"news_classifier"};
    for (std::string const& argument : arguments) argv.push_back(argument.c_str());
    outcome result;
    std::ostringstream out, errors;
    result.stop = news::read_command_line(static_cast<int>(argv.size()), argv.data(), models, result.options,
                                          result.resumed, out, errors);
    result.errors = errors.str();
    return result;
}

}  // namespace

TEST_CASE("progress comes back from its text as it was", "[stored_run]") {
    auto now = progress();
    std::string const text = news::text_of(now);
    CHECK_THAT(text,
               Contains("epochs=2 rows=4804 ") && Contains(" test_accuracy=nan ") && EndsWith(" epoch_seconds=0.25"));
    news::run_progress back;
    news::read_numbers(back, text, "file", "key");
    CHECK(news::text_of(back) == text);
    CHECK(back.epoch.lesson.loss == 0.1f);
    CHECK(std::isnan(back.done.test_accuracy));
}

TEST_CASE("text that is no progress is refused, with file and key", "[stored_run]") {
    auto now = progress();
    std::string const text = news::text_of(now);
    auto const refusal = [](std::string const& wrong) {
        news::run_progress back;
        try {
            news::read_numbers(back, wrong, "file", "key");
        } catch (sequent::file_error const& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK(refusal("") == "file: key: '', not epochs= and a number");
    CHECK(refusal("epochs 2") == "file: key: 'epochs', not epochs= and a number");
    CHECK(refusal("epochs=-2 rows=1") == "file: key: 'epochs=-2', not epochs= and a number");
    CHECK(refusal("epochs=2 rows=1x") == "file: key: 'rows=1x', not rows= and a number");
    CHECK(refusal("epochs=2 rows=9007199254740993") != "");
    CHECK(refusal(text + " more=1") == "file: key: 'more=1', not the end");
    for (std::size_t size = 0; size < text.rfind('='); ++size) CHECK_FALSE(refusal(text.substr(0, size)).empty());

    news::learning_curve curve;
    CHECK_THROWS_WITH(news::read_numbers(curve, "points=257 width=1 in_last=1", "file", "key"),
                      Contains("'points=257', not points= and a number up to 256"));
    CHECK_THROWS_WITH(news::read_numbers(curve, "points=0 width=3 in_last=4", "file", "key"), Contains("up to 3"));
    news::read_numbers(curve, "points=0 width=3 in_last=0", "file", "key");
    curve.add({1, 1, 1, 1, 1});
    CHECK(curve.points().size() == 1);
}

TEST_CASE("the sum of a run counts the epoch that is not done", "[stored_run]") {
    auto const sum = progress().sum(false);
    CHECK(sum.epochs == 2);
    CHECK(sum.rows == 4964);
    CHECK(sum.tokens == 99999 + 4321);
    CHECK(sum.seconds == 1.75);
    CHECK(sum.loss == 1e-17 / 160);
    CHECK(sum.train_accuracy == 7.0 / 160);
    CHECK(progress().sum(true).loss == static_cast<double>(0.1f) / 160);
    news::run_progress between = progress();
    between.epoch = {};
    CHECK(between.sum(false).loss == 0.1);
}

TEST_CASE("without --resume the command line is read as it is", "[stored_run]") {
    outcome const plain = read_line({"--model", "gru", "--checkpoint", "c"});
    CHECK_FALSE(plain.stop);
    CHECK_FALSE(plain.resumed);
    CHECK(plain.options.model == "gru");
    CHECK(plain.options.checkpoint == "c");
    CHECK(read_line({"--batch", "0"}).stop == 2);
}

TEST_CASE("resuming takes what shapes the run from the checkpoint", "[stored_run]") {
    file_of_notes kept;
    kept.write();
    std::string const file = kept.file.string();
    outcome const bare = read_line({"--resume", file, "--save", "s"});
    REQUIRE_FALSE(bare.stop);
    CHECK(bare.options.model == "gru");
    CHECK(bare.options.epochs == 4);
    CHECK(bare.options.batch == 8);
    CHECK(bare.options.rate == 0.01);
    CHECK(bare.options.seed == 7);
    CHECK(bare.options.limit == 500);
    CHECK_FALSE(bare.options.lesson);
    CHECK(bare.options.save == "s");
    CHECK(bare.options.checkpoint == kept.file);
    CHECK(bare.resumed->words == "12ab");
    CHECK(bare.resumed->report == "metrics_bytes=5");
    CHECK(bare.resumed->progress.done.rows == 4804);
    CHECK(news::shaping_options(bare.options, *bare.options.model, *bare.options.epochs) == shape);

    CHECK(read_line({"--resume", file, "--checkpoint", "other"}).options.checkpoint == "other");
    outcome const same =
        read_line({"--resume", file, "--model", "gru", "--batch", "8", "--rate", "1e-2", "--epochs", "9"});
    REQUIRE_FALSE(same.stop);
    CHECK(same.options.epochs == 9);
    CHECK(read_line({"--resume", file, "--epochs", "3"}).options.epochs == 3);  // the third is begun

    kept.notes["news.options"] += " --lesson";
    kept.write();
    CHECK(read_line({"--resume", file}).options.lesson);
}

TEST_CASE("options that do not agree with the checkpoint end with 2 and are named", "[stored_run]") {
    file_of_notes kept;
    kept.write();
    for (auto const& [option, value] : std::vector<std::pair<std::string, std::string>>{{"--model", "packed"},
                                                                                        {"--batch", "16"},
                                                                                        {"--rate", "0.001"},
                                                                                        {"--seed", "1"},
                                                                                        {"--limit", "501"},
                                                                                        {"--epochs", "2"}}) {
        outcome const other = read_line({"--resume", kept.file.string(), option, value});
        CHECK(other.stop == 2);
        CHECK_THAT(other.errors, Contains(option + ": " + kept.file.string() + " is of a run with") &&
                                     EndsWith("not " + value + "\n"));
    }
    CHECK_THAT(read_line({"--resume", kept.file.string(), "--lesson"}).errors, Contains("--lesson: "));
}

TEST_CASE("a file that is no checkpoint of this program is refused", "[stored_run]") {
    file_of_notes kept;
    CHECK(kept.load().options.batch == 8);
    for (auto const& [key, value] : kept.notes) {
        file_of_notes missing;
        missing.notes.erase(key);
        CHECK_THROWS_WITH(missing.load(), EndsWith(key + ": missing; give a file that --checkpoint has written"));
    }
    for (std::string const wrong : {"", "--help", "--batch 8", "--model gru", "--model lstm", "--save x", "word",
                                    "--epochs -1", "--batch 0", "--model gru --model gru"}) {
        CAPTURE(wrong);
        kept.notes["news.options"] = wrong;
        CHECK_THROWS_WITH(kept.load(), Contains("news.options: ") && EndsWith(" are not the options of a run"));
        kept.notes["news.options"] = shape + (" " + wrong);
        CHECK_THROWS_AS(kept.load(), sequent::file_error);
    }
    CHECK_THROWS_WITH(read_line({"--resume", (kept.folder / "none").string()}), Contains("cannot open"));
}
