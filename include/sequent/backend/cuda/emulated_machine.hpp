// A machine on the host, for tests of the policy `cuda` without a GPU. Device memory starts as NaN, ends at a page that
// nobody may touch, and is closed to the host after every 61st operation until the next one (closing it costs a call to
// the system for every buffer): host code that takes a pointer of the device for its own soon ends the program. Memory
// of the host where the device's belongs is an error. Functions run for their arguments in a scrambled order. One
// thread at a time. It runs clusters, unless it is told to be a machine that has none.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <span>
#include <vector>

#include "../../core/error.hpp"
#include "device_buffer.hpp"
#include "launch_list.hpp"
#include "machine.hpp"
#include "row_grid.hpp"
#include "warp.hpp"

namespace sequent {

class emulated_machine {
  public:
    bool has_clusters = true, fast_in_bf16 = false;
    split_cost cost_of_split{};
    [[nodiscard]] bf16_number* split_room(std::size_t n) { return split_room_.reserve(n); }
    [[nodiscard]] bool is_fast_in_bf16() const { return fast_in_bf16; }
// Whether addresses of the host are found in functions too: the compiler must say what of one is padding.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__CUDACC__)
    static constexpr bool finds_addresses = true;
#else
    static constexpr bool finds_addresses = false;
#endif

