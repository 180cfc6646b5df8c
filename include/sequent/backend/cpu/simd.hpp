// SIMD on the CPU: the number type of the kernels, partial loads and stores. The only header that includes xsimd. `Isa`
// is xsimd's architecture: it is part of every kernel's type, so that units of a program built for different processors
// never share a kernel's symbol.
#pragma once

#include <xsimd/xsimd.hpp>

#include "../../config.hpp"

namespace sequent {

using default_isa = xsimd::default_arch;

template <class T, class Isa>
using simd = xsimd::batch<T, Isa>;

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
