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

    // What the warps of a cluster's blocks tell each other by, from sm_90 on: mbarriers, each 8 bytes of shared memory.
    // A phase of one ends after so many arrivals and all the bytes that they announced.
    SEQUENT_DEVICE void create_barrier(int at, int arrivals) const {
#if __CUDA_ARCH__ >= 900
        asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address(at)), "r"(arrivals) : "memory");
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
    }
    SEQUENT_DEVICE void arrive(int, int at, int announced_bytes) const {
#if __CUDA_ARCH__ >= 900
        if (announced_bytes == 0)
            asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address(at)) : "memory");
        else
            asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address(at)),
                         "r"(announced_bytes)
                         : "memory");
#endif
    }
    SEQUENT_DEVICE void wait(int at, int parity) const {
#if __CUDA_ARCH__ >= 900
        auto const has_passed = [&] {
            std::uint32_t passed;
            asm volatile("{ .reg .pred p;\n"
                         "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
                         "selp.u32 %0, 1, 0, p; }"
                         : "=r"(passed)
                         : "r"(address(at)), "r"(parity)
                         : "memory");
            return passed != 0;
        };
#if !defined(NDEBUG)
        if (has_passed()) return;
        std::uint32_t const begun = nanoseconds();
        while (!has_passed())
            if (nanoseconds() - begun > 2'000'000'000) __trap();  // an error instead of a program that never ends
#else
        while (!has_passed()) continue;
#endif
#endif
    }
    // Into the shared memory of the cluster's block `rank`, where its mbarrier counts the bytes.
    SEQUENT_DEVICE void store_async(int, int rank, int at, float_pair const& pair, int barrier) const {
#if __CUDA_ARCH__ >= 900
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v2.b32 [%0], {%1, %2}, [%3];" ::"r"(
                         address(at, rank)),
                     "r"(__float_as_uint(pair.first)), "r"(__float_as_uint(pair.second)), "r"(address(barrier, rank))
                     : "memory");
#endif
    }
    SEQUENT_DEVICE void store_async(int, int rank, int at, word_quad const& quad, int barrier) const {
#if __CUDA_ARCH__ >= 900
        asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%1, %2, %3, %4}, [%5];" ::"r"(
                         address(at, rank)),
                     "r"(quad.words[0]), "r"(quad.words[1]), "r"(quad.words[2]), "r"(quad.words[3]),
                     "r"(address(barrier, rank))
                     : "memory");
#endif
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
    // Begins anew every 4.3 seconds.
    [[nodiscard]] SEQUENT_DEVICE static std::uint32_t nanoseconds() {
        std::uint32_t now;
        asm volatile("mov.u32 %0, %globaltimer_lo;" : "=r"(now));
        return now;
    }
    [[nodiscard]] SEQUENT_DEVICE std::uint32_t address(int at) const {
        return address_ + static_cast<std::uint32_t>(at);
    }
#if __CUDA_ARCH__ >= 900
    [[nodiscard]] SEQUENT_DEVICE std::uint32_t address(int at, int rank) const {
        std::uint32_t there;
        asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address(at)), "r"(rank));
        return there;
    }
#endif

    unsigned char* shared_;
    std::uint32_t address_;
};

}  // namespace sequent
