// All macros for users: the version, the mark of functions for devices too, kernels compiled once.
#pragma once

#define SEQUENT_VERSION_MAJOR 0
#define SEQUENT_VERSION_MINOR 1
#define SEQUENT_VERSION_PATCH 0

#if defined(__CUDACC__)
#define SEQUENT_HD __host__ __device__ __forceinline__
#else
#define SEQUENT_HD [[gnu::always_inline]] inline
#endif

// SEQUENT_KERNELS(extern, float, sequent::lstm<64, 32>); says that another unit compiles the CPU's kernels of that
// cell: the one that says SEQUENT_KERNELS(, float, sequent::lstm<64, 32>);. Both behind <sequent/sequent.hpp>.
#define SEQUENT_KERNELS(where, scalar, ...)                                                                            \
    where template void sequent::recurrent_forward(                                                                    \
        sequent::cpu const&, sequent::packing const&, sequent::indexed_rows<scalar> const&, sequent::keep,             \
        std::span<sequent::recurrent_run<__VA_ARGS__, sequent::cpu, scalar> const>);                                   \
    where template void sequent::recurrent_backward(                                                                   \
        sequent::cpu const&, sequent::packing const&, sequent::indexed_rows<scalar> const&,                            \
        std::span<sequent::recurrent_run<__VA_ARGS__, sequent::cpu, scalar> const>, sequent::matrix_view<scalar>)
