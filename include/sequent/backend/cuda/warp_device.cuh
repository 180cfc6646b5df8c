// The warp policy on the device: one lane's registers, and PTX for what a warp does together. Fragment layouts: the PTX
// ISA's "Matrix fragments for mma.m16n8k16" and ".m16n8k8".
#pragma once

#include "warp.hpp"

namespace sequent {

class device_warp {
  public:
    template <class T, int N>
    struct reg {
        T value[N > 0 ? N : 1];
        SEQUENT_DEVICE T& operator()(int, int n) { return value[n]; }
        SEQUENT_DEVICE T const& operator()(int, int n) const { return value[n]; }
    };

    // shared: this block's shared memory, aligned to 16 bytes.
    SEQUENT_DEVICE explicit device_warp(unsigned char* shared)
        : shared_(shared), address_(static_cast<std::uint32_t>(__cvta_generic_to_shared(shared))) {}

    [[nodiscard]] SEQUENT_DEVICE int index() const { return static_cast<int>(threadIdx.x / 32); }
    [[nodiscard]] SEQUENT_DEVICE int block_x() const { return static_cast<int>(blockIdx.x); }
    [[nodiscard]] SEQUENT_DEVICE int block_y() const { return static_cast<int>(blockIdx.y); }

    template <class F>
    SEQUENT_DEVICE void lanes(F const& f) {
        f(static_cast<int>(threadIdx.x % 32));
    }

    SEQUENT_DEVICE void sync() const { __syncwarp(); }

    // Shared memory, by bytes from its start.
    template <class T>
    [[nodiscard]] SEQUENT_DEVICE T load(int, int at) const {
        return *reinterpret_cast<T const*>(shared_ + at);
    }
    template <class T>
    SEQUENT_DEVICE void store(int, int at, T const& value) {
        *reinterpret_cast<T*>(shared_ + at) = value;
    }

    // Four (two) 8x8 matrices of 16-bit numbers into registers 0-3 (0 and 2); lane l gives the place of row l % 8 of
    // matrix l / 8.
    template <class F>
    SEQUENT_DEVICE void ldmatrix4(reg<std::uint32_t, 4>& to, F const& place) const {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(to.value[0]), "=r"(to.value[1]), "=r"(to.value[2]), "=r"(to.value[3])
                     : "r"(address_ + static_cast<std::uint32_t>(place(static_cast<int>(threadIdx.x % 32))))
                     : "memory");
    }
    template <class F>
    SEQUENT_DEVICE void ldmatrix2(reg<std::uint32_t, 4>& to, F const& place) const {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(to.value[0]), "=r"(to.value[2])
                     : "r"(address_ + static_cast<std::uint32_t>(place(static_cast<int>(threadIdx.x % 32))))
                     : "memory");
        to.value[1] = to.value[3] = 0;
    }

    // sum += a b: [16, 8] += [16, 16] [16, 8], tf32 with a depth of 8.
    template <precision Format>
    SEQUENT_DEVICE static void mma(reg<float, 4>& sum, reg<std::uint32_t, 4> const& a, reg<std::uint32_t, 2> const& b) {
        if constexpr (Format == precision::tf32)
            asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                         "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                         : "+f"(sum.value[0]), "+f"(sum.value[1]), "+f"(sum.value[2]), "+f"(sum.value[3])
                         : "r"(a.value[0]), "r"(a.value[1]), "r"(a.value[2]), "r"(a.value[3]), "r"(b.value[0]),
                           "r"(b.value[1]));
        else if constexpr (Format == precision::f16)
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                         "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                         : "+f"(sum.value[0]), "+f"(sum.value[1]), "+f"(sum.value[2]), "+f"(sum.value[3])
                         : "r"(a.value[0]), "r"(a.value[1]), "r"(a.value[2]), "r"(a.value[3]), "r"(b.value[0]),
                           "r"(b.value[1]));
        else
            asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                         "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                         : "+f"(sum.value[0]), "+f"(sum.value[1]), "+f"(sum.value[2]), "+f"(sum.value[3])
                         : "r"(a.value[0]), "r"(a.value[1]), "r"(a.value[2]), "r"(a.value[3]), "r"(b.value[0]),
                           "r"(b.value[1]));
    }

    // Every register becomes that of lane ^ mask.
    template <int N>
    SEQUENT_DEVICE static void shfl_xor(reg<float, N>& r, int mask) {
        SEQUENT_UNROLL for (int n = 0; n < N; ++n) r.value[n] = __shfl_xor_sync(~0u, r.value[n], mask);
    }

    // Two numbers as 16-bit ones in a word, `first` in its lower half; one as tf32.
    [[nodiscard]] SEQUENT_DEVICE static std::uint32_t pack_bf16(float first, float second) {
        std::uint32_t word;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
        return word;
    }
    [[nodiscard]] SEQUENT_DEVICE static std::uint32_t pack_f16(float first, float second) {
        std::uint32_t word;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
        return word;
    }
    [[nodiscard]] SEQUENT_DEVICE static std::uint32_t pack_tf32(float value) {
        std::uint32_t word;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(value));
        return word;
    }
    [[nodiscard]] SEQUENT_DEVICE static float as_float(std::uint32_t bits) { return __uint_as_float(bits); }

  private:
    unsigned char* shared_;
    std::uint32_t address_;
};

}  // namespace sequent
