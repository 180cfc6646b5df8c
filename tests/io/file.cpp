#include "sequent/io/file.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>

#include "catch.hpp"
#include "helpers.hpp"

using namespace sequent;
using sequent_tests::bytes_of;
using sequent_tests::contains;
using sequent_tests::temporary_folder;
using sequent_tests::text_of;
using sequent_tests::thrown;

namespace {

std::string content(std::filesystem::path const& path) { return text_of(read_file(path, 1 << 20)); }

void write(std::filesystem::path const& path, std::string_view text) {
    write_file_atomically(path, std::as_bytes(std::span(text)));
}

std::vector<std::string> names_in(std::filesystem::path const& folder) {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

mode_t mode_of(std::filesystem::path const& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
}

// Counts the calls, and makes the chosen one fail as on a full disk.
struct failing_files : posix_files {
    int fail_at = -1;
    int error = ENOSPC;
    std::vector<std::string> calls;

    bool fails(std::string_view call) {
        calls.emplace_back(call);
        errno = error;
        return static_cast<int>(calls.size()) - 1 == fail_at;
    }
    int open(char const* path, int flags, mode_t mode) {
        return fails("open") ? -1 : posix_files::open(path, flags, mode);
    }
    int status(auto file, struct stat& result) { return fails("status") ? -1 : posix_files::status(file, result); }
    int set_mode(int file, mode_t mode) { return fails("set_mode") ? -1 : posix_files::set_mode(file, mode); }
    ssize_t read(int file, void* to, std::size_t size) {
        return fails("read") ? -1 : posix_files::read(file, to, size);
    }
    ssize_t write(int file, void const* from, std::size_t size) {
        return fails("write") ? -1 : posix_files::write(file, from, size);
    }
    int sync(int file) { return fails("sync") ? -1 : posix_files::sync(file); }
    int close(int file) {
        bool const failed = fails("close");
        int const result = posix_files::close(file);  // as Linux: closed even if it fails
        if (failed) errno = error;
        return failed ? -1 : result;
    }
    int rename(char const* from, char const* to) { return fails("rename") ? -1 : posix_files::rename(from, to); }
};

// Every call is interrupted by a signal once, and moves one byte at a time.
struct interrupted_files : posix_files {
    bool interrupt = false;

    bool interrupted() {
        errno = EINTR;
        return interrupt = !interrupt;
    }
    int open(char const* path, int flags, mode_t mode) {
        return interrupted() ? -1 : posix_files::open(path, flags, mode);
    }
    ssize_t read(int file, void* to, std::size_t) { return interrupted() ? -1 : posix_files::read(file, to, 1); }
    ssize_t write(int file, void const* from, std::size_t) {
        return interrupted() ? -1 : posix_files::write(file, from, 1);
    }
    int sync(int file) { return interrupted() ? -1 : posix_files::sync(file); }
    int rename(char const* from, char const* to) { return interrupted() ? -1 : posix_files::rename(from, to); }
};

// Tells a size that the file does not have.
struct changing_files : posix_files {
    int by;
    explicit changing_files(int by_bytes) : by(by_bytes) {}
    int status(int file, struct stat& result) {
        int const done = posix_files::status(file, result);
        result.st_size += by;
        return done;
    }
};

}  // namespace

TEST_CASE("chunks are written one after the other and read back") {
    temporary_folder const folder;
    std::vector<std::byte> const first = bytes_of("one "), second, third = bytes_of("two");
    std::array<std::span<std::byte const>, 3> const chunks{first, second, third};
    write_file_atomically(folder / "a", chunks);
    CHECK(content(folder / "a") == "one two");
    write(folder / "a", "");
    CHECK(content(folder / "a").empty());
    CHECK(names_in(folder.path) == std::vector<std::string>{"a"});
}

TEST_CASE("a file name without a folder is in the current folder") {
    temporary_folder const folder;
    auto const before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path);
    std::string const error = thrown<file_error>([] { write("bare", "text"); });
    std::filesystem::current_path(before);
    CHECK(error.empty());
    CHECK(content(folder / "bare") == "text");
}

TEST_CASE("read_file refuses what is not a regular file within the limit") {
    temporary_folder const folder;
    write(folder / "a", "12345");
    CHECK(read_file(folder / "a", 5).size() == 5);

    auto const error = [&](std::string_view name, std::size_t limit = 100) {
        return thrown<file_error>([&] { (void)read_file(folder / name, limit); });
    };
    CHECK(contains(error("a", 4), "/a: the file has 5 bytes; the limit is 4"));
    CHECK(contains(error("missing"), "/missing: cannot open: No such file or directory"));
    CHECK(contains(error("."), "not a regular file"));
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    CHECK(contains(error("pipe"), "not a regular file"));  // and does not wait for a writer
}

