// SIMD on the CPU: the number type of the kernels, partial loads and stores. The only header that includes xsimd. `Isa`
// is xsimd's architecture: it is part of every kernel's type, so that units of a program built for different processors
// never share a kernel's symbol.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "../../config.hpp"

namespace sequent {

using default_isa = xsimd::default_arch;
// For one sequence at a time: where AVX-512 has more lanes than there are units, or just as many, half registers, whose
// divisions take half as long. Not in double, where tanh is xsimd's and rounds otherwise there.
template <class Cell, class T>
using step_isa = std::conditional_t<std::is_base_of_v<xsimd::avx512f, default_isa> && std::is_same_v<T, float> &&
                                        Cell::hidden_size <= 16,
                                    xsimd::fma3<xsimd::avx2>, default_isa>;

// A register's worth of numbers. As xsimd's batch, but for what xsimd 8.1 rounds otherwise: on AVX-512 it leaves fma to
// the compiler's contraction, on NEON it divides and takes roots of floats by an estimate.
template <class T, class Isa>
struct simd {
    using batch = xsimd::batch<T, Isa>;
    using value_type = T;
    static constexpr std::size_t size = batch::size;
    batch value;

    simd() = default;
    SEQUENT_HD simd(batch const& b) : value(b) {}
    SEQUENT_HD explicit simd(T x) : value(x) {}

    SEQUENT_HD static simd load_aligned(T const* from) { return batch::load_aligned(from); }
    SEQUENT_HD static simd load_unaligned(T const* from) { return batch::load_unaligned(from); }
    SEQUENT_HD void store_aligned(T* to) const { value.store_aligned(to); }
    SEQUENT_HD void store_unaligned(T* to) const { value.store_unaligned(to); }

    SEQUENT_HD friend simd operator+(simd const& a, simd const& b) { return a.value + b.value; }
    SEQUENT_HD friend simd operator-(simd const& a, simd const& b) { return a.value - b.value; }
    SEQUENT_HD friend simd operator*(simd const& a, simd const& b) { return a.value * b.value; }
    SEQUENT_HD friend simd operator/(simd const& a, simd const& b) {
#if defined(__aarch64__)
        if constexpr (std::is_same_v<T, float>) return batch(vdivq_f32(a.value, b.value));
#endif
        return a.value / b.value;
    }
    SEQUENT_HD friend simd operator-(simd const& a) { return -a.value; }
    SEQUENT_HD friend auto operator<(simd const& a, simd const& b) { return a.value < b.value; }
    SEQUENT_HD friend auto operator>(simd const& a, simd const& b) { return a.value > b.value; }
    SEQUENT_HD friend auto operator<=(simd const& a, simd const& b) { return a.value <= b.value; }
    SEQUENT_HD friend auto operator==(simd const& a, simd const& b) { return a.value == b.value; }

    SEQUENT_HD friend simd fma(simd const& a, simd const& b, simd const& c) {
#if defined(__AVX512F__)
        if constexpr (std::is_base_of_v<xsimd::avx512f, Isa> && std::is_same_v<T, float>)
            return batch(_mm512_fmadd_ps(a.value, b.value, c.value));
        else if constexpr (std::is_base_of_v<xsimd::avx512f, Isa>)
            return batch(_mm512_fmadd_pd(a.value, b.value, c.value));
        else
#endif
            return xsimd::fma(a.value, b.value, c.value);
    }
    SEQUENT_HD friend simd min(simd const& a, simd const& b) { return xsimd::min(a.value, b.value); }
    SEQUENT_HD friend simd max(simd const& a, simd const& b) { return xsimd::max(a.value, b.value); }
    SEQUENT_HD friend simd abs(simd const& a) { return xsimd::abs(a.value); }
    SEQUENT_HD friend simd sqrt(simd const& a) {
#if defined(__aarch64__)
        if constexpr (std::is_same_v<T, float>) return batch(vsqrtq_f32(a.value));
#endif
        return xsimd::sqrt(a.value);
    }
    // The standard library's, lane by lane.
    friend simd exp(simd const& a) {
        return a.each([](T x) { return std::exp(x); });
    }
    friend simd tanh(simd const& a) {
        return a.each([](T x) { return std::tanh(x); });
    }
    // a where the mask holds, else b.
    SEQUENT_HD friend simd select(typename batch::batch_bool_type const& mask, simd const& a, simd const& b) {
        return xsimd::select(mask, a.value, b.value);
    }

  private:
    [[nodiscard]] simd each(auto const& f) const {
        alignas(64) T lanes[size];
        store_aligned(lanes);
        for (T& lane : lanes) lane = f(lane);
        return load_aligned(lanes);
    }
};

// f(0), ..., f(N - 1) without a loop: g++ takes a loop over registers for a block of memory to be copied, and copies
// the halves of AVX-512's, which then stall the load of a whole one.
template <int N>
SEQUENT_HD void unrolled(auto const& f) {
    if constexpr (N > 0) unrolled<N - 1>(f), f(N - 1);
}

// While it lives, this thread takes numbers below the least normal one for zero, and makes none: gradients fade to them
// within a few hundred steps, and Intel's processors take a hundred times as long for each. ARM's do not mind.
class no_denormals {
  public:
#if defined(__SSE__)
    no_denormals() { _mm_setcsr(before_ | flags); }
    ~no_denormals() { _mm_setcsr((_mm_getcsr() & ~flags) | (before_ & flags)); }

  private:
    static constexpr unsigned flags = 0x8040;  // results, operands
    unsigned before_ = _mm_getcsr();
#else
    no_denormals() {}
#endif
    no_denormals(no_denormals const&) = delete;
};

// Loads Count numbers into the first lanes; the others are zero.
template <int Count, class T, class Isa>
SEQUENT_HD simd<T, Isa> load_first(T const* from) {
    constexpr int width = static_cast<int>(simd<T, Isa>::size);
    if constexpr (Count == width) {
        return simd<T, Isa>::load_unaligned(from);
    } else {
        alignas(64) T lanes[width] = {};
        for (int i = 0; i < Count; ++i) lanes[i] = from[i];
        return simd<T, Isa>::load_aligned(lanes);
    }
}

// Stores the first Count lanes.
template <int Count, class T, class Isa>
SEQUENT_HD void store_first(T* to, simd<T, Isa> const& value) {
    constexpr int width = static_cast<int>(simd<T, Isa>::size);
    if constexpr (Count == width) {
        value.store_unaligned(to);
    } else {
        alignas(64) T lanes[width];
        value.store_aligned(lanes);
        for (int i = 0; i < Count; ++i) to[i] = lanes[i];
    }
}

}  // namespace sequent
