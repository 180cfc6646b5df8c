#include "download.hpp"

#include <chrono>
#include <cstdlib>

#include "catch.hpp"
#include "loopback_server.hpp"
#include "temporary_folder.hpp"

using namespace sequent_tests;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

std::string const body = "\"1\",\"a\",\"b\"\n";
news::remote_file const file{"train.csv", 100, "MD5", "c25dd7efe7a1577076a9fb2c26882a31"};
news::patience const short_patience{.connect = 5, .stalled = 1, .whole = 10};

// A download from a server with this one answer, into `folder`; the message of the failure, or nothing.
std::string outcome(loopback_server::answer const& answer, temporary_folder const& folder,
                    news::remote_file const& wanted = file, news::download_watch const& watch = {}) {
    setenv("no_proxy", "127.0.0.1", 1);
    loopback_server const server([&](std::string const&) { return answer; });
    try {
        news::download(server.url(), wanted, folder / "to", short_patience, watch);
    } catch (sequent::file_error const& failure) {
        return failure.what();
    }
    return {};
}

// Nothing is left of a download that failed: no file, no part of it.
bool empty(temporary_folder const& folder) {
    return !std::filesystem::exists(folder / "to") || std::filesystem::is_empty(folder / "to");
}

}  // namespace

TEST_CASE("checksums are those of the command-line tools", "[download]") {
    CHECK(news::hex_digest("MD5", "abc") == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(news::hex_digest("SHA256", "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_THROWS_WITH(news::hex_digest("MD17", "abc"), "cannot compute a checksum: OpenSSL offers no MD17");
}

TEST_CASE("a file that is complete and right is put in place", "[download]") {
    temporary_folder folder;
    std::string asked;
    setenv("no_proxy", "127.0.0.1", 1);
    loopback_server const server([&](std::string const& path) {
        asked = path;
        return loopback_server::reply("200 OK", body);
    });
    std::size_t told = 0;
    news::download(server.url() + "/data", file, folder / "to" / "it", short_patience,
                   [&](std::size_t done, std::size_t) {
                       told = done;
                       return true;
                   });
    CHECK(asked == "/data/train.csv");
    CHECK(told == body.size());
    CHECK(read(folder / "to/it/train.csv") == body);
    CHECK(std::distance(std::filesystem::directory_iterator(folder / "to/it"), {}) == 1);
}

TEST_CASE("an answer without a length is read to its end", "[download]") {
    temporary_folder folder;
    CHECK(outcome({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body}, folder).empty());
    CHECK(read(folder / "to/train.csv") == body);
}

TEST_CASE("a wrong checksum leaves nothing behind", "[download]") {
    temporary_folder folder;
    CHECK_THAT(outcome(loopback_server::reply("200 OK", "\"1\",\"a\",\"c\"\n"), folder),
               Contains("/train.csv: is not the expected file: MD5 ") && EndsWith(", not " + file.digest));
    CHECK(empty(folder));
}

TEST_CASE("an old file stays when its successor is wrong", "[download]") {
    temporary_folder folder;
    write(folder / "to" / "train.csv", "old");
    CHECK_THAT(outcome(loopback_server::reply("200 OK", "new"), folder), Contains("is not the expected file"));
    CHECK(read(folder / "to/train.csv") == "old");
    CHECK(outcome(loopback_server::reply("200 OK", body), folder).empty());
    CHECK(read(folder / "to/train.csv") == body);
}

TEST_CASE("a file that is too large is refused, with and without a length", "[download]") {
    temporary_folder folder;
    news::remote_file small = file;
    small.max_bytes = body.size() - 1;
    CHECK_THAT(outcome(loopback_server::reply("200 OK", body), folder, small), EndsWith("has more than 11 bytes"));
    CHECK_THAT(outcome({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(1 << 20, 'x')}, folder),
               EndsWith("has more than 100 bytes"));
    CHECK(empty(folder));
    small.max_bytes = body.size();
    CHECK(outcome(loopback_server::reply("200 OK", body), folder, small).empty());
}

TEST_CASE("a file that is cut off is refused", "[download]") {
    temporary_folder folder;
    CHECK_THAT(outcome(loopback_server::reply("200 OK", body, body.size() + 1), folder),
               Contains("/train.csv: cannot be fetched: "));
    CHECK(empty(folder));
}

TEST_CASE("any answer but 200 is an error", "[download]") {
    temporary_folder folder;
    CHECK_THAT(outcome(loopback_server::reply("404 Not Found", body), folder), EndsWith("the server answered 404"));
    CHECK_THAT(
        outcome({"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"}, folder),
        EndsWith("the server answered 302"));
    CHECK_THAT(outcome({""}, folder), Contains("cannot be fetched"));
    CHECK(empty(folder));
}

TEST_CASE("a server that falls silent is given up soon", "[download]") {
    temporary_folder folder;
    auto const begin = std::chrono::steady_clock::now();
    loopback_server::answer const silent{"", true};
    CHECK_THAT(outcome(silent, folder), Contains("cannot be fetched: "));
    loopback_server::answer stalled = loopback_server::reply("200 OK", body, 50);
    stalled.keep_open = true;
    CHECK_THAT(outcome(stalled, folder), Contains("cannot be fetched: "));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(9));
    CHECK(empty(folder));
}

TEST_CASE("nobody listening is an error", "[download]") {
    temporary_folder folder;
    std::string url;
    {
        url = loopback_server([](std::string const&) { return loopback_server::answer{}; }).url();
    }
    setenv("no_proxy", "127.0.0.1", 1);
    CHECK_THROWS_WITH(news::download(url, file, folder / "to", short_patience), Contains("cannot be fetched: "));
    CHECK(empty(folder));
}

TEST_CASE("whoever watches a download can end it", "[download]") {
    temporary_folder folder;
    CHECK_THAT(
        outcome(loopback_server::reply("200 OK", body), folder, file, [](std::size_t, std::size_t) { return false; }),
        Contains("cannot be fetched: "));
    CHECK(empty(folder));
}

TEST_CASE("a folder that cannot be made is an error", "[download]") {
    temporary_folder folder;
    write(folder / "to", "a file");
    CHECK_THAT(outcome(loopback_server::reply("200 OK", body), folder), Contains("cannot be"));
    CHECK(read(folder / "to") == "a file");
}
