// The shared memory of the blocks of a cluster on the host, for tests: what kernels store there, and who may touch it.
// Memory starts as NaN. A word that one thread writes and another touches is an error unless something orders the two:
// a barrier of the block or the cluster, an mbarrier, or, within a warp, its sync. That is judged from what each warp
// can know of the others (vector clocks), not from the order in which the emulator happens to run them. A thread that
// arrives at an mbarrier, or stores there, tells of what its warp did before its last sync; of what came since, only if
// that was the thread's alone. Asynchronous stores count their bytes at an mbarrier; too many, or too few at the end,
// are an error.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <type_traits>
#include <vector>

#include "../../core/error.hpp"

namespace sequent {

// How many events of each participant somebody knows to have happened. Participants are the warps of a cluster, then
// their asynchronous stores: those happen some time after the warp has asked for them, when an mbarrier says so.
class emulated_clock {
  public:
    explicit emulated_clock(int participants = 0) : counts_(static_cast<std::size_t>(participants)) {}

    int& operator[](int participant) { return counts_[static_cast<std::size_t>(participant)]; }
    int operator[](int participant) const { return counts_[static_cast<std::size_t>(participant)]; }
    void learn(emulated_clock const& from) {
        for (std::size_t n = 0; n < counts_.size(); ++n) counts_[n] = std::max(counts_[n], from.counts_[n]);
    }

  private:
    std::vector<int> counts_;
};

// Something done by a participant; for a warp, by one of its threads between two syncs.
struct emulated_event {
    int participant = -1, count = 0, thread = -1, sync = 0;
};

// The shared memory of a block.
class emulated_shared {
  public:
    explicit emulated_shared(int bytes) : words_(static_cast<std::size_t>(bytes) / 4) {}

    template <class T>
    [[nodiscard]] T load(emulated_event const& now, emulated_clock const& known, int at) {
        std::array<std::uint32_t, sizeof(T) / 4> bits;
        for (std::size_t n = 0; n < bits.size(); ++n) {
            word& w = find(at, n, sizeof(T));
            if (!w.written) fail("reads what nobody has written", now, at);
            if (!before(w.write, now, known)) fail("reads what another writes", now, at);
            note(w.reads, now);
            bits[n] = w.bits;
        }
        T value;
        std::memcpy(&value, bits.data(), sizeof(T));
        return value;
    }
    template <class T>
    void store(emulated_event const& now, emulated_clock const& known, int at, T const& value) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0,
                      "sequent::emulated_shared: moves words of 4 bytes; pack smaller numbers first");
        std::array<std::uint32_t, sizeof(T) / 4> bits;
        std::memcpy(bits.data(), &value, sizeof(T));
        for (std::size_t n = 0; n < bits.size(); ++n) {
            word& w = find(at, n, sizeof(T));
            bool ordered = !w.written || before(w.write, now, known);
            for (emulated_event const& read : w.reads) ordered = ordered && before(read, now, known);
            if (!ordered) fail("writes what another touches", now, at);
            w.bits = bits[n], w.write = now, w.written = true;
            w.reads.clear();  // all of them are before this, and whatever comes after this is after them
        }
    }

  private:
    static constexpr int many = -2;
    struct word {
        std::uint32_t bits = 0xFFFFFFFF;  // NaN in every format
        bool written = false;
        emulated_event write;
        std::vector<emulated_event> reads;  // the last of each warp
    };

    static bool before(emulated_event const& past, emulated_event const& now, emulated_clock const& known) {
        if (past.participant == now.participant && now.thread >= 0)
            return past.thread == now.thread || past.sync < now.sync;
        return known[past.participant] >= past.count;
    }
    static void note(std::vector<emulated_event>& reads, emulated_event const& now) {
        for (emulated_event& read : reads)
            if (read.participant == now.participant) {
                int const reader = read.sync == now.sync && read.thread != now.thread ? many : now.thread;
                read = now, read.thread = reader;
                return;
            }
        reads.push_back(now);
    }
    word& find(int at, std::size_t n, std::size_t size) {
        if (at < 0 || static_cast<std::size_t>(at) % size != 0 || static_cast<std::size_t>(at) / 4 + n >= words_.size())
            throw error(message("sequent::emulated_warp: byte ", at, " of shared memory is misaligned or beyond its ",
                                4 * words_.size(), " bytes"));
        return words_[static_cast<std::size_t>(at) / 4 + n];
    }
    [[noreturn]] void fail(char const* what, emulated_event const& now, int at) const {
        throw error(message("sequent::emulated_warp: ",
                            now.thread < 0 ? message("an asynchronous store") : message("thread ", now.thread), " ",
                            what, ": byte ", at, " of shared memory"));
    }

    std::vector<word> words_;
};

