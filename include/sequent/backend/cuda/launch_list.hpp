// Launches that are noted instead of made, so that those which come again can be made as one: a CUDA graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <type_traits>
#include <utility>
#include <vector>

#include "device_buffer.hpp"
#include "machine.hpp"

namespace sequent {

// Calls of a machine, one after the other. A call is an object with a const operator()(Machine&). One that is `fixed`
// belongs to the list's structure with all its bytes; of the others only the type does, and a graph of the list takes
// their bytes anew before it is launched.
template <class Machine>
class launch_list {
  public:
    template <class Call>
    void add(Call const& call) {
        static_assert(std::is_trivially_copyable_v<Call>);
        static_assert(!Call::fixed || std::has_unique_object_representations_v<Call>);
        std::size_t const first = words_.size(), size = (sizeof(Call) + sizeof(word) - 1) / sizeof(word);
        words_.resize(first + size);
        std::memcpy(words_.data() + first, &call, sizeof(Call));
        calls_.push_back({&make<Call>, first, size, Call::fixed});
    }
    void clear() { calls_.clear(), words_.clear(); }
    [[nodiscard]] std::size_t size() const { return calls_.size(); }

    void run(Machine& machine, std::size_t k) const { calls_[k].make(machine, words_of(k)); }
    void run(Machine& machine) const {
        for (std::size_t k = 0; k < size(); ++k) run(machine, k);
    }
    [[nodiscard]] bool is_fixed(std::size_t k) const { return calls_[k].fixed; }

    // Of the structure, and whether it is the same.
    [[nodiscard]] std::uint64_t hash() const {
        word sum = size();
        auto const add = [&](word one) { sum = (sum ^ one) * 0x9E3779B97F4A7C15, sum ^= sum >> 32; };
        for (std::size_t k = 0; k < size(); ++k) {
            add(reinterpret_cast<std::uintptr_t>(calls_[k].make));
            if (is_fixed(k)) std::for_each_n(words_of(k), calls_[k].size, add);
        }
        return sum;
    }
    [[nodiscard]] bool is_like(launch_list const& other) const {
        if (size() != other.size()) return false;
        for (std::size_t k = 0; k < size(); ++k)
            if (calls_[k].make != other.calls_[k].make || (is_fixed(k) && !has_call(k, other))) return false;
        return true;
    }
    // For a list of the same structure: whether its call k is the same to the byte; takes it over.
    [[nodiscard]] bool has_call(std::size_t k, launch_list const& other) const {
        return std::equal(words_of(k), words_of(k) + calls_[k].size, other.words_of(k));
    }
    void take_call(std::size_t k, launch_list const& other) {
        std::copy_n(other.words_of(k), calls_[k].size, words_.data() + calls_[k].first);
    }

  private:
    using word = std::uint64_t;
    struct noted_call {
        void (*make)(Machine&, word const*);
        std::size_t first, size;  // its words
        bool fixed;
    };

    template <class Call>
    static void make(Machine& machine, word const* words) {
        alignas(Call) std::byte room[sizeof(Call)];
        std::memcpy(room, words, sizeof(Call));
        (*reinterpret_cast<Call const*>(room))(machine);
    }
    [[nodiscard]] word const* words_of(std::size_t k) const { return words_.data() + calls_[k].first; }

    std::vector<noted_call> calls_;
    std::vector<word> words_;
};

// Who notes the launches of this thread, if somebody does.
class launch_notes {
  public:
    // Makes all that is noted: for what cannot be noted and must come after it.
    static void catch_up() {
        if (current != nullptr) current->make();
    }
    // Whether this memory is released later, since launches that are noted may use it.
    [[nodiscard]] static bool keep(void* memory) {
        if (current != nullptr && memory != nullptr) current->kept_.push_back(memory);
        return current != nullptr;
    }

  protected:
    launch_notes() = default;
    ~launch_notes() = default;
    virtual void make() = 0;

