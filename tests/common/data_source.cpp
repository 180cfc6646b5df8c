#include "data_source.hpp"

#include <cstdlib>
#include <sstream>

#include "catch.hpp"
#include "loopback_server.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;
using Catch::Matchers::Contains;

namespace {

void put_news(std::filesystem::path const& folder, std::string const& title) {
    write(folder / "train.csv", "\"1\",\"" + title + "\",\"text\"\n");
    write(folder / "test.csv", "\"4\",\"" + title + "\",\"text\"\n\"2\",\"\",\"\"\n");
}

// A source that fails at once.
news::download_source no_source() {
    news::download_source source;
    source.base_url = "http://127.0.0.1:1";
    setenv("no_proxy", "127.0.0.1", 1);
    return source;
}

class variable {
  public:
    variable(char const* name, char const* value) : name_(name) {
        if (char const* const old = std::getenv(name)) old_ = old;
        value != nullptr ? setenv(name, value, 1) : unsetenv(name);
    }
    variable(variable const&) = delete;
    variable& operator=(variable const&) = delete;
    ~variable() { old_ ? setenv(name_, old_->c_str(), 1) : unsetenv(name_); }

  private:
    char const* name_;
    std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("the environment names the usual places", "[data_source]") {
    variable const data("SEQUENT_DATA_HOME", "/data"), cache("XDG_CACHE_HOME", "/cache"), user("HOME", "/user");
    CHECK(news::usual_places::of_environment().home == "/data/ag_news");
    CHECK(news::usual_places::of_environment().cache == "/cache/sequent/ag_news");
    {
        variable const none("SEQUENT_DATA_HOME", nullptr), relative("XDG_CACHE_HOME", "cache");
        CHECK_FALSE(news::usual_places::of_environment().home);
        CHECK(news::usual_places::of_environment().cache == "/user/.cache/sequent/ag_news");
    }
    variable const empty("SEQUENT_DATA_HOME", ""), no_cache("XDG_CACHE_HOME", ""), homeless("HOME", nullptr);
    CHECK_FALSE(news::usual_places::of_environment().home);
    CHECK_FALSE(news::usual_places::of_environment().cache);
}

TEST_CASE("a given folder comes before the usual places, and they come in order", "[data_source]") {
    temporary_folder folder;
    news::usual_places const places{folder / "home", folder / "cache"};
    std::ostringstream log;
    auto const title = [&](std::optional<std::filesystem::path> const& given) {
        return news::find_news(given, places, no_source(), log).train.front().text;
    };
    put_news(folder / "cache", "from cache");
    CHECK(title({}) == "from cache text");
    CHECK_THAT(log.str(), Contains("SEQUENT_DATA_HOME is set, but " + (folder / "home").string()) &&
                              Contains("AG News in " + (folder / "cache").string()));
    put_news(folder / "home", "from home");
    log.str("");
    CHECK(title({}) == "from home text");
    CHECK(log.str() == "data: AG News in " + (folder / "home").string() + "\n");
    put_news(folder / "given", "given");
    CHECK(title(folder / "given") == "given text");

    auto const data = news::find_news(folder / "given", places, no_source(), log);
    CHECK(data.origin == (folder / "given").string());
    REQUIRE(data.test.size() == 2);
    CHECK(data.test[0].label == 3);
    CHECK(data.test[1].text == " ");
}

TEST_CASE("a given folder without the files is an error, never passed over", "[data_source]") {
    temporary_folder folder;
    news::usual_places const places{folder / "home", folder / "cache"};
    put_news(folder / "home", "from home");
    put_news(folder / "half", "half");
    std::filesystem::remove(folder / "half" / "test.csv");
    std::ostringstream log;
    for (auto const& given : {folder / "nowhere", folder / "half"})
        CHECK_THROWS_WITH(news::find_news(given, places, no_source(), log),
                          given.string() + ": does not hold the files train.csv and test.csv");
}

TEST_CASE("a damaged file is an error wherever it stands", "[data_source]") {
    temporary_folder folder;
    put_news(folder / "cache", "title");
    write(folder / "cache" / "test.csv", "\"5\",\"a\",\"b\"\n");
    std::ostringstream log;
    CHECK_THROWS_WITH(news::find_news({}, {{}, folder / "cache"}, no_source(), log), Contains("test.csv: line 1"));
    write(folder / "cache" / "test.csv", "");
    put_news(folder / "given", "title");
    write(folder / "given" / "train.csv", "\n");
    CHECK_THROWS_WITH(news::find_news(folder / "given", {}, no_source(), log), Contains("train.csv: line 1"));
}

TEST_CASE("what is nowhere is downloaded into the cache, once", "[data_source]") {
    temporary_folder folder;
    std::string const train = "\"3\",\"far\",\"away\"\n", test = "\"1\",\"not\",\"seen\"\n";
    loopback_server const server(
        [&](std::string const& path) { return loopback_server::reply("200 OK", path == "/train.csv" ? train : test); });
    news::download_source source = no_source();
    source.base_url = server.url();
    source.files = {{"train.csv", 100, "MD5", news::hex_digest("MD5", train)},
                    {"test.csv", 100, "SHA256", news::hex_digest("SHA256", test)}};
    news::usual_places const places{{}, folder / "deep" / "cache"};
    for (int time = 0; time < 2; ++time) {
        std::ostringstream log;
        auto const data = news::find_news({}, places, source, log);
        CHECK(data.train.front().text == "far away");
        CHECK(data.test.front().text == "not seen");
        CHECK(server.requests() == 2);
        bool const said = log.str().find("downloading train.csv") != std::string::npos;
        CHECK(said == (time == 0));
    }
    std::filesystem::remove(folder / "deep" / "cache" / "test.csv");
    std::ostringstream log;
    CHECK(news::find_news({}, places, source, log).train.size() == 1);
    CHECK(server.requests() == 3);  // the file that was missing
}

TEST_CASE("without data and download the news are made up, and it is said how to get real ones", "[data_source]") {
    temporary_folder folder;
    loopback_server const server([](std::string const& path) {
        return path == "/train.csv" ? loopback_server::reply("200 OK", "wrong") : loopback_server::reply("404 No", "");
    });
    news::download_source source = no_source();
    source.base_url = server.url();
    std::ostringstream log;
    auto const data = news::find_news({}, {{}, folder / "cache"}, source, log);
    CHECK(data.origin == "made up");
    CHECK(data.train.size() == 36000);
    CHECK_THAT(log.str(), Contains("is not the expected file") && Contains("data: made-up news") &&
                              Contains("--data") && Contains((folder / "cache").string()));
    CHECK_FALSE(std::filesystem::exists(folder / "cache"));

    log.str("");
    CHECK(news::find_news({}, {}, source, log).origin == "made up");
    CHECK_THAT(log.str(), Contains("$SEQUENT_DATA_HOME/ag_news"));
}

TEST_CASE("the checksums of AG News are those of the real files", "[data_source]") {
    auto const files = news::download_source{}.files;
    REQUIRE(files.size() == 2);
    char const* const home = std::getenv("SEQUENT_DATA_HOME");
    std::filesystem::path const test = std::filesystem::path(home == nullptr ? "" : home) / "ag_news" / "test.csv";
    if (!news::is_there(test)) SKIP_TEST("no AG News under SEQUENT_DATA_HOME");
    std::string const text = read(test);
    CHECK(news::hex_digest(files[1].algorithm, text) == files[1].digest);
    CHECK(text.size() <= files[1].max_bytes);
}
