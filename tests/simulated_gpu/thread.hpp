// What runs: instructions, programs of them, and the threads of a cluster's blocks.
#pragma once

#include <array>
#include <cstring>
#include <utility>

#include "machine.hpp"

namespace simulated_gpu {

constexpr std::uint64_t rank_unit = std::uint64_t{1} << 24;  // of an address in shared::cluster: (rank + 1) of these

struct thread;
struct block;
struct instruction;
enum class after { next, jump, wait_for_warp, wait_for_block, wait_for_cluster, try_again, exit };
using action = after (*)(thread&, instruction const&);
using lanes = std::array<thread*, 32>;
using warp_action = void (*)(lanes const&, instruction const&);

struct instruction {
    action run = nullptr;
    warp_action warp = nullptr;  // for those whose warp meets
    int guard = -1;
    bool guard_negated = false;
    bool swapped = false;     // of a second predicate, say
    std::array<int, 16> o{};  // registers
    std::int64_t number = 0;  // an offset, a count
    std::int64_t number2 = 0;
    struct program const* callee = nullptr;
    std::vector<std::pair<int, int>> copies;  // of a call: place there, bytes
    statement const* text = nullptr;
};

// A function whose names are numbers.
struct program {
    function_text const* text = nullptr;
    int registers = 0;
    std::vector<std::pair<int, std::uint64_t>> constants;
    struct special {
        int to;
        std::uint64_t (*value)(thread const&);
    };
    std::vector<special> specials;
    std::vector<instruction> code;
    bool meets = false;  // threads wait for each other somewhere
};

struct frame {
    program const* of;
    std::size_t first_register;
    int pc;
    std::byte const* parameters;
    std::vector<std::byte> own_parameters, arguments, locals;  // a kernel's parameters are the launch's
    int result_place = -1;                                     // among the caller's arguments
};

struct thread {
    block* home = nullptr;
    extent place;
    int lane = 0, warp = 0;
    std::vector<std::uint64_t> registers;
    std::vector<frame> frames;
    after state = after::next;
    bool has_arrived = false;    // at the cluster's barrier
    std::uint64_t* r = nullptr;  // of the innermost frame
    instruction const* tried = nullptr;

    [[nodiscard]] frame& now() { return frames.back(); }
    template <class T>
    [[nodiscard]] T get(int n) const {
        T value;
        std::memcpy(&value, r + n, sizeof(T));
        return value;
    }
    template <class T>
    void set(int n, T value) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof(T));
        r[n] = bits;
    }
};

struct barrier_object {
    int expected = 0, pending = 0;
    std::int64_t bytes = 0;
    std::uint64_t phase = 0;
    void settle() {
        if (pending == 0 && bytes == 0) ++phase, pending = expected;
    }
};

struct block {
    struct cluster* home = nullptr;
    extent place;
    unsigned rank = 0;
    std::vector<std::byte> shared;
    std::map<std::uint64_t, barrier_object> barriers;
    std::vector<thread> threads;
};

// Words on their way to a block's shared memory, and the mbarrier there that counts their bytes.
struct sent_words {
    block* to;
    std::byte* place;
    barrier_object* counts;
    std::array<std::uint32_t, 4> words;
    std::size_t bytes;
};

struct cluster {
    launch const* how;
    allocations* memory;
    std::vector<block> blocks;
    std::vector<sent_words> sent;
};

[[noreturn]] inline void fail(std::string const& what) { throw ptx_error(what); }

// The program of a kernel or function, and what it calls. Throws ptx_error for what is not understood.
program const& assembled(module_text& module, std::string const& name);
// A call of a function: t has a new innermost frame.
void enter(thread& t, program const& of, std::byte const* parameters);

}  // namespace simulated_gpu