    static inline thread_local launch_notes* current = nullptr;
    std::vector<void*> kept_;
};

// What a machine noted, and graphs of what it noted before. The machine has
//   capture(list) -> Graph, launch(graph)     a list's launches, made as one
//   renew(graph, k, list)                     call k of the graph becomes that of a list of the same structure
//   end_list()                                told when a list is made
//   makes_graphs                              whether it does; if not, lists are made call by call
template <class Machine, class Graph>
class launch_memory final : launch_notes {
  public:
    // Gives f(), and makes its launches in their order when it has ended. They are made as one from the second time on
    // that the structure comes: the first time may be the last, and a graph costs more than its launches. Within
    // another together, f belongs to that.
    template <class F>
    auto together(Machine& machine, F const& f) {
        if (current != nullptr) return f();
        machine_ = &machine;
        struct noting {
            launch_memory& here;
            explicit noting(launch_memory& notes) : here(notes) { current = &here; }
            ~noting() { current = nullptr, here.uploads_.clear(), here.sent_ = 0; }
        } const until_the_end(*this);
        try {
            if constexpr (std::is_void_v<decltype(f())>) {
                f();
                make();
            } else {
                auto const result = f();
                make();
                return result;
            }
        } catch (...) {
            make();  // what came before the error is done, as it would be without notes
            throw;
        }
    }
    [[nodiscard]] bool is_noting() const { return current == this; }
    // Whether the call is noted, to be made later.
    template <class Call>
    [[nodiscard]] bool note(Call const& call) {
        if (is_noting()) list_.add(call);
        return is_noting();
    }
    // Numbers of the host, at a place of the device where the list will find them, until together ends. They go there
    // in one copy, just before the list is made. Null: nothing is noted, or they are too many, and all so far is made.
    [[nodiscard]] void* upload(void const* from, std::size_t bytes) {
        if (!is_noting()) return nullptr;
        // Round sizes, so that what comes behind them keeps its place, and its calls need not be renewed.
        std::size_t const most = std::min(bytes, room_for_uploads + 1);
        std::size_t const room = static_cast<std::size_t>(round_up(static_cast<int>(most)) + 63) / 64 * 64;
        std::size_t const first = uploads_.size();
        if (first + room > room_for_uploads) {
            make();
            return nullptr;
        }
        uploads_.resize(first + room);
        if (bytes > 0) std::memcpy(uploads_.data() + first, from, bytes);
        return on_device_.reserve(room_for_uploads) + first;
    }

  private:
    static constexpr std::size_t most_graphs = 128, most_seen = 1024, room_for_uploads = 1 << 20;

    void make() override {
        struct pause {
            launch_memory& of;
            explicit pause(launch_memory& notes) : of(notes) { current = nullptr; }
            ~pause() {
                of.list_.clear();
                for (void* const memory : std::exchange(of.kept_, {})) Machine::release(memory);
                current = &of;
            }
        } const until_made(*this);
        std::size_t const sent = std::exchange(sent_, uploads_.size());
        if (sent < sent_) machine_->from_host(uploads_.data() + sent, sent_ - sent, on_device_.data() + sent);
        if (list_.size() > 0) make_list();
        machine_->end_list();
    }
    void make_list() {
        if (!machine_->makes_graphs) return list_.run(*machine_);
        std::uint64_t const hash = list_.hash();
        auto const known = std::find_if(graphs_.begin(), graphs_.end(),
                                        [&](auto const& one) { return one.hash == hash && one.list.is_like(list_); });
        std::list<known_list> now;  // where something fails, the graph is forgotten
        if (known != graphs_.end()) {
            now.splice(now.end(), graphs_, known);
            for (std::size_t k = 0; k < list_.size(); ++k) {
                if (now.front().list.has_call(k, list_)) continue;
                machine_->renew(now.front().graph, k, list_);
                now.front().list.take_call(k, list_);
            }
        } else if (auto const seen = std::find(seen_.begin(), seen_.end(), hash); seen == seen_.end()) {
            list_.run(*machine_);
            if (seen_.size() == most_seen) seen_.pop_front();
            seen_.push_back(hash);
            return;
        } else {
            seen_.erase(seen);
            if (graphs_.size() == most_graphs) graphs_.pop_front();
            now.push_back({hash, list_, machine_->capture(list_)});
        }
        machine_->launch(now.front().graph);
        graphs_.splice(graphs_.end(), now);
    }

    struct known_list {
        std::uint64_t hash;
        launch_list<Machine> list;
        Graph graph;
    };
    Machine* machine_ = nullptr;
    launch_list<Machine> list_;
    std::vector<std::byte> uploads_;
    std::size_t sent_ = 0;  // of these
    device_buffer<Machine, std::byte> on_device_;
    std::list<known_list> graphs_;    // what was launched last stands last
    std::deque<std::uint64_t> seen_;  // hashes of lists that came once
};

// The calls that can be noted.
namespace detail {
template <class F>
struct each_call {
    static constexpr bool fixed = false;
    std::ptrdiff_t n;
    F f;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.each(n, f);
    }
};
template <class F>
struct each_row_call {
    static constexpr bool fixed = false;
    int rows, columns;
    F f;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.each(rows, columns, f);
    }
};
// What a library launches for a product may be anything, so it cannot be changed.
template <class F, class T>
struct multiply_call {
    static constexpr bool fixed = true;
    precision format;
    factor a_is;
    matrix_view<F const> a;
    factor b_is;
    int accumulate;
    matrix_view<F const> b;
    matrix_view<T> c;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.multiply(format, a_is, a, b_is, b, c, accumulate != 0);
    }
};
template <class Body>
struct blocks_call {
    static constexpr bool fixed = false;
    int x, y;
    typename Body::arguments arguments;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.template run_blocks<Body>(x, y, arguments);
    }
};
template <class Body>
struct clusters_call {
    static constexpr bool fixed = false;
    int tiles, y;
    typename Body::arguments arguments;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.template run_clusters<Body>(tiles, y, arguments);
    }
};

// to = from, both where functions can read them: what is copied without the host.
struct copy_words {
    std::uint32_t const* from;
    std::uint32_t* to;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { to[j] = from[j]; }
};
}  // namespace detail

}  // namespace sequent
