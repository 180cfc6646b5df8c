// The warp policy on the host, for tests: the fragment layouts of the PTX ISA on arrays of 32 lanes, and launches,
// whose blocks and warps run in a random order. Registers and shared memory start as NaN; emulated_memory.hpp says
// which uses of shared memory are errors.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "../../core/error.hpp"
#include "../../core/random.hpp"
#include "emulated_memory.hpp"
#include "warp.hpp"

namespace sequent {

class emulated_warp {
  public:
    static constexpr int size = 32;

    template <class T, int N>
    struct reg {
        T value[size][N > 0 ? N : 1];
        reg() { std::memset(static_cast<void*>(value), 0xFF, sizeof(value)); }
        T& operator()(int lane, int n) { return value[lane][n]; }
        T const& operator()(int lane, int n) const { return value[lane][n]; }
    };

    // block: its place in the cluster; index: the warp's in the block; x and y: the block's in the grid.
    emulated_warp(emulated_cluster& cluster, int block, int index, int block_x, int block_y)
        : cluster_(&cluster), block_(block), index_(index), block_x_(block_x), block_y_(block_y) {}

    [[nodiscard]] int index() const { return index_; }
    [[nodiscard]] int block_x() const { return block_x_; }
    [[nodiscard]] int block_y() const { return block_y_; }

    template <class F>
    void lanes(F const& f) {
        for (int lane = 0; lane < size; ++lane) f(lane);
    }
    void sync() const { cluster_->sync(block_, index_); }
    template <class T>
    [[nodiscard]] T load(int lane, int at) const {
        return cluster_->load<T>(block_, index_ * size + lane, at);
    }
    template <class T>
    void store(int lane, int at, T const& value) {
        cluster_->store(block_, index_ * size + lane, at, value);
    }

    void create_barrier(int at, int arrivals) { cluster_->create_barrier(block_, at, arrivals); }
    void arrive(int lane, int at, int announced_bytes) {
        cluster_->arrive(block_, index_ * size + lane, at, announced_bytes);
    }
    void wait(int at, int parity) { cluster_->wait(block_, index_, at, parity); }
    template <class T>
    void store_async(int lane, int rank, int at, T const& value, int barrier) {
        cluster_->store_async(block_, index_ * size + lane, rank, at, value, barrier);
    }

    template <class F>
    void ldmatrix4(reg<std::uint32_t, 4>& to, F const& place) const {
        for (int m = 0; m < 4; ++m) matrix(to, m, 8 * m, place);
    }
    template <class F>
    void ldmatrix2(reg<std::uint32_t, 4>& to, F const& place) const {
        for (int lane = 0; lane < size; ++lane) to(lane, 1) = to(lane, 3) = 0;
        for (int m = 0; m < 2; ++m) matrix(to, 2 * m, 8 * m, place);
    }

    template <precision Format>
    static void mma(reg<float, 4>& sum, reg<std::uint32_t, 4> const& a, reg<std::uint32_t, 2> const& b) {
        constexpr bool words = Format == precision::tf32;
        constexpr int depth = words ? 8 : 16;
        float left[16][depth], right[depth][8];
        for (int lane = 0; lane < size; ++lane) {
            int const group = lane / 4, place = lane % 4;
            for (int n = 0; n < 4; ++n) {
                float* const row = left[group + n % 2 * 8];
                if constexpr (words)
                    row[place + n / 2 * 4] = as_float(a(lane, n));
                else
                    for (int half = 0; half < 2; ++half)
                        row[2 * place + n / 2 * 8 + half] = unpack<Format>(a(lane, n), half);
            }
            for (int n = 0; n < 2; ++n)
                if constexpr (words)
                    right[place + n * 4][group] = as_float(b(lane, n));
                else
                    for (int half = 0; half < 2; ++half)
                        right[2 * place + n * 8 + half][group] = unpack<Format>(b(lane, n), half);
        }
        for (int lane = 0; lane < size; ++lane)
            for (int n = 0; n < 4; ++n)
                for (int k = 0; k < depth; ++k)
                    sum(lane, n) += left[lane / 4 + n / 2 * 8][k] * right[k][2 * (lane % 4) + n % 2];
    }

    template <int N>
    static void shfl_xor(reg<float, N>& r, int mask) {
        reg<float, N> const before = r;
        for (int lane = 0; lane < size; ++lane)
            for (int n = 0; n < N; ++n) r(lane, n) = before(lane ^ mask, n);
    }

    [[nodiscard]] static std::uint32_t pack_bf16(float first, float second) {
        return bf16_bits(first) | static_cast<std::uint32_t>(bf16_bits(second)) << 16;
    }
    [[nodiscard]] static std::uint32_t pack_f16(float first, float second) {
        return f16_bits(first) | static_cast<std::uint32_t>(f16_bits(second)) << 16;
    }
    [[nodiscard]] static std::uint32_t pack_tf32(float value) { return tf32_bits(value); }
    [[nodiscard]] static float as_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

  private:
    template <precision Format>
    static float unpack(std::uint32_t word, int half) {
        std::uint16_t const bits = static_cast<std::uint16_t>(word >> 16 * half);
        return Format == precision::f16 ? from_f16(bits) : from_bf16(bits);
    }
    // A matrix whose rows the lanes from `first` on point to, into register n: lane l gets words l % 4 of row l / 4.
    template <class F>
    void matrix(reg<std::uint32_t, 4>& to, int n, int first, F const& place) const {
        for (int row = 0; row < 8; ++row) {
            int const at = place(first + row);
            if (at % 16 != 0)
                throw error(
                    message("sequent::emulated_warp: a row of ldmatrix at byte ", at, ", not a multiple of 16"));
            for (int w = 0; w < 4; ++w) to(4 * row + w, n) = load<std::uint32_t>(first + row, at + 4 * w);
        }
    }

