// Times work on a stream: captured once as a CUDA graph, replayed, medians over repeats.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "sequent/backend/cuda/gpu.cuh"

namespace bench {

using sequent::detail::check_cuda;

struct sample {
    double median = 0, spread = 0;  // milliseconds a replay; the interquartile range
};

// work(): launches on `stream`, no synchronisation. At most about `seconds` of replays, at least three repeats.
template <class Work>
[[nodiscard]] sample time_graph(cudaStream_t stream, double seconds, Work const& work) {
    for (int warm = 0; warm < 2; ++warm) work();  // memory is taken, products are planned
    check_cuda(cudaStreamSynchronize(stream), "warming up");
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t replay = nullptr;
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    work();
    check_cuda(cudaStreamEndCapture(stream, &graph), "cudaStreamEndCapture");
    check_cuda(cudaGraphInstantiate(&replay, graph, 0), "cudaGraphInstantiate");
    cudaEvent_t begin, end;
    check_cuda(cudaEventCreate(&begin), "cudaEventCreate");
    check_cuda(cudaEventCreate(&end), "cudaEventCreate");
    auto const run = [&](int replays) {
        float milliseconds = 0;
        check_cuda(cudaEventRecord(begin, stream), "cudaEventRecord");
        for (int k = 0; k < replays; ++k) check_cuda(cudaGraphLaunch(replay, stream), "cudaGraphLaunch");
        check_cuda(cudaEventRecord(end, stream), "cudaEventRecord");
        check_cuda(cudaEventSynchronize(end), "cudaEventSynchronize");
        check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) / replays;
    };
    double const one = std::max(run(3), 1e-4);
    int const replays = std::clamp(static_cast<int>(1000 * seconds / one / 15), 1, 200);
    std::vector<double> times;
    for (double spent = 0; times.size() < 3 || (spent < 1000 * seconds && times.size() < 30);) {
        times.push_back(run(replays));
        spent += times.back() * replays;
    }
    std::sort(times.begin(), times.end());
    cudaEventDestroy(begin), cudaEventDestroy(end);
    cudaGraphExecDestroy(replay), cudaGraphDestroy(graph);
    std::size_t const n = times.size();
    return {times[n / 2], times[3 * n / 4] - times[n / 4]};
}

}  // namespace bench
