#include "run_on_cpu.hpp"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <regex>
#include <sstream>
#include <thread>

#include "../../examples/common/corpus.hpp"
#include "catch.hpp"
#include "stored_run.hpp"
#include "temporary_folder.hpp"

SEQUENT_KERNELS(, float, sequent::lstm<64, 32>);

using namespace sequent_tests;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

sequent::vocabulary words_of(std::vector<sequent::labelled_text> const& rows) {
    sequent::token_counts counts;
    for (auto const& row : rows) counts.add(row.text, sequent::basic_english());
    return sequent::vocabulary(counts);
}

// A small made-up corpus, with two rows of no tokens at all.
struct news_fixture {
    news::made_up_corpus corpus = [] {
        news::made_up_corpus made = news::make_up_corpus(2400, 240);
        made.train.push_back({0, ""});
        made.train.push_back({1, " \"\" "});
        return made;
    }();
    sequent::vocabulary words = words_of(corpus.train);
    sequent::encoded_text train = encode(corpus.train, words, sequent::basic_english());
    sequent::encoded_text test = encode(corpus.test, words, sequent::basic_english());
    news::settings options;
    news::lesson_rows rows = news::lesson_rows::packed;
    std::string out;  // what the last run printed

    // As main does with --resume.
    news::summary resume(std::filesystem::path const& file) {
        auto const stored = news::load_run(file, {{"lstm", ""}});
        auto const before = options;
        options = stored.options;
        options.save = before.save, options.metrics = before.metrics, options.epochs = before.epochs;
        options.checkpoint = options.resume = file;
        auto const all = run(&stored);
        options = before;
        return all;
    }
    news::summary run(news::stored_run const* stored = nullptr) {
        std::ostringstream caught;
        std::streambuf* const before = std::cout.rdbuf(caught.rdbuf());
        news::report report(options.metrics, options.plot, options.lesson);
        try {
            if (stored) news::read_numbers(report, stored->report, stored->file, news::report_key);
            report.begin("lstm", {{"rows", train.size()}});
            auto const all = news::run<news::lstm_network>(
                {options, "lstm", rows, news::lesson_embedding::shifted_normal, words, train, test, report,
                 stored ? std::optional(stored->progress) : std::nullopt});
            std::cout.rdbuf(before);
            out = caught.str();
            return all;
        } catch (...) {
            std::cout.rdbuf(before);
            throw;
        }
    }
};

std::string without_seconds(std::string const& text) {
    return std::regex_replace(text, std::regex("(\"seconds\":|seconds=)[0-9.e-]+"), "$1");
}

}  // namespace

TEST_CASE("training learns what a bag of words cannot, and loading brings it back", "[run]") {
    temporary_folder folder;
    news_fixture news;
    news.options.epochs = 2;
    news.options.rate = 1e-2;
    news.options.save = folder / "net";
    auto const trained = news.run();
    CHECK(trained.epochs == 2);
    CHECK(trained.rows == 2 * 2402);
    CHECK(trained.tokens == 2 * static_cast<std::int64_t>(news.train.all_tokens().size()));
    CHECK(trained.test_accuracy > 0.9);  // 0.75 is the most that the words alone tell
    CHECK_THAT(news.out, Contains("epoch 2: loss=") && Contains(" train_accuracy=") && Contains(" test_accuracy="));

    news.options.save.reset();
    news.options.load = folder / "net";
    news.options.epochs = 0;
    news.options.classify =
        "Striker wins the cup OSLO (Day Press) - The striker won the cup after extra time on Friday.";
    auto const loaded = news.run();
    CHECK(loaded.test_accuracy == trained.test_accuracy);
    CHECK(loaded.rows == 0);
    CHECK_THAT(news.out, StartsWith("Sports\t"));
    CHECK_THAT(news.out, EndsWith("\t" + *news.options.classify + "\n"));

    news.options.epochs.reset();
    news.options.classify = "";
    CHECK(news.run().epochs == 0);
    CHECK_THAT(news.out, Contains("\t0."));
}

TEST_CASE("the same seed gives the same numbers, another seed others", "[run]") {
    news_fixture news;
    news.options.limit = 160;
    auto const first = news.run(), again = news.run();
    CHECK(first.rows == 160);
    CHECK(first.loss == again.loss);
    news.options.seed = 2;
    CHECK(news.run().loss != first.loss);
}

TEST_CASE("the lesson's mode reports every 200 batches and returns the lesson's pair", "[run]") {
    news_fixture news;
    news.options.lesson = true;
    news.options.batch = 4;
    news.options.limit = 800;  // the lesson stops when it has seen more
    news.rows = news::lesson_rows::padded;
    auto const all = news.run();
    CHECK(all.rows == 804);
    std::istringstream lines(news.out);
    std::string line;
    REQUIRE(std::getline(lines, line));
    CHECK(line.starts_with("800: acc=0."));
    REQUIRE(std::getline(lines, line));
    CHECK(line == "(" + news::python_float(all.loss) + ", " + news::python_float(all.train_accuracy) + ")");
    CHECK_FALSE(std::getline(lines, line));
    CHECK(all.loss == Approx(std::log(4.0) / 4).epsilon(0.2));  // batch means over rows
    CHECK(all.test_accuracy >= 0.2);

    news.options.limit = 50;
    CHECK(news.run().rows == 52);
    news.options.batch = 1;
    news.options.limit = news::settings{}.limit;  // none
    CHECK(news.run().rows == 2402);
}

