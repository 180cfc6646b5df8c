#include "sequent/backend/cuda/emulated_memory.hpp"

#include <cmath>

#include "catch.hpp"

using namespace sequent;
using Catch::Matchers::Contains;

namespace {

// Two blocks of two warps; thread 32 is the first of a block's second warp. An mbarrier at byte 0 of both blocks waits
// for 8 bytes.
struct two_blocks : emulated_cluster {
    two_blocks() : emulated_cluster(2, 2, 64) {
        for (int block = 0; block < 2; ++block) create_barrier(block, 0, 1), arrive(block, 0, 0, 8);
        cluster_barrier();
    }
};

constexpr std::uint64_t number = 0x123456789ABCDEF;

}  // namespace

TEST_CASE("emulated memory: an asynchronous store is there for those who have waited, and for them alone") {
    two_blocks memory;
    memory.store_async(0, 0, 1, 16, number, 0);
    CHECK(memory.passed(1, 0, 0));
    CHECK_FALSE(memory.passed(1, 0, 1));
    CHECK_FALSE(memory.passed(0, 0, 0));
    CHECK_THROWS_WITH(memory.load<std::uint64_t>(1, 0, 16), Contains("reads what another writes"));
    memory.wait(1, 0, 0, 0);
    CHECK(memory.load<std::uint64_t>(1, 0, 16) == number);
    CHECK(memory.load<std::uint64_t>(1, 31, 16) == number);
    CHECK_THROWS_WITH(memory.load<std::uint64_t>(1, 32, 16), Contains("thread 32 reads what another writes"));
    CHECK_THROWS_WITH(memory.wait(0, 0, 0, 0), Contains("was not waited for"));
}

TEST_CASE("emulated memory: who receives also knows what the sender did and knew before, not what it did after") {
    two_blocks memory;
    memory.create_barrier(0, 8, 1);
    memory.store(0, 32, 16, 1.0f);  // by another warp of the sender's block
    memory.arrive(0, 32, 8, 0);
    memory.wait(0, 0, 8, 0);
    memory.store(0, 0, 20, 2.0f);
    memory.store_async(0, 0, 1, 16, number, 0);
    memory.store(0, 0, 24, 3.0f);
    memory.wait(1, 0, 0, 0);
    memory.store_async(1, 0, 0, 16, number, 0);  // over both: they are known
    CHECK_THROWS_WITH(memory.store_async(1, 0, 0, 24, number, 0),
                      Contains("an asynchronous store writes what another touches"));
}

TEST_CASE("emulated memory: who arrives tells of what other lanes did only if a sync came between") {
    for (bool const synced : {false, true}) {
        two_blocks memory;
        memory.create_barrier(0, 8, 1);
        memory.store(0, 1, 16, 1.0f);
        if (synced) memory.sync(0, 0);
        memory.store(0, 0, 20, 1.0f);
        memory.arrive(0, 0, 8, 0);
        memory.wait(0, 1, 8, 0);
        if (synced)
            CHECK(memory.load<float>(0, 32, 16) == 1);
        else
            CHECK_THROWS_WITH(memory.load<float>(0, 32, 16), Contains("reads what another writes"));
        memory.store_async(0, 0, 1, 24, number, 0);  // its bytes, as those of all stores
        CHECK_THROWS_WITH(memory.load<std::uint64_t>(1, 0, 24), Contains("reads what another writes"));
    }
}

TEST_CASE("emulated memory: to have waited is no sync: a lane does not know what another did before") {
    two_blocks memory;
    memory.store(1, 0, 16, 1.0f);
    memory.store_async(0, 0, 1, 24, number, 0);
    memory.wait(1, 0, 0, 0);
    CHECK(memory.load<std::uint64_t>(1, 1, 24) == number);
    CHECK_THROWS_WITH(memory.load<float>(1, 1, 16), Contains("reads what another writes"));
}

TEST_CASE("emulated memory: a store into what is still being read is an error, though nobody has seen it happen") {
    two_blocks memory;
    memory.store(1, 0, 16, number);
    memory.block_barrier(1);
    (void)memory.load<std::uint64_t>(1, 40, 16);
    CHECK_THROWS_WITH(memory.store_async(0, 0, 1, 16, number, 0), Contains("writes what another touches"));
    CHECK_THROWS_WITH(memory.store(1, 0, 16, number), Contains("writes what another touches"));
    CHECK_THROWS_WITH(memory.store(1, 41, 16, number), Contains("writes what another touches"));
    memory.cluster_barrier();
    memory.store_async(0, 0, 1, 16, number, 0);
}

TEST_CASE("emulated memory: barriers order the warps of a block or of the cluster, sync the lanes of a warp") {
    two_blocks memory;
    memory.store(0, 0, 16, 1.0f);
    CHECK(memory.load<float>(0, 0, 16) == 1);
    CHECK_THROWS_WITH(memory.load<float>(0, 1, 16), Contains("reads what another writes"));
    memory.sync(0, 0);
    CHECK(memory.load<float>(0, 1, 16) == 1);
    CHECK_THROWS_WITH(memory.load<float>(0, 32, 16), Contains("reads what another writes"));
    memory.block_barrier(1);
    CHECK_THROWS_WITH(memory.load<float>(0, 32, 16), Contains("reads what another writes"));
    memory.block_barrier(0);
    CHECK(memory.load<float>(0, 32, 16) == 1);
    memory.sync(0, 1);
    memory.sync(0, 0);
    CHECK_THROWS_WITH(memory.store(0, 0, 16, 2.0f), Contains("writes what another touches"));
    memory.cluster_barrier();
    memory.store(0, 33, 16, 2.0f);
}

TEST_CASE("emulated memory: bytes and arrivals that do not add up are errors") {
    two_blocks memory;
    memory.check_finished(8);
    CHECK_THROWS_WITH(memory.store_async(0, 0, 1, 16, 1.0f, 4), Contains("byte 4 of block 1 does not exist"));
    memory.store_async(0, 0, 1, 16, 1.0f, 0);
    CHECK_FALSE(memory.passed(1, 0, 0));
    CHECK_THROWS_WITH(memory.check_finished(8), Contains("block 1 holds bytes that nobody waits for"));
    CHECK_THROWS_WITH(memory.fail_waiting(1, 0), Contains("waits for 4 bytes and 0 arrivals"));
    CHECK_THROWS_WITH(memory.arrive(1, 0, 0, 0), Contains("more arrivals than it expects"));
    CHECK_THROWS_WITH(memory.store_async(0, 0, 1, 24, number, 0), Contains("receives 4 bytes too many"));
}

TEST_CASE("emulated memory: starts as NaN, and has an end") {
    emulated_cluster memory(1, 1, 64);
    CHECK_THROWS_WITH(memory.load<float>(0, 0, 60), Contains("reads what nobody has written"));
    CHECK_THROWS_WITH(memory.store(0, 0, 64, 1.0f), Contains("beyond its 64 bytes"));
    CHECK_THROWS_WITH(memory.store(0, 0, 4, number), Contains("misaligned"));
}
