// Times work on a stream: captured as CUDA graphs, replayed, medians over repeats. And the numbers to work on.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "sequent/backend/cuda/gpu.cuh"
#include "sequent/backend/cuda/planner.hpp"
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

inline constexpr int input_sets = 4;  // taken in turn: the last one's numbers are the ones in the cache

// work(set): launches on `stream` that read that set of inputs, no synchronisation. Twice about `seconds`: up to 30
// repeats of at least 20 replays each where these fit five times, else five of fewer; three of one at the least.
template <class Work>
[[nodiscard]] sample time_work(cudaStream_t stream, double seconds, Work const& work) {
    double const budget = 1000 * seconds;
    auto const begun = std::chrono::steady_clock::now();
    for (int warm = 0; warm < 10; ++warm) {  // memory is taken, products are planned; each set once
        if (warm >= input_sets && std::chrono::steady_clock::now() - begun > std::chrono::duration<double>(seconds))
            break;
        work(warm % input_sets);
        check_cuda(cudaStreamSynchronize(stream), "warming up");
    }
    std::vector<sequent::detail::gpu_graph> graphs;
    try {
        for (int set = 0; set < input_sets; ++set) {
            sequent::detail::gpu_graph captured(stream);
            captured.capture(stream, [&] { work(set); });
            captured.finish();
            graphs.push_back(std::move(captured));
        }
    } catch (sequent::cuda_error const&) {
        (void)cudaGetLastError();
        graphs.clear();
    }
    event const begin, end;
    int next = 0;
    auto const run = [&](int replays) {
        float milliseconds = 0;
        check_cuda(cudaEventRecord(begin, stream), "cudaEventRecord");
        for (int k = 0; k < replays; ++k, next = (next + 1) % input_sets) {
            if (graphs.empty())
                work(next);
            else
                graphs[static_cast<std::size_t>(next)].launch();
        }
        check_cuda(cudaEventRecord(end, stream), "cudaEventRecord");
        check_cuda(cudaEventSynchronize(end), "cudaEventSynchronize");
        check_cuda(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) / replays;
    };
    double const one = std::max(run(input_sets), 1e-4);
    int const fewest = std::clamp(static_cast<int>(budget / (5 * one)), 1, 20),
              replays = std::clamp(static_cast<int>(budget / (30 * one)), fewest, 200);
    auto const series = [&] {
        std::vector<double> times;
        for (double spent = 0; times.size() < 3 || (spent < budget && times.size() < 30);) {
            times.push_back(run(replays));
            spent += times.back() * replays;
        }
        std::sort(times.begin(), times.end());
        std::size_t const n = times.size();
        return sample{times[n / 2], times[3 * n / 4] - times[n / 4]};
    };
    sample first = series(), second = series();
    if (second.median < first.median) std::swap(first, second);
    return {first.median, first.spread, second.median, !graphs.empty()};
}

// The kernels that a layer of this cell runs on, on this GPU: where it cannot run the planned cluster, general.
template <class Cell, sequent::precision Format, sequent::strategy Wanted = sequent::strategy::automatic>
[[nodiscard]] std::string kernels_of([[maybe_unused]] sequent::gpu& here) {
    using namespace sequent;
    constexpr strategy planned = planned_strategy<Cell, float, Format, Wanted>;
    if constexpr (planned == strategy::cluster) {
        constexpr int blocks = planned_blocks<Cell, float, Format>;
        if (here.can_run_clusters<cluster_forward<kernel_warp, Cell, Format, blocks>>() &&
            here.can_run_clusters<cluster_backward<kernel_warp, Cell, Format, blocks>>())
            return message("cluster of ", blocks);
        return std::string(name(strategy::general));
    } else {
        return std::string(name(planned));
    }
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