    static void* allocate(std::size_t bytes) {
        std::size_t const page = page_size(), used = (bytes + 255) / 256 * 256, open = (used + page - 1) / page * page;
        if (used == 0) return nullptr;
        void* const first =
            mmap(nullptr, open + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (first == MAP_FAILED) throw std::bad_alloc();
        std::memset(first, 0xFF, open);
        mprotect(first, open + page, PROT_NONE);
        if (is_open()) mprotect(first, open, PROT_READ | PROT_WRITE);
        void* const memory = static_cast<std::byte*>(first) + (open - used);
        blocks()[memory] = {first, open, open + page};
        return memory;
    }
    static void release(void* memory) noexcept {
        if (memory == nullptr || launch_notes::keep(memory)) return;
        auto const found = blocks().find(memory);
        munmap(found->second.first, found->second.mapped);
        blocks().erase(found);
    }
    static void spare(void*, std::size_t) {}  // stays NaN, which shows where something comes of it
    // Until the next operation, whoever touches device memory ends the program.
    static void close() {
        protect(PROT_NONE);
        is_open() = false;
    }
    static void copy(void const* from, std::size_t bytes, void* to) {
        check_ours(from), check_ours(to);
        copy_any(from, bytes, to);
    }
    template <class T>
    static void set(T* memory, std::size_t n, T value) {
        check_ours(memory);
        launch_notes::catch_up();
        access const open;
        std::fill_n(memory, n, value);
    }
    void to_host(void const* from, std::size_t bytes, void* to) {
        check_ours(from);
        copy_any(from, bytes, to);
        ++waits->whole;
    }
    void from_host(void const* from, std::size_t bytes, void* to) {
        check_ours(to);
        if (auto const* const words = static_cast<std::uint32_t const*>(notes_.upload(from, bytes)))
            return each(static_cast<std::ptrdiff_t>(bytes / 4),
                        detail::copy_words{words, static_cast<std::uint32_t*>(to)});
        ++launches->uploads;
        copy_any(from, bytes, to);
    }

    template <class T>
    [[nodiscard]] T const* upload(std::span<T const> numbers) {
        if (void* const noted = notes_.upload(numbers.data(), numbers.size_bytes()))
            return static_cast<T const*>(noted);
        ++launches->uploads;
        auto& to = uploads_[next_upload_++ % uploads_.size()];
        to = {};  // other memory each time: whoever reads an old one meets a closed page
        T* const memory = reinterpret_cast<T*>(to.reserve(numbers.size_bytes()));
        copy_any(numbers.data(), numbers.size_bytes(), memory);
        return memory;
    }
    // What the host has asked for.
    struct launch_counts {
        long single = 0;                              // calls of each, multiply and run_blocks that were made alone
        long uploads = 0;                             // copies to the device
        long graphs = 0, captures = 0, renewals = 0;  // launched, made, and calls of them that were changed
        bool operator==(launch_counts const&) const = default;
    };
    std::shared_ptr<launch_counts> launches = std::make_shared<launch_counts>();

    // How often the host has waited, which a real device makes it pay for.
    struct wait_counts {
        long whole = 0;                                  // for all work so far
        long of_answers = 0;                             // for an answer, once each
        long operations = 0;                             // calls of each, multiply and run_blocks so far
        long fewest = std::numeric_limits<long>::max();  // of them between an answer's sending and its reading
    };
    std::shared_ptr<wait_counts> waits = std::make_shared<wait_counts>();

    class answer : public std::enable_shared_from_this<answer> {
      public:
        [[nodiscard]] void* on_device() { return memory_.reserve(answer_bytes); }
        [[nodiscard]] void const* on_host() {
            launch_notes::catch_up();
            if (sent_ < 0) throw error("sequent::emulated_machine: the answer was not sent");
            if (!std::exchange(read_, true)) {
                ++waits_->of_answers;
                waits_->fewest = std::min(waits_->fewest, waits_->operations - sent_);
            }
            return host_.data();
        }

      private:
        friend emulated_machine;
        device_buffer<emulated_machine, std::byte> memory_;
        alignas(16) std::array<std::byte, answer_bytes> host_{};
        std::shared_ptr<wait_counts> waits_;
        long sent_ = -1;
        bool read_ = false;
    };
    [[nodiscard]] std::shared_ptr<answer> ask() { return std::make_shared<answer>(); }
    void send(answer& one) {
        each(answer_bytes / 4, copy_to_answer{{static_cast<std::uint32_t const*>(one.on_device()),
                                               reinterpret_cast<std::uint32_t*>(one.host_.data())}});
        sent_.push_back(one.shared_from_this());
        if (!is_noting()) end_list();
    }
    void end_list() {
        for (auto const& one : std::exchange(sent_, {})) one->waits_ = waits, one->sent_ = waits->operations;
    }

    template <class T>
    [[nodiscard]] T* room(std::size_t n) {
        room_ = {};
        return reinterpret_cast<T*>(room_.reserve(n * sizeof(T)));
    }

    template <class F>
    void each(std::ptrdiff_t n, F const& f) {
        check_addresses(f);
        if (!notes_.note(detail::each_call<F>{n, f})) run(n, f);
    }
    template <class F>
    void each(int rows, int columns, F const& f) {
        check_addresses(f);
        if (!notes_.note(detail::each_row_call<F>{rows, columns, f})) run(rows, columns, f);
    }

    // c (+)= a b, the factors rounded as the device's tensor cores would; sums in T, over k upwards.
    template <class F, class T>
    void multiply(precision format, factor a_is, matrix_view<F const> a, factor b_is, matrix_view<F const> b,
                  matrix_view<T> c, bool accumulate) {
        int const depth = a_is == factor::plain ? a.columns : a.rows;
        int const rows = a_is == factor::plain ? a.rows : a.columns;
        int const columns = b_is == factor::plain ? b.columns : b.rows;
        if (depth != (b_is == factor::plain ? b.rows : b.columns) || rows != c.rows || columns != c.columns)
            throw error(message("sequent::emulated_machine: [", rows, ", ", depth, "] times [",
                                b_is == factor::plain ? b.rows : b.columns, ", ", columns, "] is not [", c.rows, ", ",
                                c.columns, "]"));
        check_ours(a.data), check_ours(b.data), check_ours(c.data);
        if (notes_.note(detail::multiply_call<F, T>{format, a_is, a, b_is, accumulate, b, c})) return;
        auto const read = [&](matrix_view<F const> const& m, factor is, int r, int k) {
            T const value = static_cast<T>(is == factor::plain ? m(r, k) : m(k, r));
            bool const exact = sizeof(F) != 4 || format == precision::f32x3;  // cuBLAS multiplies those as they are
            return exact ? value : static_cast<T>(rounded(format, static_cast<float>(value)));
        };
        run(rows, columns, [&](int r, int j) {
            T sum = accumulate ? c(r, j) : T(0);
            for (int k = 0; k < depth; ++k) sum += read(a, a_is, r, k) * read(b, b_is, k, j);
            c(r, j) = sum;
        });
    }

    // A graph is the calls as they were noted.
    using graph = launch_list<emulated_machine>;
    template <class F>
    auto together(F const& f) {
        return notes_.together(*this, f);
    }
    [[nodiscard]] bool is_noting() const { return notes_.is_noting(); }
    [[nodiscard]] graph capture(graph const& list) {
        ++launches->captures;
        return list;
    }
    void renew(graph& noted, std::size_t k, graph const& list) {
        ++launches->renewals;
        noted.take_call(k, list);
    }
    void launch(graph const& noted) {
        ++launches->graphs;
        long const single = launches->single;
        noted.run(*this);
        launches->single = single;
    }
    bool makes_graphs = true;

#if !defined(__CUDACC__)
    // A kernel's body (tile.hpp) on emulated warps, blocks and warps in another order at every launch.
    template <class Body>
    void run_blocks(int x, int y, typename Body::arguments const& arguments) {
        check_addresses(arguments);
        if (notes_.note(detail::blocks_call<Body>{x, y, arguments})) return;
        access const open;
        count_operation();
        emulate<Body>(x, y, arguments, ++orders_);
    }
    template <class Body>
    [[nodiscard]] bool can_run_clusters() const {
        return has_clusters;
    }
    template <class Body>
    void run_clusters(int tiles, int y, typename Body::arguments const& arguments) {
        check_addresses(arguments);
        if (notes_.note(detail::clusters_call<Body>{tiles, y, arguments})) return;
        access const open;
        count_operation();
        emulate_clusters<Body>(tiles, y, arguments, ++orders_);
    }
#endif

  private:
    struct block {
        void* first;
        std::size_t open, mapped;
    };
    static std::size_t page_size() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }
    static std::map<void*, block>& blocks() {
        static std::map<void*, block> all;
        return all;
    }
    static bool& is_open() {
        static bool open = false;
        return open;
    }
    static void protect(int how) {
        for (auto const& [memory, one] : blocks()) mprotect(one.first, one.open, how);
    }
    // While one lives, device memory can be read and written.
    struct access {
        access() {
            if (!is_open()) protect(PROT_READ | PROT_WRITE);
            is_open() = true;
        }
        ~access() {
            static int operations = 0;
            if (++operations % 61 == 0) close();
        }
        access(access const&) = delete;
        access& operator=(access const&) = delete;
    };

