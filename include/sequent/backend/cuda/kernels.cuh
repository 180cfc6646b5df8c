// The launches that kernels' bodies (tile.hpp) run in.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#include "warp.hpp"

namespace sequent::detail {

// The phases of a body, a barrier after each.
template <class Body>
__global__ void __launch_bounds__(Body::threads) block_kernel(typename Body::arguments const all) {
    extern __shared__ __align__(16) unsigned char shared_memory[];
    device_warp warp(shared_memory);
    Body body;
    body.start(warp, all);
    __syncthreads();
    for (int step = 0; step < body.steps(); ++step) {
        body.step(warp, all, step);
        __syncthreads();
    }
    body.finish(warp, all);
}

// A body of clusters of Body::blocks blocks. Nobody leaves before it has received all that is sent to it, so whoever is
// sent to is there.
template <class Body>
__global__ void __launch_bounds__(Body::threads) cluster_kernel(typename Body::arguments const all) {
#if __CUDA_ARCH__ >= 900
    extern __shared__ __align__(16) unsigned char shared_memory[];
    device_warp warp(shared_memory);
    Body body;
    body.start(warp, all);
    asm volatile("barrier.cluster.arrive.aligned;\nbarrier.cluster.wait.aligned;" ::: "memory");
    for (int visit = 0; visit < body.steps(); ++visit) {
        body.step(warp, all, visit);
        Body::exchange::wait(warp, visit);
        if constexpr (Body::receives) {
            body.receive(warp, all, visit);
            __syncthreads();
        }
    }
    body.finish(warp, all);
#else
    __trap();  // no clusters: the host does not launch it
#endif
}

// How a launch is described to CUDA.
struct kernel_launch {
    dim3 grid, block;
    unsigned shared_bytes = 0;
    unsigned cluster = 1;  // blocks of a cluster, neighbours in x
    void const* kernel = nullptr;
    void** arguments = nullptr;  // pointers to the kernel's

    template <class Body>
    static kernel_launch of_body(int x, int y) {
        constexpr unsigned blocks = Body::blocks;
        return {dim3(static_cast<unsigned>(x) * blocks, static_cast<unsigned>(y)), dim3(Body::threads),
                Body::shared_bytes, blocks};
    }
    // to(this launch with a kernel and its arguments), which live as long as the call.
    template <class To, class... Parameters>
    void give(To const& to, void (*of)(Parameters...), std::type_identity_t<Parameters> const&... given) const {
        void* all[] = {const_cast<void*>(static_cast<void const*>(&given))...};
        kernel_launch complete = *this;
        complete.kernel = reinterpret_cast<void const*>(of), complete.arguments = all;
        to(complete);
    }

    // f(cudaLaunchConfig_t const*)
    template <class F>
    auto described(cudaStream_t stream, F const& f) const {
        cudaLaunchAttribute extent{};
        extent.id = cudaLaunchAttributeClusterDimension;
        extent.val.clusterDim = {cluster, 1, 1};
        cudaLaunchConfig_t description{};
        description.gridDim = grid, description.blockDim = block;
        description.dynamicSmemBytes = shared_bytes, description.stream = stream;
        description.attrs = &extent, description.numAttrs = cluster > 1;
        return f(&description);
    }
    [[nodiscard]] cudaError_t on(cudaStream_t stream) const {
        return described(stream,
                         [&](cudaLaunchConfig_t const* how) { return cudaLaunchKernelExC(how, kernel, arguments); });
    }
};

}  // namespace sequent::detail
