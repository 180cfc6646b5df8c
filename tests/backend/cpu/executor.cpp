#include "sequent/backend/cpu/executor.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "allocations.hpp"
#include "catch.hpp"

using namespace sequent;

namespace {
constexpr double much = 1e9;  // operations worth waking a thread for

struct counting : executor {
    int calls = 0;
    void run(int pieces, piece_function f) override {
        ++calls;
        for (int piece = pieces - 1; piece >= 0; --piece) f(piece);
    }
};
}  // namespace

TEST_CASE("thread_pool: each piece once, operation after operation") {
    for (int const threads : {1, 2, 5}) {
        thread_pool pool(threads);
        for (int const pieces : {2, 3, 64, 1000}) {
            std::vector<std::atomic<int>> calls(static_cast<std::size_t>(pieces));
            for_pieces(&pool, pieces, much, [&](int piece) { ++calls[static_cast<std::size_t>(piece)]; });
            int once = 0;
            for (auto const& count : calls) once += count == 1;
            CHECK(once == pieces);
        }
        pool.run(0, {nullptr, nullptr});  // nothing to do
    }
}

TEST_CASE("thread_pool: callers take turns") {
    thread_pool pool(3);
    std::atomic<int> sum = 0;
    auto const add = [&] {
        for (int round = 0; round < 50; ++round) for_pieces(&pool, 8, much, [&](int piece) { sum += piece; });
    };
    std::thread other(add);
    add();
    other.join();
    CHECK(sum == 2 * 50 * 28);
}

TEST_CASE("thread_pool: what a piece throws reaches the caller, and the pool lives on") {
    thread_pool pool(3);
    std::atomic<int> calls = 0;
    auto fail = [&](int piece) {
        ++calls;
        if (piece == 5) throw argument_error("five");
    };
    CHECK_THROWS_AS(for_pieces(&pool, 20, much, fail), argument_error);
    CHECK(calls == 20);
    for_pieces(&pool, 20, much, [&](int) { ++calls; });
    CHECK(calls == 40);
    CHECK_THROWS_AS(thread_pool(0), argument_error);
}

TEST_CASE("thread_pool: where not all threads can start, those that have end") {
    if (!sequent_tests::counts_allocations) SKIP_TEST("a sanitizer maps memory beyond any limit");
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit few = before;
    std::size_t stack = 0;
    pthread_attr_t attributes;
    REQUIRE(::pthread_attr_init(&attributes) == 0);
    REQUIRE(::pthread_attr_getstacksize(&attributes, &stack) == 0);
    few.rlim_cur = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + 8 * stack;
    REQUIRE(::setrlimit(RLIMIT_AS, &few) == 0);
    void* const beyond = ::mmap(nullptr, 16 * stack, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (beyond != MAP_FAILED) {
        ::munmap(beyond, 16 * stack);
        REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
        SKIP_TEST("this system does not limit memory");
    }
    std::string what;
    try {
        thread_pool const pool(1000);
    } catch (argument_error const& failure) {
        what = failure.what();
    }
    REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
    CHECK_THAT(what, Catch::StartsWith("sequent::thread_pool: only ") && Catch::Contains(" of 1000 threads could"));
    CHECK_THAT(what, !Catch::Contains("only 1 of"));
}

TEST_CASE("for_pieces: an executor of the user's own, where the work is large enough") {
    counting own;
    std::vector<int> order;
    for_pieces(&own, 3, much, [&](int piece) { order.push_back(piece); });
    CHECK(own.calls == 1);
    CHECK(order == std::vector{2, 1, 0});
    for_pieces(&own, 3, 10, [&](int piece) { order.push_back(piece); });  // too small
    for_pieces(&own, 1, much, [&](int piece) { order.push_back(piece); });
    for_pieces(nullptr, 2, much, [&](int piece) { order.push_back(piece); });
    CHECK(own.calls == 1);
    CHECK(order == std::vector{2, 1, 0, 0, 1, 2, 0, 0, 1});
}
