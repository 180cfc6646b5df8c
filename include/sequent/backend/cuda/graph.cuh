// What a stream is given in one piece: a CUDA graph, captured from launches and made as often as is wanted.
#pragma once

#include <cuda_runtime.h>

#include <utility>

#include "transfers.cuh"

namespace sequent {

namespace detail {

class gpu_graph {
  public:
    // launches(): launches on the stream, which are noted and not made.
    template <class F>
    gpu_graph(cudaStream_t stream, F const& launches) : stream_(stream) {
        check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
        cudaGraph_t captured = nullptr;
        try {
            launches();
        } catch (...) {
            cudaStreamEndCapture(stream, &captured);
            if (captured != nullptr) cudaGraphDestroy(captured);
            throw;
        }
        check_cuda(cudaStreamEndCapture(stream, &captured), "cudaStreamEndCapture");
        auto const status = cudaGraphInstantiate(&executable_, captured, 0);
        cudaGraphDestroy(captured);
        check_cuda(status, "cudaGraphInstantiate");
    }
    gpu_graph(gpu_graph&& other) noexcept
        : stream_(other.stream_), executable_(std::exchange(other.executable_, nullptr)) {}
    gpu_graph& operator=(gpu_graph other) noexcept {
        std::swap(stream_, other.stream_);
        std::swap(executable_, other.executable_);
        return *this;
    }
    ~gpu_graph() {
        if (executable_ == nullptr) return;
        cudaStreamSynchronize(stream_);  // it may still run
        cudaGraphExecDestroy(executable_);
    }

    void launch(cudaStream_t stream) const { check_cuda(cudaGraphLaunch(executable_, stream), "cudaGraphLaunch"); }

  private:
    cudaStream_t stream_ = nullptr;
    cudaGraphExec_t executable_ = nullptr;
};

}  // namespace detail

}  // namespace sequent