TEST_CASE("the lesson's padding changes what a plain LSTM learns, and default mode has none", "[run]") {
    news_fixture news;
    news.options.limit = 160;
    news.options.lesson = true;
    double const packed = news.run().loss;
    news.rows = news::lesson_rows::padded;
    CHECK(news.run().loss != packed);
    news.options.lesson = false;
    double const plain = news.run().loss;
    news.rows = news::lesson_rows::packed;
    CHECK(news.run().loss == plain);
}

TEST_CASE("an interrupt ends training after the batch, and what was learned is saved", "[run]") {
    temporary_folder folder;
    news_fixture news;
    news.options.save = folder / "net";
    news::note_interrupts();
    raise(SIGINT);
    CHECK(news::interrupted());
    auto const nothing = news.run();
    CHECK(nothing.rows == 0);
    CHECK(std::isnan(nothing.test_accuracy));
    CHECK_FALSE(std::filesystem::exists(folder / "net"));
    news::detail::interrupts = 0;

    news.options.epochs = 1000;
    news::note_interrupts();
    std::thread later([] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        kill(getpid(), SIGINT);
    });
    auto const some = news.run();
    later.join();
    news::detail::interrupts = 0;
    CHECK(some.rows > 0);
    CHECK(some.epochs < 1000);
    CHECK(std::filesystem::exists(folder / "net"));
    CHECK(std::filesystem::exists(folder / "net.vocab"));
}

TEST_CASE("a run that is stopped and resumed ends as one that never was", "[run]") {
    temporary_folder folder;
    bool const lesson = GENERATE(false, true);
    news_fixture whole, parts;
    whole.options.epochs = 2;
    whole.options.batch = 8;
    whole.options.limit = 1200;
    whole.options.lesson = lesson;
    whole.rows = parts.rows = news::lesson_rows::padded;
    parts.options = whole.options;
    whole.options.save = folder / "whole";
    whole.options.metrics = folder / "whole.metrics";
    parts.options.save = folder / "parts";
    parts.options.metrics = folder / "parts.metrics";
    parts.options.checkpoint = folder / "checkpoint";
    auto const expected = whole.run();

    struct sigaction action {};
    action.sa_handler = [](int) { news::detail::interrupts = 1; };
    sigaction(SIGALRM, &action, nullptr);
    std::string printed;
    news::summary all;
    int stops = 0;
    for (bool stopped = true; stopped; stops += stopped ? 1 : 0) {
        news::detail::interrupts = 0;
        bool const resumes = std::filesystem::exists(folder / "checkpoint");
        parts.options.checkpoint_every = 10;
        if (stops < 10) ualarm(static_cast<useconds_t>(3000 + 7000 * stops), 0);  // microseconds
        all = resumes ? parts.resume(folder / "checkpoint") : parts.run();
        ualarm(0, 0);
        stopped = news::interrupted();
        printed += parts.out;
    }
    news::detail::interrupts = 0;
    CHECK(stops > 0);
    CHECK(all.epochs == 2);
    CHECK(all.rows == expected.rows);
    CHECK(all.tokens == expected.tokens);
    CHECK(all.loss == expected.loss);
    CHECK(all.train_accuracy == expected.train_accuracy);
    CHECK(all.test_accuracy == expected.test_accuracy);
    CHECK(read(folder / "parts") == read(folder / "whole"));
    CHECK(without_seconds(printed) == without_seconds(whole.out));
    CHECK(without_seconds(read(folder / "parts.metrics")) == without_seconds(read(folder / "whole.metrics")));

    // More epochs than were asked for at first; and what is done already is not done again.
    parts.options.epochs = whole.options.epochs = 3;
    CHECK(whole.run().loss == parts.resume(folder / "checkpoint").loss);
    CHECK(read(folder / "parts") == read(folder / "whole"));
    auto const before = std::filesystem::last_write_time(folder / "checkpoint");
    CHECK(parts.resume(folder / "checkpoint").epochs == 3);
    CHECK(parts.out.empty());
    CHECK(std::filesystem::last_write_time(folder / "checkpoint") == before);

    // The checkpoint is a file of weights, too.
    news_fixture loaded;
    loaded.options.load = folder / "checkpoint";
    loaded.options.epochs = 0;
    CHECK(news::load_words(folder / "checkpoint").name == "lstm");
    if (!lesson) CHECK(loaded.run().test_accuracy == parts.resume(folder / "checkpoint").test_accuracy);
}

TEST_CASE("a checkpoint whose parts do not fit each other is refused", "[run]") {
    temporary_folder folder;
    news_fixture news;
    news.options.limit = 160;
    news.options.checkpoint = folder / "checkpoint";
    news.run();
    auto stored = news::load_run(folder / "checkpoint", {{"lstm", ""}});
    news.options.resume = folder / "checkpoint";
    ++stored.progress.done.epochs;
    CHECK_THROWS_WITH(news.run(&stored), Contains("news.progress: does not fit the position in the data"));
    stored.progress.done.epochs = 1;
    stored.progress.epoch.batches = 3;
    CHECK_THROWS_WITH(news.run(&stored), Contains("news.progress: does not fit the position in the data"));
    news.options.batch = 8;
    CHECK_THROWS_WITH(news.run(&stored), Contains("training.order.batch_size: is '16', but of this training '8'"));
}

TEST_CASE("training that leaves the finite numbers stops with a message", "[run]") {
    news_fixture news;
    news.options.rate = 1e38;
    CHECK_THROWS_AS(news.run(), sequent::numeric_error);
}
