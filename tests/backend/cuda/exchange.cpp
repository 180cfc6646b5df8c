#include "sequent/backend/cuda/exchange.hpp"

#include <algorithm>
#include <set>

#include "catch.hpp"

using namespace sequent;
using Catch::Matchers::Contains;

namespace {

enum class defect { none, sends_less, sends_more, one_buffer, no_arrival, no_sync, early, wrong_barrier };

// Three blocks of two warps. At each step every lane reads what the lanes like it in all warps of the cluster have told
// since the step before, and tells all of them a number of its own: in its own block's memory, and in the others'.
template <defect Defect>
struct telling_body {
    static constexpr int blocks = 3, warps = 2, buffer = blocks * warps * 32 * 8;
    static constexpr int arrivals = Defect == defect::no_arrival ? 0 : warps;
    using exchange = cluster_exchange<2 * buffer, (blocks - 1) * warps * 32 * 8, arrivals>;
    static constexpr int shared_bytes = 2 * buffer + exchange::barriers_bytes;
    static constexpr bool receives = false;
    struct arguments {
        std::vector<int>* visits;   // of each block
        std::set<int>* lead;        // how far a block was ahead of another when it began a step
        std::vector<float>* heard;  // sums of the last step
    };

    [[nodiscard]] int steps() const { return 4; }
    static int place(int visit, int from, int lane) {
        int const which = Defect == defect::one_buffer ? 0 : visit % 2;
        return which * buffer + (from * 32 + lane) * 8;
    }
    static float number(int visit, int from, int lane) { return static_cast<float>(1000 * visit + 100 * from + lane); }

    void start(emulated_warp& warp, arguments const&) {
        exchange::start(warp);
        warp.lanes([&](int lane) {
            for (int from = warp.index(); from < blocks * warps; from += warps)
                warp.store(lane, place(0, from, lane), float_pair{number(0, from, lane), 0});
        });
    }
    void step(emulated_warp& warp, arguments const& all, int visit) {
        int const mine = warp.block_x(), me = mine * warps + warp.index();
        (*all.visits)[static_cast<std::size_t>(mine)] = visit;
        all.lead->insert(visit - *std::min_element(all.visits->begin(), all.visits->end()));
        warp.lanes([&](int lane) {
            float sum = 0;
            for (int from = 0; from < blocks * warps; ++from)
                sum += warp.load<float_pair>(lane, place(visit + (Defect == defect::early), from, lane)).first;
            if (visit + 1 == steps()) all.heard->push_back(sum);
        });
        warp.sync();
        warp.lanes([&](int lane) {
            float_pair const told{number(visit + 1, me, lane), 0};
            warp.store(lane, place(visit + 1, me, lane), told);
            for (int to = 0; to < blocks; ++to) {
                if (to == mine || (Defect == defect::sends_less && visit == 2 && me == 3 && lane == 7)) continue;
                int const barrier = exchange::barrier(visit + (Defect == defect::wrong_barrier && visit == 1));
                warp.store_async(lane, to, place(visit + 1, me, lane), told, barrier);
                if (Defect == defect::sends_more && visit == 1 && me == 0 && lane == 0)
                    warp.store_async(lane, to, place(visit + 1, me, lane), told, barrier);
            }
        });
        if (Defect != defect::no_sync) warp.sync();
        if (arrivals > 0) exchange::arrive(warp, visit);
    }
    void finish(emulated_warp&, arguments const&) {}
};

struct outcome {
    std::set<int> lead;
    std::vector<float> heard;
};
template <defect Defect>
outcome run(std::uint64_t seed) {
    outcome made;
    std::vector<int> visits(3);
    using body = telling_body<Defect>;
    emulate_clusters<body>(1, 1, typename body::arguments{&visits, &made.lead, &made.heard}, seed);
    return made;
}

}  // namespace

TEST_CASE("exchange: all hear what all told a step ago, and a block is at most a step ahead of another") {
    std::set<int> lead;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        auto made = run<defect::none>(seed);
        lead.insert(made.lead.begin(), made.lead.end());
        std::vector<float> expected;
        for (int listener = 0; listener < 6; ++listener)
            for (int lane = 0; lane < 32; ++lane) {
                float sum = 0;
                for (int from = 0; from < 6; ++from) sum += telling_body<defect::none>::number(3, from, lane);
                expected.push_back(sum);
            }
        std::sort(expected.begin(), expected.end()), std::sort(made.heard.begin(), made.heard.end());
        CHECK(made.heard == expected);
    }
    CHECK(lead == std::set{0, 1});
}

TEST_CASE("exchange: bytes that are missing, too many or counted elsewhere are errors") {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        CHECK_THROWS_WITH(run<defect::sends_less>(seed), Contains("waits for 8 bytes"));
        CHECK_THROWS_WITH(run<defect::sends_more>(seed), Contains("bytes too many") || Contains("another"));
        CHECK_THROWS_WITH(run<defect::wrong_barrier>(seed), Contains("bytes too many") || Contains("waits for"));
    }
}

TEST_CASE("exchange: a buffer that others still read, numbers that nobody waited for are errors in any order") {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        CHECK_THROWS_WITH(run<defect::one_buffer>(seed),
                          Contains("what another touches") || Contains("what another writes"));
        CHECK_THROWS_WITH(run<defect::no_arrival>(seed), Contains("reads what"));
        CHECK_THROWS_WITH(run<defect::no_sync>(seed), Contains("reads what"));
        CHECK_THROWS_WITH(run<defect::early>(seed), Contains("reads what"));
    }
}
