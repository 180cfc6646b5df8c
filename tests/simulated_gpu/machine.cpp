#include "machine.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "actions.hpp"

namespace simulated_gpu {

void enter(thread& t, program const& of, std::byte const* parameters) {
    std::size_t const first =
        t.frames.empty() ? 0 : t.now().first_register + static_cast<std::size_t>(t.now().of->registers);
    if (std::size_t const last = first + static_cast<std::size_t>(of.registers); t.registers.size() < last)
        t.registers.resize(last);
    t.r = t.registers.data() + first;
    auto const bytes = [](int n) { return std::vector<std::byte>(static_cast<std::size_t>(n), std::byte{0xFF}); };
    t.frames.push_back({&of, first, 0, parameters, {}, bytes(of.text->argument_bytes), bytes(of.text->local_bytes)});
    for (auto const& [n, value] : of.constants) t.r[n] = value;
    for (auto const& one : of.specials) t.r[one.to] = one.value(t);
}
namespace {

// Until the thread has to wait for others; whether it did anything new.
bool advance(thread& t) {
    bool is_new = false;
    for (;;) {
        frame& now = t.frames.back();
        instruction const& i = now.of->code[static_cast<std::size_t>(now.pc)];
        if (i.guard >= 0 && (static_cast<std::uint8_t>(t.r[i.guard]) != 0) == i.guard_negated) {
            ++now.pc;
            continue;
        }
        after const then = i.run(t, i);
        switch (then) {
        case after::next:
            ++now.pc;
            break;
        case after::jump:
            break;
        case after::try_again:
            ++now.pc;
            is_new = is_new || t.tried != &i;
            t.tried = &i;
            return is_new;
        default:
            t.state = then;
            return true;
        }
        if (then == after::next && t.tried != nullptr && i.run == actions::try_wait) t.tried = nullptr, is_new = true;
    }
}

std::string where(thread const& t) {
    auto const text = [](extent const& e) {
        return std::to_string(e.x) + "," + std::to_string(e.y) + "," + std::to_string(e.z);
    };
    std::string found = "block " + text(t.home->place) + ", thread " + text(t.place);
    if (!t.frames.empty()) {
        auto const& now = t.frames.back();
        if (static_cast<std::size_t>(now.pc) < now.of->code.size())
            found += ": " + now.of->code[static_cast<std::size_t>(now.pc)].text->text;
    }
    return found;
}

// Whether a warp did anything.
bool advance_warp(lanes const& warp) {
    bool is_new = false;
    for (;;) {
        for (thread* const t : warp) {
            if (t == nullptr || t->state != after::next) continue;
            try {
                if (advance(*t)) is_new = true;
            } catch (ptx_error const& error) {
                fail(std::string(error.what()) + " (" + where(*t) + ")");
            }
        }
        if (std::none_of(warp.begin(), warp.end(),
                         [](thread const* t) { return t != nullptr && t->state == after::wait_for_warp; }))
            return is_new;
        // Some meet: all must, at one place, unless others still try to pass an mbarrier.
        if (std::any_of(warp.begin(), warp.end(),
                        [](thread const* t) { return t != nullptr && t->state == after::next; }))
            return is_new;
        thread* const first = warp[0];
        for (thread* const t : warp)
            if (t == nullptr || t->state != after::wait_for_warp || t->now().pc != first->now().pc ||
                t->now().of != first->now().of)
                fail("lanes of a warp meet at different places: " + where(*first) +
                     (t == nullptr ? "; a lane is missing" : "; " + where(*t)));
        instruction const& i = first->now().of->code[static_cast<std::size_t>(first->now().pc)];
        try {
            i.warp(warp, i);
        } catch (ptx_error const& error) {
            fail(std::string(error.what()) + " (" + where(*first) + ")");
        }
        for (thread* const t : warp) t->state = after::next, ++t->now().pc;
        is_new = true;
    }
}

// All threads, if they wait for each other, go on.
template <class Threads>
bool release(Threads const& threads, after from) {
    thread const* waits = nullptr;
    bool has_left = false;
    for (thread* const t : threads) {
        if (t->state == after::exit)
            has_left = true;
        else if (t->state == from)
            waits = t;
        else
            return false;
    }
    if (waits == nullptr) return false;
    if (has_left) fail("a thread has left before a barrier that others wait at (" + where(*waits) + ")");
    for (thread* const t : threads) {
        t->state = after::next, ++t->now().pc;
        if (from == after::wait_for_cluster) t->has_arrived = false;
    }
    return true;
}

void arrive_at(sent_words const& sent) {
    auto const& threads = sent.to->threads;
    if (std::all_of(threads.begin(), threads.end(), [](thread const& t) { return t.state == after::exit; }))
        fail("st.async: the words come to a block that has ended");
    std::memcpy(sent.place, sent.words.data(), sent.bytes);
    sent.counts->bytes -= static_cast<std::int64_t>(sent.bytes);
    if (sent.counts->bytes < -(1 << 20)) fail("st.async: more bytes than an mbarrier can count");
    sent.counts->settle();
}

// A block whose threads do not meet: one after the other.
void run_alone(program const& kernel, launch const& how, allocations& memory, extent place, thread& t) {
    cluster all{&how, &memory, std::vector<block>(1), {}};
    block& here = all.blocks[0];
    here.home = &all, here.place = place, here.shared.assign(how.shared_bytes, std::byte{0xFF});
    t.home = &here;
    for (unsigned n = 0; n < how.block.size(); ++n) {
        t.place = {n % how.block.x, n / how.block.x % how.block.y, n / how.block.x / how.block.y};
        t.lane = static_cast<int>(n % 32), t.warp = static_cast<int>(n / 32);
        t.frames.clear(), t.state = after::next;
        enter(t, kernel, how.parameters.data());
        try {
            (void)advance(t);
        } catch (ptx_error const& error) {
            fail(std::string(error.what()) + " (" + where(t) + ")");
        }
    }
}

void run_cluster(program const& kernel, launch const& how, allocations& memory, extent first, std::uint64_t& random) {
    cluster all{&how, &memory, std::vector<block>(how.cluster), {}};
    std::vector<lanes> warps;
    std::vector<thread*> threads;
    for (unsigned rank = 0; rank < how.cluster; ++rank) {
        block& one = all.blocks[rank];
        one.home = &all, one.rank = rank, one.place = {first.x + rank, first.y, first.z};
        one.shared.assign(how.shared_bytes, std::byte{0xFF});
        one.threads.resize(how.block.size());
        for (unsigned n = 0; n < how.block.size(); ++n) {
            thread& t = one.threads[n];
            t.home = &one;
            t.place = {n % how.block.x, n / how.block.x % how.block.y, n / how.block.x / how.block.y};
            t.lane = static_cast<int>(n % 32), t.warp = static_cast<int>(n / 32);
            enter(t, kernel, how.parameters.data());
            if (t.lane == 0) warps.emplace_back().fill(nullptr);
            warps.back()[n % 32] = &t;
            threads.push_back(&t);
        }
    }
    auto const is_done = [](thread const* t) { return t->state == after::exit; };
    auto const all_awake = ~std::uint64_t{0};
    std::uint64_t awake = all_awake;  // blocks; for a while some sleep, so that others run ahead of them
    std::size_t const warps_of_block = warps.size() / all.blocks.size();
    std::vector<std::size_t> order(warps.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    while (!std::all_of(threads.begin(), threads.end(), is_done)) {
        bool is_new = false;
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (random >> 61 == 0) {
            awake = random >> 16;
            for (std::size_t k = order.size(); k > 1; --k) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                std::swap(order[k - 1], order[(random >> 33) % k]);
            }
        }
        for (std::size_t const w : order) {
            if ((awake >> (w / warps_of_block) & 1) != 0 && advance_warp(warps[w])) is_new = true;
        }
        for (std::size_t rank = 0; rank < all.blocks.size(); ++rank) {
            auto const first_of = threads.begin() + static_cast<std::ptrdiff_t>(rank * how.block.size());
            if (release(std::span(first_of, how.block.size()), after::wait_for_block)) is_new = true;
        }
        if (release(threads, after::wait_for_cluster)) is_new = true;
        // What is sent comes in any order, some of it late.
        bool const all_come = !is_new && awake == all_awake;
        for (std::size_t k = 0; k < all.sent.size();) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            if (!all_come && random >> 63 == 0) {
                ++k;
                continue;
            }
            arrive_at(std::exchange(all.sent[k], all.sent.back()));
            all.sent.pop_back();
            is_new = true;
        }
        if (!is_new && awake == all_awake) {
            auto const waits =
                std::find_if(threads.begin(), threads.end(), [&](thread const* t) { return !is_done(t); });
            fail("waits for ever: " + where(**waits));
        }
        if (!is_new) awake = all_awake;
    }
    for (sent_words const& late : all.sent) arrive_at(late);
    for (block const& one : all.blocks)
        for (auto const& [address, barrier] : one.barriers)
            if (barrier.bytes < 0) fail("an mbarrier has received bytes that nobody waits for");
}

}  // namespace

void run(module_text& module, std::string const& name, launch const& how, allocations& memory) {
    program const& kernel = assembled(module, name);
    memory.forget_last();
    if (how.grid.x % how.cluster != 0) fail("the grid is not a multiple of the cluster");
    static std::uint64_t random = 1;
    thread alone;
    for (unsigned z = 0; z < how.grid.z; ++z)
        for (unsigned y = 0; y < how.grid.y; ++y)
            for (unsigned x = 0; x < how.grid.x; x += how.cluster) {
                try {
                    if (kernel.meets || how.cluster > 1)
                        run_cluster(kernel, how, memory, {x, y, z}, random);
                    else
                        run_alone(kernel, how, memory, {x, y, z}, alone);
                } catch (ptx_error const& error) {
                    fail(name + ": " + error.what());
                }
            }
}

}  // namespace simulated_gpu
