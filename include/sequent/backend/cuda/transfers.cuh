// What comes to the device from the host's memory, and goes back, without either waiting; and CUDA's errors.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>
#include <source_location>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/error.hpp"
#include "launch_list.hpp"

namespace sequent {

// A call of the CUDA runtime or of cuBLAS that failed, by name, and where it stands.
class cuda_error : public error {
    using error::error;
};

namespace detail {

inline void check_cuda(cudaError_t status, std::string_view call,
                       std::source_location const& where = std::source_location::current()) {
    if (status == cudaSuccess) return;
    (void)cudaGetLastError();  // it is told here, once
    throw cuda_error(message("sequent::cuda: ", call, ": ", cudaGetErrorString(status), " (", where.file_name(), ":",
                             where.line(), ")"));
}

// The same of a call for a kernel, whose name the linker knows it by: it holds that of the function or cell it runs.
inline void check_kernel(cudaError_t status, std::string_view call, void const* kernel,
                         std::source_location const& where = std::source_location::current()) {
    if (status == cudaSuccess) return;
    char const* name = nullptr;
    bool const has_name = cudaFuncGetName(&name, kernel) == cudaSuccess && name != nullptr;
    check_cuda(status, message(call, " of ", has_name ? name : "a kernel"), where);
}

inline bool is_captured(cudaStream_t stream) {
    cudaStreamCaptureStatus status{};
    check_cuda(cudaStreamIsCapturing(stream, &status), "cudaStreamIsCapturing");
    return status != cudaStreamCaptureStatusNone;
}
// At every launch a graph would use the same memory of the host, whatever that is used for by then.
inline void refuse_capture(cudaStream_t stream, std::string_view what) {
    if (is_captured(stream))
        throw cuda_error(message("sequent::cuda: ", what, " cannot be captured in a graph of yours"));
}

// Streams to be waited for, whichever thread adds and removes them.
class stream_list {
  public:
    void add(cudaStream_t stream) {
        std::lock_guard const lock(mutex_);
        streams_.push_back(stream);
    }
    void remove(cudaStream_t stream) {
        std::lock_guard const lock(mutex_);
        if (auto const one = std::ranges::find(streams_, stream); one != streams_.end()) streams_.erase(one);
    }
    [[nodiscard]] bool any() {
        std::lock_guard const lock(mutex_);
        return !streams_.empty();
    }
    void wait() {  // not for the device: that is an error while any stream captures
        std::lock_guard const lock(mutex_);
        for (cudaStream_t const one : streams_) check_cuda(cudaStreamSynchronize(one), "cudaStreamSynchronize");
    }

  private:
    std::mutex mutex_;
    std::vector<cudaStream_t> streams_;
};

// Page-locked memory of the host, and of the device if it is asked for: what is on its way from one to the other.
class upload_slot {
  public:
    upload_slot() = default;
    upload_slot(upload_slot const&) = delete;
    upload_slot& operator=(upload_slot const&) = delete;
    ~upload_slot() { release(); }

    // Copies to the device, to a place that stays until the next call, or (to != nullptr) to another.
    void const* send(void const* from, std::size_t bytes, void* to, cudaStream_t stream) {
        refuse_capture(stream, "what comes from the host");
        if (event_ == nullptr) check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
        check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");  // the last copy out of it is done
        if (bytes > host_room_) {
            host_room_ = 0;
            check_cuda(cudaFreeHost(std::exchange(host_, nullptr)), "cudaFreeHost");
            check_cuda(cudaMallocHost(&host_, std::bit_ceil(bytes)), "cudaMallocHost");
            host_room_ = std::bit_ceil(bytes);
        }
        if (to == nullptr && bytes > device_room_) {
            check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");  // nobody reads the old one any more
            device_room_ = 0;
            check_cuda(cudaFree(std::exchange(device_, nullptr)), "cudaFree");
            check_cuda(cudaMalloc(&device_, std::bit_ceil(bytes)), "cudaMalloc");
            device_room_ = std::bit_ceil(bytes);
        }
        std::memcpy(host_, from, bytes);
        void* const target = to == nullptr ? device_ : to;
        check_cuda(cudaMemcpyAsync(target, host_, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
        check_cuda(cudaEventRecord(event_, stream), "cudaEventRecord");
        return target;
    }

  private:
    void release() {
        cudaFreeHost(host_);
        cudaFree(device_);
        if (event_ != nullptr) cudaEventDestroy(event_);
    }

    void *host_ = nullptr, *device_ = nullptr;
    std::size_t host_room_ = 0, device_room_ = 0;
    cudaEvent_t event_ = nullptr;
};

// A few numbers on the device, and page-locked memory of the host for them. All of it is copied, however few they are.
class gpu_answer {
  public:
    explicit gpu_answer(cudaStream_t stream) {
        check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
        check_cuda(cudaMallocHost(&host_, answer_bytes), "cudaMallocHost");
        check_cuda(cudaMalloc(&device_, answer_bytes), "cudaMalloc");
        check_cuda(cudaMemsetAsync(device_, 0, answer_bytes, stream), "cudaMemsetAsync");
    }
    gpu_answer(gpu_answer const&) = delete;
    gpu_answer& operator=(gpu_answer const&) = delete;
    ~gpu_answer() {
        cudaFree(device_);  // waits for who may still write it
        cudaFreeHost(host_);
        cudaEventDestroy(event_);
    }

    [[nodiscard]] void* on_device() { return device_; }
    [[nodiscard]] void* room_on_host() { return host_; }  // where functions can write
    // All that writes it has been launched.
    void sent(cudaStream_t stream) { check_cuda(cudaEventRecord(event_, stream), "cudaEventRecord"); }
    [[nodiscard]] void const* on_host() const {
        launch_notes::catch_up();
        check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");
        return host_;
    }

  private:
    void *device_ = nullptr, *host_ = nullptr;
    cudaEvent_t event_ = nullptr;
};

}  // namespace detail

}  // namespace sequent
