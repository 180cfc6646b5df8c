// The launches that kernels' bodies (tile.hpp) run in.
#pragma once

#include <cuda_runtime.h>

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

// How such a launch is described to CUDA: blocks of a cluster are neighbours in x.
template <class Body>
class cluster_launch {
  public:
    cluster_launch(int tiles, int y, cudaStream_t stream) {
        extent_.id = cudaLaunchAttributeClusterDimension;
        extent_.val.clusterDim = {Body::blocks, 1, 1};
        description_.gridDim = dim3(static_cast<unsigned>(tiles) * Body::blocks, static_cast<unsigned>(y));
        description_.blockDim = dim3(Body::threads);
        description_.dynamicSmemBytes = Body::shared_bytes;
        description_.stream = stream;
        description_.attrs = &extent_;
        description_.numAttrs = 1;
    }
    cluster_launch(cluster_launch const&) = delete;
    cluster_launch& operator=(cluster_launch const&) = delete;
    [[nodiscard]] cudaLaunchConfig_t const* get() const { return &description_; }

  private:
    cudaLaunchAttribute extent_{};
    cudaLaunchConfig_t description_{};
};

}  // namespace sequent::detail
