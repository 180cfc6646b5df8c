// What a stream is given in one piece: a CUDA graph, made of launches one after the other and launched as often as is
// wanted. Kernels in it may be given other arguments and sizes.
#pragma once

#include <cuda_runtime.h>

#include <utility>
#include <vector>

#include "kernels.cuh"
#include "transfers.cuh"

namespace sequent {

namespace detail {

class gpu_graph {
  public:
    explicit gpu_graph(cudaStream_t stream) : stream_(stream) {
        check_cuda(cudaGraphCreate(&graph_, 0), "cudaGraphCreate");
    }
    gpu_graph(gpu_graph&& other) noexcept { swap(other); }
    gpu_graph& operator=(gpu_graph other) noexcept {
        swap(other);
        return *this;
    }
    ~gpu_graph() {
        if (executable_ != nullptr) {
            cudaStreamSynchronize(stream_);  // it may still run
            cudaGraphExecDestroy(executable_);
        }
        if (graph_ != nullptr) cudaGraphDestroy(graph_);
    }

    // Call k: a kernel. Until the graph is finished the next one, then another in the place of the k-th.
    void put(std::size_t k, kernel_launch const& what) {
        cudaKernelNodeParams parameters{};
        parameters.func = const_cast<void*>(what.kernel);
        parameters.gridDim = what.grid, parameters.blockDim = what.block;
        parameters.sharedMemBytes = what.shared_bytes;
        parameters.kernelParams = what.arguments;
        if (executable_ != nullptr)
            return check_kernel(cudaGraphExecKernelNodeSetParams(executable_, calls_[k], &parameters),
                                "cudaGraphExecKernelNodeSetParams", what.kernel);
        cudaGraphNode_t node = nullptr;
        check_kernel(cudaGraphAddKernelNode(&node, graph_, &last_, last_ != nullptr, &parameters),
                     "cudaGraphAddKernelNode", what.kernel);
        if (what.cluster > 1) {
            cudaLaunchAttributeValue extent{};
            extent.clusterDim = {what.cluster, 1, 1};
            check_cuda(cudaGraphKernelNodeSetAttribute(node, cudaLaunchAttributeClusterDimension, &extent),
                       "cudaGraphKernelNodeSetAttribute");
        }
        calls_.push_back(last_ = node);
    }
    // The next call: launches(), which go to the stream `apart`, noted and not made. Where it is one that waits for the
    // default stream, that is closed to the whole process meanwhile.
    template <class F>
    void capture(cudaStream_t apart, F const& launches) {
        check_cuda(cudaStreamBeginCapture(apart, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
        cudaGraph_t captured = nullptr;
        try {
            launches();
        } catch (...) {
            cudaStreamEndCapture(apart, &captured);
            if (captured != nullptr) cudaGraphDestroy(captured);
            throw;
        }
        check_cuda(cudaStreamEndCapture(apart, &captured), "cudaStreamEndCapture");
        cudaGraphNode_t node = nullptr;
        auto const status = cudaGraphAddChildGraphNode(&node, graph_, &last_, last_ != nullptr, captured);
        cudaGraphDestroy(captured);  // the node has a copy
        check_cuda(status, "cudaGraphAddChildGraphNode");
        calls_.push_back(last_ = node);
    }
    void finish() { check_cuda(cudaGraphInstantiate(&executable_, graph_, 0), "cudaGraphInstantiate"); }

    void launch() const { check_cuda(cudaGraphLaunch(executable_, stream_), "cudaGraphLaunch"); }

  private:
    void swap(gpu_graph& other) noexcept {
        std::swap(stream_, other.stream_), std::swap(graph_, other.graph_), std::swap(executable_, other.executable_);
        std::swap(last_, other.last_), std::swap(calls_, other.calls_);
    }

    cudaStream_t stream_ = nullptr;
    cudaGraph_t graph_ = nullptr;  // lives as long as its nodes are named
    cudaGraphExec_t executable_ = nullptr;
    cudaGraphNode_t last_ = nullptr;
    std::vector<cudaGraphNode_t> calls_;
};

}  // namespace detail

}  // namespace sequent
