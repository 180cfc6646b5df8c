// The warp policy: what a kernel's body, a class with phases between block barriers, asks of the machine. `device_warp`
// is PTX; `emulated_warp` has the same fragment layouts on the host, where it also looks for races.
//
// Values that differ between the lanes of a warp live in a `reg<T, N>`: N registers on the device, N numbers for each
// of 32 lanes on the host, r(lane, n) on both. Code for single lanes stands in `warp.lanes([&](int lane) { ... })`;
// between such blocks the warp acts as one: mma, ldmatrix, shfl_xor. A phase must not read what another lane has
// written to shared memory in the same phase.
#pragma once

#include <cstdint>

#include "../../config.hpp"
#include "../../core/error.hpp"
#include "precision.hpp"

#if defined(__CUDACC__)
#define SEQUENT_DEVICE __device__ __forceinline__
#define SEQUENT_UNROLL _Pragma("unroll")
#else
#define SEQUENT_DEVICE inline
#define SEQUENT_UNROLL
#endif

namespace sequent {

// Two neighbours of a row, moved at once.
struct alignas(8) float_pair {
    float first, second;
};
// 8 and 16 bytes, moved at once.
struct alignas(8) word_pair {
    std::uint32_t words[2];
};
struct alignas(16) word_quad {
    std::uint32_t words[4];
};

#if !defined(__CUDACC__)
inline void check_pair(float const* first) {
    if (reinterpret_cast<std::uintptr_t>(first) % 8 != 0)
        throw error("sequent::emulated_warp: a pair of numbers that does not start on a multiple of 8 bytes");
}
#endif

// Units u and u + 1 of a row of Hidden units, padded to Padded of them, u even; what is beyond it is 0, or not written.
// Where Hidden is even the row must start on a multiple of 8 bytes.
template <int Hidden, int Padded>
SEQUENT_DEVICE float_pair load_pair(float const* row, int u) {
    if (Hidden != Padded && u >= Hidden) return {0, 0};
    if constexpr (Hidden % 2 == 0) {
#if defined(__CUDACC__)
        float2 const pair = __ldg(reinterpret_cast<float2 const*>(row + u));
        return {pair.x, pair.y};
#else
        check_pair(row + u);
        return {row[u], row[u + 1]};
#endif
    } else
        return {row[u], u + 1 < Hidden ? row[u + 1] : 0.0f};
}

template <int Hidden, int Padded>
SEQUENT_DEVICE void store_pair(float* row, int u, float_pair const& pair) {
    if (Hidden != Padded && u >= Hidden) return;
    if constexpr (Hidden % 2 == 0) {
#if defined(__CUDACC__)
        *reinterpret_cast<float2*>(row + u) = {pair.first, pair.second};
#else
        check_pair(row + u);
        row[u] = pair.first, row[u + 1] = pair.second;
#endif
    } else {
        row[u] = pair.first;
        if (u + 1 < Hidden) row[u + 1] = pair.second;
    }
}

}  // namespace sequent

// The one that kernels are made of here.
#if defined(__CUDACC__)
namespace sequent {
class device_warp;
using kernel_warp = device_warp;
}  // namespace sequent
#include "warp_device.cuh"
#else
namespace sequent {
class emulated_warp;
using kernel_warp = emulated_warp;
}  // namespace sequent
#include "warp_emulated.hpp"
#endif
