// What the tests on a GPU share: the reference is the emulated machine, which the ordinary tests compare with the CPU.
#pragma once

#include "backend/cuda/on_device.hpp"
#include "catch.hpp"
#include "sequent/cuda.hpp"

namespace sequent_tests {

using reference = emulated_with<precision::f32, strategy::general>;

// "" where there is a GPU to run on, else why there is none.
inline std::string why_no_gpu() {
    try {
        gpu const here;
        return "";
    } catch (cuda_error const& error) {
        return error.what();
    }
}

inline bool has_clusters() {
    int major = 0;
    return cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) == cudaSuccess && major >= 9;
}

// Whether this GPU is simulated, and takes its time: the only one of a single multiprocessor.
inline bool is_slow() {
    int processors = 0;
    return cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0) == cudaSuccess && processors == 1;
}

// |actual - expected| / |expected| in L2 norms; NaN or another size: infinity.
inline double error_of(std::vector<double> const& actual, std::vector<double> const& expected) {
    double difference = 0, norm = 1e-300;
    for (std::size_t k = 0; k < actual.size() && k < expected.size(); ++k) {
        difference += (actual[k] - expected[k]) * (actual[k] - expected[k]);
        norm += expected[k] * expected[k];
    }
    double const error = std::sqrt(difference / norm);
    return actual.size() == expected.size() && error == error ? error : HUGE_VAL;
}

}  // namespace sequent_tests

#define NEEDS_GPU()                                                                                                    \
    if (std::string const why = sequent_tests::why_no_gpu(); !why.empty()) SKIP_TEST(why)
