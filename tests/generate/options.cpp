#include "options.hpp"

#include <sstream>

#include "catch.hpp"

using Catch::Matchers::Contains;

namespace {

struct outcome {
    news::generate_settings options;
    std::optional<int> stop;
    std::string out, errors;
};

outcome parse(std::vector<char const*> arguments) {
    arguments.insert(arguments.begin(), "generate");
    outcome result;
    std::ostringstream out, errors;
    result.stop = news::read_options(static_cast<int>(arguments.size()), arguments.data(), {{"lstm", "one"}},
                                     result.options, out, errors);
    result.out = out.str(), result.errors = errors.str();
    return result;
}

}  // namespace

TEST_CASE("generate: the defaults are the lesson's temperatures", "[options]") {
    outcome const none = parse({});
    CHECK_FALSE(none.stop);
    CHECK(none.options.temperatures == std::vector<double>{0.3, 0.8, 1.0, 1.3, 1.8});
    CHECK(none.options.start == "Today ");
    CHECK(none.options.length == 300);
    CHECK(none.options.rate == 5e-3);
    outcome const lesson = parse({"--lesson"});
    CHECK(lesson.options.rate == 0.01);
    CHECK(lesson.options.limit == 9999);
    CHECK(parse({"--lesson", "--rate", "0.5", "--limit", "7"}).options.rate == 0.5);
    CHECK(parse({"--lesson", "--limit", "7"}).options.limit == 7);
}

TEST_CASE("generate: options arrive, and wrong ones are named", "[options]") {
    outcome const all = parse({"--temperature", "0.5,2", "--start", "", "--length", "0", "--load", "f"});
    REQUIRE_FALSE(all.stop);
    CHECK(all.options.temperatures == std::vector<double>{0.5, 2});
    CHECK(all.options.start.empty());
    CHECK(all.options.length == 0);
    for (char const* const bad : {"0", "-1", "nan", "inf", "warm", "1,0"}) {
        outcome const wrong = parse({"--temperature", bad});
        CHECK(wrong.stop == news::usage_error);
        CHECK_THAT(wrong.errors, Contains("--temperature"));
    }
    CHECK_THAT(parse({"--length", "-1"}).errors, Contains("--length"));
    CHECK_THAT(parse({"--model", "gru"}).errors, Contains("--model"));
    outcome const batch = parse({"--lesson", "--batch", "4"});
    CHECK(batch.stop == news::usage_error);
    CHECK_THAT(batch.errors, Contains("--batch"));
    outcome const help = parse({"--help"});
    CHECK(help.stop == 0);
    CHECK_THAT(help.out, Contains("--temperature") && Contains("Exit code"));
}