    struct copy_to_answer : detail::copy_words {
        static constexpr bool reaches_host = true;
    };
    static void copy_any(void const* from, std::size_t bytes, void* to) {
        launch_notes::catch_up();
        access const open;
        if (bytes > 0) std::memcpy(to, from, bytes);
    }

    static bool is_ours(void const* memory) {
        auto const behind = blocks().upper_bound(const_cast<void*>(memory));
        if (behind == blocks().begin()) return false;
        block const& last = std::prev(behind)->second;
        return memory < static_cast<std::byte*>(last.first) + last.mapped;
    }
    static void check_ours(void const* memory) {
        if (memory != nullptr && !is_ours(memory))
            throw error("sequent::emulated_machine: memory of the host where memory of the device is expected");
    }
    // Throws where a function holds what must be an address of the host: a word of it that is one of memory there is,
    // not the device's. What lies below 2^45 may be two small numbers, and where sanitizers keep their own. Functions
    // that may reach the host say so by a member reaches_host.
    template <class F>
    static void check_addresses(F const& f) {
        if constexpr (finds_addresses && std::is_trivially_copyable_v<F> && !requires { F::reaches_host; }) {
            F numbers = f;
            __builtin_clear_padding(&numbers);
            std::array<std::uintptr_t, sizeof(F) / sizeof(std::uintptr_t)> words;
            if constexpr (!words.empty()) std::memcpy(words.data(), &numbers, words.size() * sizeof(words[0]));
            for (std::uintptr_t const word : words) {
                unsigned char state;
                if (word < std::uintptr_t{1} << 45 || word >= std::uintptr_t{1} << 47) continue;
                void* const address = reinterpret_cast<void*>(word / page_size() * page_size());
                if (mincore(address, 1, &state) == 0) check_ours(reinterpret_cast<void*>(word));
            }
        }
    }

    template <class F>
    void run(std::ptrdiff_t n, F const& f) {
        access const open;
        count_operation();
        if (n <= 0) return;
        std::ptrdiff_t step = n / 2 + 1 + static_cast<std::ptrdiff_t>(orders_++ % 7);
        while (std::gcd(step, n) != 1) ++step;
        for (std::ptrdiff_t j = 0, at = static_cast<std::ptrdiff_t>(orders_) % n; j < n; ++j, at = (at + step) % n)
            f(at);
    }
    template <class F>
    void run(int rows, int columns, F const& f) {
        row_grid const grid = row_grid::of(rows, columns, 5);  // few, so that threads make more than one step
        int const across = std::min(columns, grid.column_step());
        run(std::ptrdiff_t{std::min(rows, grid.row_step())} * across, [&](std::ptrdiff_t j) {
            grid.visit(rows, columns, static_cast<int>(j / across), static_cast<int>(j % across), f);
        });
    }

    void count_operation() { ++waits->operations, ++launches->single; }

    launch_memory<emulated_machine, graph> notes_;
    std::array<device_buffer<emulated_machine, std::byte>, 16> uploads_;
    device_buffer<emulated_machine, std::byte> room_;
    device_buffer<emulated_machine, bf16_number> split_room_;
    std::vector<std::shared_ptr<answer>> sent_;  // in the list that is noted
    std::size_t next_upload_ = 0, orders_ = 0;
};

static_assert(machine<emulated_machine>);

}  // namespace sequent
