// What the simulated libraries of CUDA ask of the simulated runtime.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

#include "simulated_gpu/machine.hpp"

namespace simulated_gpu {

// Work on a stream, or in the graph that it captures.
cudaError_t enqueue(cudaStream_t to, std::function<void()> what);
// What a test may change for a while.
struct limits {
    std::size_t allocation = std::size_t{8} << 30;  // bytes at once
    unsigned cluster = 16;                          // blocks
    int capability = 90;                            // of the GPU, not of its PTX
};
[[nodiscard]] limits& limits_of_all();
[[nodiscard]] std::size_t living_streams();
[[nodiscard]] bool is_device_memory(void const* first, std::size_t bytes);

}  // namespace simulated_gpu
