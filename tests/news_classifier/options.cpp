#include "options.hpp"

#include <sstream>

#include "catch.hpp"

using Catch::Matchers::Contains;

namespace {

struct outcome {
    news::settings options;
    std::optional<int> stop;
    std::string out, errors;
};

outcome parse(std::vector<char const*> arguments) {
    arguments.insert(arguments.begin(), "news_classifier");
    outcome result;
    std::ostringstream out, errors;
    result.stop = news::read_options(static_cast<int>(arguments.size()), arguments.data(),
                                     {{"packed", "one"}, {"gru", "another"}}, result.options, out, errors);
    result.out = out.str();
    result.errors = errors.str();
    return result;
}

}  // namespace

TEST_CASE("without options the defaults stand", "[options]") {
    outcome const none = parse({});
    CHECK_FALSE(none.stop);
    CHECK_FALSE(none.options.model);
    CHECK_FALSE(none.options.epochs);
    CHECK(none.options.batch == 16);
    CHECK(none.options.rate == 1e-3);
    CHECK(none.options.seed == 1);
    CHECK_FALSE(none.options.lesson);
    CHECK_FALSE(none.options.checkpoint);
    CHECK_FALSE(none.options.resume);
    CHECK(none.options.checkpoint_every == 10000);
    CHECK_FALSE(none.options.only_classifies());
}

TEST_CASE("every option arrives", "[options]") {
    outcome const all = parse({"--model",   "gru", "--data",   "d",          "--epochs", "3",
                               "--batch",   "8",   "--rate",   "0.5",        "--seed",   "18446744073709551615",
                               "--limit",   "25",  "--save",   "s",          "--load",   "l",
                               "--metrics", "m",   "--lesson", "--classify", "-",        "--threads",
                               "3"});
    REQUIRE_FALSE(all.stop);
    CHECK(all.options.model == "gru");
    CHECK(all.options.data == "d");
    CHECK(all.options.epochs == 3);
    CHECK(all.options.batch == 8);
    CHECK(all.options.rate == 0.5);
    CHECK(all.options.seed == 18446744073709551615u);
    CHECK(all.options.limit == 25);
    CHECK(all.options.save == "s");
    CHECK(all.options.load == "l");
    CHECK(all.options.metrics == "m");
    CHECK(all.options.threads == 3);
    CHECK(all.options.lesson);
    CHECK(all.options.classify == "-");
    CHECK_FALSE(all.options.only_classifies());  // --epochs was given
    CHECK(parse({"--load", "l", "--classify", "a text"}).options.only_classifies());

    outcome const kept = parse({"--checkpoint", "c", "--checkpoint-every", "7", "--resume", "r", "--load", "l",  //
                                "--classify", "-"});
    REQUIRE_FALSE(kept.stop);
    CHECK(kept.options.checkpoint == "c");
    CHECK(kept.options.checkpoint_every == 7);
    CHECK(kept.options.resume == "r");
    CHECK_FALSE(kept.options.only_classifies());
}

TEST_CASE("help and version end with 0", "[options]") {
    outcome const help = parse({"--help"});
    CHECK(help.stop == 0);
    CHECK_THAT(help.out, Contains("Training:") && Contains("--lesson") && Contains("gru       another"));
    outcome const version = parse({"--version"});
    CHECK(version.stop == 0);
    CHECK_THAT(version.out, Contains("news_classifier of sequent 0."));
}

TEST_CASE("a mistake ends with 2 and names the option", "[options]") {
    std::vector<std::vector<char const*>> const mistakes = {{"--model", "lstn"},
                                                            {"--epochs", "-1"},
                                                            {"--batch", "0"},
                                                            {"--batch", "2.5"},
                                                            {"--rate", "0"},
                                                            {"--rate", "nan"},
                                                            {"--seed", "-1"},
                                                            {"--limit", "0"},
                                                            {"--epochs"},
                                                            {"--nonsense"},
                                                            {"--rate", "1x"},
                                                            {"--limit", "99999999999"},
                                                            {"--checkpoint-every", "0"},
                                                            {"--resume"}};
    for (auto const& mistake : mistakes) {
        outcome const result = parse(mistake);
        CAPTURE(mistake[0], mistake.back());
        CHECK(result.stop == 2);
        CHECK(result.out.empty());
        CHECK_THAT(result.errors, Contains(mistake[0]));
    }
    CHECK(parse({"word"}).stop == 2);
}
