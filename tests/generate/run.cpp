#include "run.hpp"

#include <sstream>

#include "../../examples/common/corpus.hpp"
#include "catch.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

template void news::run<news::gru_generator>(news::generate_job const&);

namespace {

struct generator_fixture {
    std::vector<sequent::labelled_text> rows = [] {
        auto made = news::make_up_corpus(240, 24).train;
        made.push_back({0, ""});
        return made;
    }();
    sequent::vocabulary alphabet = news::count_characters(rows);
    news::generate_settings options;

    // What it prints on standard output, and beside on standard error.
    std::string run(std::string* errors = nullptr) {
        news::characters const reader{options.lesson ? news::characters::ends::plain : news::characters::ends::marked};
        sequent::encoded_text const text = encode(rows, alphabet, reader);
        std::ostringstream out, log;
        std::streambuf* const before[] = {std::cout.rdbuf(out.rdbuf()), std::cerr.rdbuf(log.rdbuf())};
        try {
            news::run<news::gru_generator>({options, "gru", alphabet, text, text});
        } catch (...) {
            std::cout.rdbuf(before[0]), std::cerr.rdbuf(before[1]);
            throw;
        }
        std::cout.rdbuf(before[0]), std::cerr.rdbuf(before[1]);
        if (errors) *errors = log.str();
        return out.str();
    }
};

double number_behind(std::string const& text, std::string const& name) {
    auto const at = text.rfind(name);
    REQUIRE(at != text.npos);
    return std::stod(text.substr(at + name.size()));
}

}  // namespace

TEST_CASE("next characters: targets are the inputs one step on, in the packed order", "[run]") {
    sequent::encoded_text text;
    for (auto const& ids : {std::vector{1, 5, 1}, {1, 7, 8, 9, 1}, {1, 1}}) text.add(0, ids);
    news::detail::next_characters batch;
    batch.make(text, std::vector{0, 1, 2});
    CHECK(batch.input().values == std::vector{1, 1, 1, 7, 5, 8, 9});
    CHECK(std::ranges::equal(batch.targets(), std::vector{7, 5, 1, 8, 1, 9, 1}));

    std::vector<int> line(112);
    for (std::size_t i = 0; i < line.size(); ++i) line[i] = static_cast<int>(i);
    batch.make_windows(line);
    CHECK(batch.input().shape.batch() == 12);
    CHECK(batch.input().shape.rows() == 1200);
    CHECK(batch.input().values.front() == 0);
    CHECK(batch.targets().front() == 1);
    CHECK(batch.targets().back() == 111);
}

TEST_CASE("training on made-up news lowers the loss, and samples are the seed's", "[run]") {
    temporary_folder folder;
    generator_fixture made;
    made.options.epochs = 12;
    made.options.temperatures = {0.5, 1};
    made.options.length = 40;
    made.options.save = folder / "net";
    std::string errors;
    std::string const samples = made.run(&errors);
    CHECK(number_behind(errors, "test_loss=") < 2.6);  // untrained: ln 84 = 4.4
    CHECK_THAT(samples, StartsWith("--- Temperature = 0.5\nToday ") && Contains("\n--- Temperature = 1\nToday "));
    CHECK(made.run() == samples);

    made.options.load = made.options.save, made.options.save = {}, made.options.epochs = {};
    CHECK(made.run(&errors) == samples);
    CHECK(errors.empty());
    made.options.seed = 2;
    CHECK(made.run() != samples);
}

TEST_CASE("the lesson's way: windows of long texts, and a report every 1000 texts", "[run]") {
    generator_fixture made;
    for (auto& row : made.rows) row.text = std::string(12, 'a') + row.text + std::string(100, 'b');
    made.rows[1].text = "too short";
    made.alphabet = news::count_characters(made.rows);
    made.options.lesson = true;
    made.options.limit = 3;
    made.options.temperatures = {1e-6};
    made.options.length = 20;
    std::string const out = made.run();
    CHECK_THAT(out, StartsWith("Current loss = 4.4"));  // the loss of the first update, before it: ln 84
    CHECK_THAT(out, Contains("\ntoday ") && Contains("--- Temperature = 1e-06\nToday "));
}