// An mbarrier: a phase ends when so many have arrived and as many bytes as were announced.
struct emulated_mbarrier {
    int expected_arrivals = 0, arrivals = 0, phases = 0;
    long bytes = 0;                   // announced and still to come
    emulated_clock gathered, passed;  // what who has arrived in this phase knew; of the phases before
};

// The blocks of a cluster: their memories, the clocks of their warps and their mbarriers, by byte of shared memory.
// Threads are counted in their block.
class emulated_cluster {
  public:
    static constexpr int warp_size = 32;

    emulated_cluster(int blocks, int warps, int bytes)
        : warps_(warps), shared_(static_cast<std::size_t>(blocks), emulated_shared(bytes)),
          barriers_(static_cast<std::size_t>(blocks)),
          clocks_(static_cast<std::size_t>(blocks * warps), emulated_clock(2 * blocks * warps)),
          syncs_(clocks_.size()) {
        for (int w = 0; w < blocks * warps; ++w) clocks_[index(w)][w] = 1;
    }

    template <class T>
    [[nodiscard]] T load(int block, int thread, int at) {
        int const w = warp(block, thread);
        return shared_[index(block)].load<T>(event(w, thread), clocks_[index(w)], at);
    }
    template <class T>
    void store(int block, int thread, int at, T const& value) {
        int const w = warp(block, thread);
        shared_[index(block)].store(event(w, thread), clocks_[index(w)], at, value);
    }
    // Lanes of a warp know what the others did before.
    void sync(int block, int warp) { end_sync(block * warps_ + warp); }
    // All warps of a block, or of the cluster, know what all of them did before.
    void block_barrier(int block) { meet(block * warps_, warps_); }
    void cluster_barrier() { meet(0, static_cast<int>(clocks_.size())); }

    void create_barrier(int block, int at, int arrivals) {
        emulated_clock const nothing(2 * static_cast<int>(clocks_.size()));
        barriers_[index(block)][at] = {arrivals, arrivals, 0, 0, nothing, nothing};
    }
    void arrive(int block, int thread, int at, int announced_bytes) {
        emulated_mbarrier& barrier = find(block, at);
        int const w = warp(block, thread);
        if (barrier.arrivals == 0) fail(block, at, "has more arrivals than it expects");
        --barrier.arrivals, barrier.bytes += announced_bytes;
        barrier.gathered.learn(told_by(w, thread));
        tick(w);
        end_phase(barrier);
    }
    // Stores into another block (or this one) and counts the bytes at its mbarrier.
    template <class T>
    void store_async(int block, int thread, int to, int at, T const& value, int barrier_at) {
        int const w = warp(block, thread), agent = static_cast<int>(clocks_.size()) + w;
        emulated_clock const mine = told_by(w, thread);
        emulated_mbarrier& barrier = find(to, barrier_at);
        emulated_event const now{agent, ++stores_[agent], -1, 0};
        shared_[index(to)].store(now, mine, at, value);
        barrier.bytes -= static_cast<long>(sizeof(T));
        if (barrier.bytes < 0) fail(to, barrier_at, message("receives ", -barrier.bytes, " bytes too many"));
        barrier.gathered.learn(mine);
        barrier.gathered[agent] = now.count;
        tick(w);
        end_phase(barrier);
    }
    // Whether the phase of this parity has ended, as mbarrier.try_wait.parity has it.
    [[nodiscard]] bool passed(int block, int at, int parity) { return find(block, at).phases % 2 != parity; }
    // All that was done before the phase ended is known to the warp from now on.
    void wait(int block, int warp, int at, int parity) {
        if (!passed(block, at, parity)) fail(block, at, "was not waited for");
        clocks_[index(block * warps_ + warp)].learn(find(block, at).passed);
    }