    emulated_cluster* cluster_;
    int block_, index_, block_x_, block_y_;
};

namespace detail {

// f(x, y) for each place of a grid, in a random order.
template <class F>
void each_place(int grid_x, int grid_y, std::uint64_t seed, F const& f) {
    std::vector<int> places(static_cast<std::size_t>(grid_x * grid_y));
    std::iota(places.begin(), places.end(), 0);
    shuffle(std::span<int>(places), random_stream{seed, 0});
    for (int const place : places) f(place % grid_x, place / grid_x);
}

}  // namespace detail

// Runs a kernel's body as a launch of grid_x times grid_y blocks would: start, its steps and finish, a barrier after
// each. Another seed is another order of blocks, and of warps between two barriers.
template <class Body, class Arguments>
void emulate(int grid_x, int grid_y, Arguments const& arguments, std::uint64_t seed) {
    std::vector<int> order(Body::warps);
    std::iota(order.begin(), order.end(), 0);
    std::uint64_t shuffled = 0;
    detail::each_place(grid_x, grid_y, seed, [&](int x, int y) {
        emulated_cluster memory(1, Body::warps, Body::shared_bytes);
        std::vector<emulated_warp> warps;
        for (int w = 0; w < Body::warps; ++w) warps.emplace_back(memory, 0, w, x, y);
        std::vector<Body> bodies(Body::warps);
        auto const phase = [&](auto const& f) {
            shuffle(std::span<int>(order), random_stream{seed, ++shuffled});
            for (int const w : order) f(bodies[static_cast<std::size_t>(w)], warps[static_cast<std::size_t>(w)]);
            memory.block_barrier(0);
        };
        phase([&](Body& body, emulated_warp& warp) { body.start(warp, arguments); });
        for (int step = 0; step < bodies[0].steps(); ++step)
            phase([&](Body& body, emulated_warp& warp) { body.step(warp, arguments, step); });
        phase([&](Body& body, emulated_warp& warp) { body.finish(warp, arguments); });
    });
}

// The same for clusters of Body::blocks blocks, tiles times grid_y of them, whose only barriers are one of the cluster
// after start and, if Body::receives, one of the block after receive; each step ends when Body::exchange says so. Warps
// run as far ahead of the others as they can, always other ones.
template <class Body, class Arguments>
void emulate_clusters(int tiles, int grid_y, Arguments const& arguments, std::uint64_t seed) {
    constexpr int blocks = Body::blocks, count = blocks * Body::warps;
    enum class next { step, receive, barrier, finish, nothing };
    struct program {
        Body body;
        emulated_warp warp;
        next to_do = next::step;
        int visit = 0;
    };
    std::uint64_t picks = 0;
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    detail::each_place(tiles, grid_y, seed, [&](int tile, int y) {
        emulated_cluster memory(blocks, Body::warps, Body::shared_bytes);
        std::vector<program> programs;
        for (int w = 0; w < count; ++w) {
            int const block = w / Body::warps;
            programs.push_back({{}, {memory, block, w % Body::warps, tile * blocks + block, y}});
        }
        shuffle(std::span<int>(order), random_stream{seed, ++picks});
        for (int const w : order)
            programs[static_cast<std::size_t>(w)].body.start(programs[static_cast<std::size_t>(w)].warp, arguments);
        memory.cluster_barrier();
        auto const block_of = [&](int w) { return w / Body::warps; };
        // One thing that a warp can do now; false: it has to wait.
        auto const advance = [&](int w) {
            program& p = programs[static_cast<std::size_t>(w)];
            switch (p.to_do) {
            case next::step:
                if (p.visit == p.body.steps()) {
                    p.body.finish(p.warp, arguments);
                    p.to_do = next::nothing;
                } else {
                    p.body.step(p.warp, arguments, p.visit);
                    p.to_do = next::receive;
                }
                return true;
            case next::receive:
                if (!memory.passed(block_of(w), Body::exchange::barrier(p.visit), Body::exchange::parity(p.visit)))
                    return false;
                Body::exchange::wait(p.warp, p.visit);
                if constexpr (Body::receives) p.body.receive(p.warp, arguments, p.visit);
                ++p.visit;
                p.to_do = Body::receives ? next::barrier : next::step;
                return true;
            case next::barrier: {
                auto const first = programs.begin() + block_of(w) * Body::warps, last = first + Body::warps;
                if (!std::all_of(first, last, [](program const& of) { return of.to_do == next::barrier; }))
                    return false;
                memory.block_barrier(block_of(w));
                std::for_each(first, last, [](program& of) { of.to_do = next::step; });
                return true;
            }
            default:
                return false;
            }
        };
        for (std::uint64_t n = 0;; ++n) {
            if (n % 16 == 0) shuffle(std::span<int>(order), random_stream{seed, ++picks});
            if (std::none_of(order.begin(), order.end(), advance)) break;
        }
        for (int w = 0; w < count; ++w)
            if (programs[static_cast<std::size_t>(w)].to_do != next::nothing)
                memory.fail_waiting(block_of(w), Body::exchange::barrier(programs[static_cast<std::size_t>(w)].visit));
        memory.check_finished(Body::exchange::bytes);
    });
}

}  // namespace sequent