TEST_CASE("read_file notices that the file changes, and every failing call") {
    temporary_folder const folder;
    write(folder / "a", "12345");
    for (int const by : {-1, 1}) {
        CAPTURE(by);
        CHECK(contains(thrown<file_error>([&] { (void)read_file(folder / "a", 100, changing_files(by)); }), "changed"));
    }
    for (int n = 0; n < 4; ++n) {  // open, status, two reads
        CAPTURE(n);
        failing_files files;
        files.fail_at = n;
        CHECK(contains(thrown<file_error>([&] { (void)read_file(folder / "a", 100, files); }), "No space left"));
        CHECK(std::ranges::count(files.calls, "close") == (n == 0 ? 0 : 1));
    }
}

TEST_CASE("interrupted calls and short counts are continued") {
    temporary_folder const folder;
    write_file_atomically(folder / "a", bytes_of("12345"), interrupted_files());
    CHECK(text_of(read_file(folder / "a", 5, interrupted_files())) == "12345");
    CHECK(names_in(folder.path) == std::vector<std::string>{"a"});
}

TEST_CASE("whichever call fails, the old file or the new one is there, and nothing else") {
    std::vector<std::string> const calls{"status", "open",  "open",   "set_mode", "write", "write",
                                         "sync",   "close", "rename", "sync",     "close"};
    std::array const chunks_text{bytes_of("new "), bytes_of("text")};
    std::array<std::span<std::byte const>, 2> const chunks{chunks_text[0], chunks_text[1]};

    int const last = static_cast<int>(calls.size()) - 1;
    for (int n = 0; n <= last; ++n) {
        CAPTURE(n, calls[static_cast<std::size_t>(n)]);
        temporary_folder const folder;
        write(folder / "a", "old text");
        failing_files files;
        files.fail_at = n;
        std::string const error = thrown<file_error>([&] { write_file_atomically(folder / "a", chunks, files); });

        // The folder was only read: that its closing fails means nothing.
        CHECK(contains(error, n == last ? "" : "No space left on device"));
        CHECK(error.empty() == (n == last));
        CHECK(content(folder / "a") == (n < last - 1 ? "old text" : "new text"));
        CHECK(names_in(folder.path) == std::vector<std::string>{"a"});
        auto const opened = std::ranges::count(files.calls, "open") - (n == 1 || n == 2);
        CHECK(std::ranges::count(files.calls, "close") == opened);
        if (n == last) CHECK(files.calls == calls);
    }
}

TEST_CASE("a file system that cannot sync folders is no error") {
    temporary_folder const folder;
    failing_files files;
    files.error = EINVAL;
    files.fail_at = 6;  // of status, open, open, write, sync, close, rename, sync: first the wrong one
    CHECK(contains(thrown<file_error>([&] { write_file_atomically(folder / "a", bytes_of("x"), files); }), "replace"));
    files.calls.clear();
    files.fail_at = 7;
    CHECK_NOTHROW(write_file_atomically(folder / "a", bytes_of("x"), files));
    CHECK(content(folder / "a") == "x");
}

TEST_CASE("a write beyond the allowed file size leaves the old file") {
    temporary_folder const folder;
    write(folder / "a", "old text");
    rlimit old_limit{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old_limit) == 0);
    rlimit const limit{1000, old_limit.rlim_max};
    auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    std::string const error = thrown<file_error>([&] { write(folder / "a", std::string(2000, 'x')); });
    ::setrlimit(RLIMIT_FSIZE, &old_limit);
    std::signal(SIGXFSZ, old_handler);

    CHECK(contains(error, "cannot write: File too large"));
    CHECK(content(folder / "a") == "old text");
    CHECK(names_in(folder.path) == std::vector<std::string>{"a"});
}

TEST_CASE("mode bits: an existing file keeps its own, a new one has those of the umask") {
    temporary_folder const folder;
    mode_t const old_mask = ::umask(027);
    write(folder / "new", "1");
    write(folder / "kept", "1");
    std::filesystem::permissions(folder / "kept", std::filesystem::perms{0604});
    write(folder / "kept", "2");
    ::umask(old_mask);
    CHECK(mode_of(folder / "new") == 0640);
    CHECK(mode_of(folder / "kept") == 0604);
    CHECK(content(folder / "kept") == "2");
}

TEST_CASE("what is not a regular file is not replaced, a symbolic link is") {
    temporary_folder const folder;
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    std::filesystem::create_directory(folder / "folder");
    for (auto const* name : {"pipe", "folder"})
        CHECK(contains(thrown<file_error>([&] { write(folder / name, "x"); }), "not a regular file; not replaced"));
    CHECK(contains(thrown<file_error>([&] { write(folder / "no/a", "x"); }), "cannot open: No such file"));

    write(folder / "target", "old");
    std::filesystem::create_symlink("target", folder / "link");
    write(folder / "link", "new");
    CHECK_FALSE(std::filesystem::is_symlink(folder / "link"));
    CHECK(content(folder / "link") == "new");
    CHECK(content(folder / "target") == "old");
}

TEST_CASE("a temporary that another thread is writing, or a dead process has left, is not touched") {
    temporary_folder const folder;
    std::string const stale = message("a.tmp.", ::getpid());
    write(folder / stale, "stale");
    write(folder / "a", "text");
    CHECK(content(folder / "a") == "text");
    CHECK(content(folder / stale) == "stale");
    CHECK(names_in(folder.path) == std::vector<std::string>{"a", stale});
}