    // Throws where an mbarrier is in the middle of a phase: some of its bytes or arrivals have come, not all.
    void check_finished(int announced_bytes) {
        for (std::size_t block = 0; block < barriers_.size(); ++block)
            for (auto const& [at, barrier] : barriers_[block])
                if (barrier.bytes != 0 && barrier.bytes != announced_bytes)
                    fail(static_cast<int>(block), at, "holds bytes that nobody waits for");
    }
    [[noreturn]] void fail_waiting(int block, int at) {
        emulated_mbarrier const& barrier = find(block, at);
        fail(block, at,
             message("waits for ", barrier.bytes, " bytes and ", barrier.arrivals, " arrivals that will never come"));
    }

  private:
    [[noreturn]] static void fail(int block, int at, std::string const& what) {
        throw error(message("sequent::emulated_cluster: the mbarrier at byte ", at, " of block ", block, " ", what));
    }
    emulated_mbarrier& find(int block, int at) {
        auto const found = barriers_[index(block)].find(at);
        if (found == barriers_[index(block)].end()) fail(block, at, "does not exist");
        return found->second;
    }
    static std::size_t index(int n) { return static_cast<std::size_t>(n); }
    [[nodiscard]] int warp(int block, int thread) const { return block * warps_ + thread / warp_size; }
    // What the lanes of a warp have done since their last sync: no lane, one or several; and when that was.
    struct sync_state {
        static constexpr int none = -1, several = -2;
        int number = 0, count = 0, thread = none;
    };
    [[nodiscard]] emulated_event event(int w, int thread) {
        sync_state& since = syncs_[index(w)];
        since.thread = since.thread == sync_state::none || since.thread == thread ? thread : sync_state::several;
        return {w, clocks_[index(w)][w], thread, since.number};
    }
    [[nodiscard]] emulated_clock told_by(int w, int thread) const {
        emulated_clock told = clocks_[index(w)];
        sync_state const& since = syncs_[index(w)];
        if (since.thread != sync_state::none && since.thread != thread) told[w] = since.count;
        return told;
    }
    void end_sync(int w) {
        sync_state& since = syncs_[index(w)];
        since = {since.number + 1, clocks_[index(w)][w], sync_state::none};
        tick(w);
    }
    void tick(int w) { ++clocks_[index(w)][w]; }
    void meet(int first, int count) {
        emulated_clock all(clocks_[index(first)]);
        for (int w = first; w < first + count; ++w) all.learn(clocks_[index(w)]);
        for (int w = first; w < first + count; ++w) clocks_[index(w)] = all, end_sync(w);
    }
    static void end_phase(emulated_mbarrier& barrier) {
        if (barrier.arrivals != 0 || barrier.bytes != 0) return;
        barrier.passed = barrier.gathered;
        barrier.arrivals = barrier.expected_arrivals;
        ++barrier.phases;
    }

    int warps_;
    std::vector<emulated_shared> shared_;
    std::vector<std::map<int, emulated_mbarrier>> barriers_;
    std::vector<emulated_clock> clocks_;
    std::vector<sync_state> syncs_;  // of each warp
    std::map<int, int> stores_;      // of each agent
};

}  // namespace sequent
