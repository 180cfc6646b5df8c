// The warp policy on the host, for tests: the fragment layouts of the PTX ISA on arrays of 32 lanes, one phase of a
// block after the other. Registers and shared memory start as NaN; a word that one thread writes and another one
// touches in the same phase, or that nobody has written, is an error. Warps and blocks run in a random order.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "../../core/error.hpp"
#include "../../core/random.hpp"
#include "warp.hpp"

namespace sequent {

// The shared memory of a block, and who has touched which word in the present phase.
class emulated_shared {
  public:
    explicit emulated_shared(int bytes) : words_(static_cast<std::size_t>(bytes) / 4) {}

    void next_phase() { ++phase_; }

    template <class T>
    [[nodiscard]] T load(int thread, int at) {
        T value;
        std::array<std::uint32_t, sizeof(T) / 4> bits;
        for (std::size_t n = 0; n < bits.size(); ++n) {
            word& w = find(at, n, sizeof(T));
            if (!w.written) fail("reads what nobody has written", thread, at);
            if (w.write_phase == phase_ && w.writer != thread) fail("reads what another writes", thread, at);
            w.reader = w.read_phase == phase_ && w.reader != thread ? many : thread;
            w.read_phase = phase_;
            bits[n] = w.bits;
        }
        std::memcpy(&value, bits.data(), sizeof(T));
        return value;
    }
    template <class T>
    void store(int thread, int at, T const& value) {
        static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0,
                      "sequent::emulated_shared: moves words of 4 bytes; pack smaller numbers first");
        std::array<std::uint32_t, sizeof(T) / 4> bits;
        std::memcpy(bits.data(), &value, sizeof(T));
        for (std::size_t n = 0; n < bits.size(); ++n) {
            word& w = find(at, n, sizeof(T));
            if ((w.write_phase == phase_ && w.writer != thread) || (w.read_phase == phase_ && w.reader != thread))
                fail("writes what another touches", thread, at);
            w = {bits[n], thread, w.reader, phase_, w.read_phase, true};
        }
    }

  private:
    static constexpr int many = -2;
    struct word {
        std::uint32_t bits = 0xFFFFFFFF;  // NaN in every format
        int writer = -1, reader = -1, write_phase = -1, read_phase = -1;
        bool written = false;
    };
    word& find(int at, std::size_t n, std::size_t size) {
        if (at < 0 || static_cast<std::size_t>(at) % size != 0 || static_cast<std::size_t>(at) / 4 + n >= words_.size())
            throw error(message("sequent::emulated_warp: byte ", at, " of shared memory is misaligned or beyond its ",
                                4 * words_.size(), " bytes"));
        return words_[static_cast<std::size_t>(at) / 4 + n];
    }
    [[noreturn]] void fail(char const* what, int thread, int at) const {
        throw error(message("sequent::emulated_warp: in phase ", phase_, " thread ", thread, " ", what, ": byte ", at,
                            " of shared memory"));
    }

    std::vector<word> words_;
    int phase_ = 0;
};

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

    emulated_warp(emulated_shared& shared, int index, int block_x, int block_y)
        : shared_(&shared), index_(index), block_x_(block_x), block_y_(block_y) {}

    [[nodiscard]] int index() const { return index_; }
    [[nodiscard]] int block_x() const { return block_x_; }
    [[nodiscard]] int block_y() const { return block_y_; }

    template <class F>
    void lanes(F const& f) {
        for (int lane = 0; lane < size; ++lane) f(lane);
    }
    void sync() const {}
    template <class T>
    [[nodiscard]] T load(int lane, int at) const {
        return shared_->load<T>(index_ * size + lane, at);
    }
    template <class T>
    void store(int lane, int at, T const& value) {
        shared_->store(index_ * size + lane, at, value);
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
            for (int w = 0; w < 4; ++w)
                to(4 * row + w, n) = shared_->load<std::uint32_t>(index_ * size + first + row, at + 4 * w);
        }
    }

    emulated_shared* shared_;
    int index_, block_x_, block_y_;
};

// Runs a kernel's body as a launch of grid_x times grid_y blocks would: start, its steps and finish, a barrier after
// each. Another seed is another order of blocks, and of warps in each phase.
template <class Body, class Arguments>
void emulate(int grid_x, int grid_y, Arguments const& arguments, std::uint64_t seed) {
    std::vector<int> blocks(static_cast<std::size_t>(grid_x * grid_y)), order(Body::warps);
    std::iota(blocks.begin(), blocks.end(), 0);
    std::iota(order.begin(), order.end(), 0);
    shuffle(std::span<int>(blocks), random_stream{seed, 0});
    std::uint64_t shuffled = 0;
    for (int const block : blocks) {
        emulated_shared shared(Body::shared_bytes);
        std::vector<emulated_warp> warps;
        for (int w = 0; w < Body::warps; ++w) warps.emplace_back(shared, w, block % grid_x, block / grid_x);
        std::vector<Body> bodies(Body::warps);
        auto const phase = [&](auto const& f) {
            shuffle(std::span<int>(order), random_stream{seed, ++shuffled});
            for (int const w : order) f(bodies[static_cast<std::size_t>(w)], warps[static_cast<std::size_t>(w)]);
            shared.next_phase();
        };
        phase([&](Body& body, emulated_warp& warp) { body.start(warp, arguments); });
        for (int step = 0; step < bodies[0].steps(); ++step)
            phase([&](Body& body, emulated_warp& warp) { body.step(warp, arguments, step); });
        phase([&](Body& body, emulated_warp& warp) { body.finish(warp, arguments); });
    }
}

}  // namespace sequent
