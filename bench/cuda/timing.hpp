// Times work on a stream: captured once as a CUDA graph, replayed, medians over repeats. And the numbers to work on.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "sequent/backend/cuda/gpu.cuh"
#include "sequent/core/random.hpp"

namespace bench {

using sequent::detail::check_cuda;

// Milliseconds of one piece of work. It is timed twice: the better median, its interquartile range, the other median.
struct sample {
    double median = 0, spread = 0, again = 0;
    bool captured = true;  // else it could not be captured as a graph, and is launched call by call
};

class event {
  public:
    event() { check_cuda(cudaEventCreate(&event_), "cudaEventCreate"); }
    event(event const&) = delete;
    event& operator=(event const&) = delete;
    ~event() { cudaEventDestroy(event_); }
    operator cudaEvent_t() const { return event_; }

  private:
    cudaEvent_t event_ = nullptr;
};

// work(): launches on `stream`, no synchronisation. Twice about `seconds`, at least three repeats each.
template <class Work>
[[nodiscard]] sample time_work(cudaStream_t stream, double seconds, Work const& work) {
    for (int warm = 0; warm < 3; ++warm) work();  // memory is taken, products are planned
    check_cuda(cudaStreamSynchronize(stream), "warming up");
    std::optional<sequent::detail::gpu_graph> graph;
    try {
        sequent::detail::gpu_graph captured(stream);
        captured.capture(work);
        captured.finish();
        graph.emplace(std::move(captured));
    } catch (sequent::cuda_error const&) {
        (void)cudaGetLastError();
    }
    event const begin, end;
    auto const run = [&](int replays) {
        float milliseconds = 0;
        check_cuda(cudaEventRecord(begin, stream), "cudaEventRecord");
        for (int k = 0; k < replays; ++k) {
            if (graph)
                graph->launch();
            else
                work();
        }
        check_cuda(cudaEventRecord(end, stream), "cudaEventRecord");
        check_cuda(cudaEventSynchronize(end), "cudaEventSynchronize");
        check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) / replays;
    };
    double const one = std::max(run(3), 1e-4);
    int const replays = std::clamp(static_cast<int>(1000 * seconds / one / 15), 1, 200);
    auto const series = [&] {
        std::vector<double> times;
        for (double spent = 0; times.size() < 3 || (spent < 1000 * seconds && times.size() < 30);) {
            times.push_back(run(replays));
            spent += times.back() * replays;
        }
        std::sort(times.begin(), times.end());
        std::size_t const n = times.size();
        return sample{times[n / 2], times[3 * n / 4] - times[n / 4]};
    };
    sample first = series(), second = series();
    if (second.median < first.median) std::swap(first, second);
    return {first.median, first.spread, second.median, graph.has_value()};
}

// Random numbers of [-1, 1), the same for all that are compared, who take them over and over.
inline std::vector<float> const& numbers() {
    static std::vector<float> const values = [] {
        sequent::random_stream const random{1, 2};
        std::vector<float> made(std::size_t{1} << 20);
        for (std::size_t j = 0; j < made.size(); ++j) made[j] = 2 * random.uniform(j) - 1;
        return made;
    }();
    return values;
}

}  // namespace bench
