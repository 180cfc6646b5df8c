// Launches that are noted instead of made, so that those which come again can be made as one: a CUDA graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#include "machine.hpp"

namespace sequent {

// Calls of a machine, one after the other. They are known by their bytes: two lists are equal only if they do the same
// to the same memory.
template <class Machine>
class launch_list {
  public:
    // Call: an object with a const operator()(Machine&), all of whose bytes tell something.
    template <class Call>
    static constexpr bool
        can_note = std::is_trivially_copyable_v<Call>&& std::has_unique_object_representations_v<Call> &&
                   sizeof(Call) % sizeof(std::uint64_t) == 0;

    template <class Call>
    void add(Call const& call) {
        static_assert(can_note<Call>);
        words_.push_back(reinterpret_cast<std::uintptr_t>(&make<Call>));
        words_.push_back(sizeof(Call) / sizeof(std::uint64_t));
        std::size_t const at = words_.size();
        words_.resize(at + sizeof(Call) / sizeof(std::uint64_t));
        std::memcpy(words_.data() + at, &call, sizeof(Call));
    }
    void run(Machine& machine) const {
        for (std::size_t at = 0; at < words_.size(); at += 2 + words_[at + 1])
            reinterpret_cast<void (*)(Machine&, std::uint64_t const*)>(words_[at])(machine, words_.data() + at + 2);
    }
    void clear() { words_.clear(); }
    [[nodiscard]] bool empty() const { return words_.empty(); }
    [[nodiscard]] std::uint64_t hash() const {
        std::uint64_t sum = words_.size();
        for (std::uint64_t const word : words_) sum = (sum ^ word) * 0x9E3779B97F4A7C15, sum ^= sum >> 32;
        return sum;
    }
    bool operator==(launch_list const&) const = default;

  private:
    template <class Call>
    static void make(Machine& machine, std::uint64_t const* words) {
        alignas(Call) std::byte room[sizeof(Call)];
        std::memcpy(room, words, sizeof(Call));
        (*reinterpret_cast<Call const*>(room))(machine);
    }

    std::vector<std::uint64_t> words_;  // for each call: make<Call>, the number of its words, its words
};

// What a machine noted before. Graph: launches made as one, by m.capture(list) -> Graph and m.launch(graph).
template <class Machine, class Graph>
class launch_memory {
  public:
    // f's launches, in their order. Those that can be noted are made as one from the second time on: the first time may
    // be the last, and a graph costs more than its launches.
    template <class F>
    void together(Machine& machine, F const& f) {
        struct stop {
            bool& noting;
            ~stop() { noting = false; }
        };
        list_.clear();
        {
            stop const end{noting_ = true};
            f();
        }
        make(machine);
    }
    // Whether the call is noted, to be made later.
    template <class Call>
    [[nodiscard]] bool note(Machine& machine, Call const& call) {
        if (!noting_) return false;
        if constexpr (launch_list<Machine>::template can_note<Call>) {
            list_.add(call);
            return true;
        } else {
            noting_ = false;
            make(machine);  // what came before it
            call(machine);
            noting_ = true;
            return true;
        }
    }

    [[nodiscard]] bool is_noting() const { return noting_; }

  private:
    static constexpr std::size_t most_graphs = 64, most_seen = 1024;

    void make(Machine& machine) {
        if (list_.empty()) return;
        std::uint64_t const hash = list_.hash();
        auto const known = std::find_if(graphs_.begin(), graphs_.end(),
                                        [&](auto const& one) { return one.hash == hash && one.list == list_; });
        if (known != graphs_.end()) {
            machine.launch(known->graph);
        } else if (auto const seen = std::find(seen_.begin(), seen_.end(), hash); seen == seen_.end()) {
            if (seen_.size() == most_seen) seen_.pop_front();
            seen_.push_back(hash);
            list_.run(machine);
        } else {
            seen_.erase(seen);
            if (graphs_.size() == most_graphs) graphs_.pop_front();
            graphs_.push_back({hash, list_, machine.capture(list_)});
            machine.launch(graphs_.back().graph);
        }
        list_.clear();
    }

    struct known_list {
        std::uint64_t hash;
        launch_list<Machine> list;
        Graph graph;
    };
    bool noting_ = false;
    launch_list<Machine> list_;
    std::deque<known_list> graphs_;
    std::deque<std::uint64_t> seen_;  // hashes of lists that came once
};

// The calls that can be noted.
namespace detail {
template <class F>
struct each_call {
    std::ptrdiff_t n;
    F f;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.each(n, f);
    }
};
template <class F>
struct each_row_call {
    int rows, columns;
    F f;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.each(rows, columns, f);
    }
};
template <class T>
struct multiply_call {
    precision format;
    factor a_is;
    matrix_view<T const> a;
    factor b_is;
    int accumulate;
    matrix_view<T const> b;
    matrix_view<T> c;
    template <class Machine>
    void operator()(Machine& machine) const {
        machine.multiply(format, a_is, a, b_is, b, c, accumulate != 0);
    }
};
}  // namespace detail

}  // namespace sequent
