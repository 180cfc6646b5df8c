// The machine behind `cuda`: one stream of the current NVIDIA GPU. Needs nvcc, and cublasLt to link with.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph.cuh"
#include "kernels.cuh"
#include "launch_list.hpp"
#include "operations.hpp"
#include "products.cuh"

namespace sequent {

namespace detail {

template <class F>
__global__ void for_each_kernel(std::ptrdiff_t n, F const f) {
    std::ptrdiff_t const step = std::ptrdiff_t{gridDim.x} * blockDim.x;
    for (std::ptrdiff_t j = std::ptrdiff_t{blockIdx.x} * blockDim.x + threadIdx.x; j < n; j += step) f(j);
}
template <class F>
__global__ void for_each_row_kernel(int rows, int columns, F const f) {
    int const row_step = static_cast<int>(gridDim.x * blockDim.y);
    for (int r = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); r < rows; r += row_step)
        for (int c = static_cast<int>(threadIdx.x); c < columns; c += static_cast<int>(blockDim.x)) f(r, c);
}

// Lets a kernel have more shared memory than the 48 KiB that any may.
template <class Kernel>
void allow_shared_memory(Kernel* kernel, int bytes) {
    if (bytes > 48 << 10)
        check_cuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
                   "cudaFuncSetAttribute");
}

}  // namespace detail

class gpu {
  public:
    // Throws cuda_error where there is no GPU. One that this program was not compiled for fails at the first launch.
    gpu() {
        int devices = 0;
        auto const status = cudaGetDeviceCount(&devices);
        if (status != cudaSuccess || devices == 0) {
            (void)cudaGetLastError();
            throw cuda_error(message("sequent::cuda: no CUDA device is present (",
                                     status == cudaSuccess ? "none found" : cudaGetErrorString(status), ")"));
        }
        detail::check_cuda(cudaStreamCreate(&stream_),
                           "cudaStreamCreate");  // waits for the default stream, and it for us
        detail::check_cublas(cublasLtCreate(&cublas_), "cublasLtCreate");
        workspace_ = allocate(workspace_bytes);
    }
    gpu(gpu const&) = delete;
    gpu& operator=(gpu const&) = delete;
    ~gpu() {
        if (stream_ != nullptr) cudaStreamSynchronize(stream_);
        notes_ = {};
        products_.clear();
        release(workspace_);
        release(room_);
        if (cublas_ != nullptr) cublasLtDestroy(cublas_);
        if (stream_ != nullptr) cudaStreamDestroy(stream_);
    }

    [[nodiscard]] cudaStream_t stream() const { return stream_; }
    void wait() const { detail::check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

    static void* allocate(std::size_t bytes) {
        void* memory = nullptr;
        if (bytes > 0) detail::check_cuda(cudaMalloc(&memory, bytes), message("cudaMalloc of ", bytes, " bytes"));
        return memory;
    }
    static void release(void* memory) noexcept { cudaFree(memory); }
    static void copy(void const* from, std::size_t bytes, void* to) {
        if (bytes > 0) detail::check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToDevice), "cudaMemcpy");
    }
    template <class T>
    static void set(T* memory, std::size_t n, T value) {
        launch(static_cast<std::ptrdiff_t>(n), detail::set_number<T>{memory, value}, nullptr);
    }

    void to_host(void const* from, std::size_t bytes, void* to) const {
        if (bytes == 0) return;
        detail::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
        wait();
    }
    void from_host(void const* from, std::size_t bytes, void* to) {
        if (bytes == 0) return;
        if (bytes <= most_of_slot) {
            (void)next_slot().send(from, bytes, to, stream_);
        } else if (bytes <= most_of_large_slot) {
            (void)large_slots_[next_large_slot_++ % large_slots_.size()].send(from, bytes, to, stream_);
        } else {
            detail::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
            wait();
        }
    }
    template <class T>
    [[nodiscard]] T const* upload(std::span<T const> numbers) {
        if (numbers.empty()) return nullptr;
        return static_cast<T const*>(next_slot().send(numbers.data(), numbers.size_bytes(), nullptr, stream_));
    }
    // An answer that nobody holds any more is used again.
    using answer = detail::gpu_answer;
    [[nodiscard]] std::shared_ptr<answer> ask() {
        for (auto& one : answers_)
            if (one.use_count() == 1) return one;
        return answers_.emplace_back(std::make_shared<answer>());
    }
    void send(answer& one) { one.send(stream_); }
    template <class T>
    [[nodiscard]] T* room(std::size_t n) {
        if (n * sizeof(T) > room_bytes_) {
            release(std::exchange(room_, nullptr));  // waits for the work that reads it
            room_bytes_ = 0;
            room_ = allocate(n * sizeof(T));
            room_bytes_ = n * sizeof(T);
        }
        return static_cast<T*>(room_);
    }

    template <class F>
    void each(std::ptrdiff_t n, F const& f) {
        if (!notes_.note(*this, detail::each_call<F>{n, f})) launch(n, f, stream_);
    }
    template <class F>
    void each(int rows, int columns, F const& f) {
        if (notes_.note(*this, detail::each_row_call<F>{rows, columns, f})) return;
        if (rows <= 0 || columns <= 0) return;
        dim3 const block(32, 8);
        unsigned const blocks = std::min((static_cast<unsigned>(rows) + block.y - 1) / block.y, largest_grid);
        detail::for_each_row_kernel<<<blocks, block, 0, stream_>>>(rows, columns, f);
        detail::check_cuda(cudaGetLastError(), "launch of for_each_row_kernel");
    }

    // In the format's own precision; f32x3 multiplies in full float here.
    template <class T>
    void multiply(precision format, factor a_is, matrix_view<T const> a, factor b_is, matrix_view<T const> b,
                  matrix_view<T> c, bool accumulate) {
        if (notes_.note(*this, detail::multiply_call<T>{format, a_is, a, b_is, accumulate, b, c})) return;
        int const depth = a_is == factor::plain ? a.columns : a.rows;
        if (c.rows == 0 || c.columns == 0) return;
        if (depth == 0) {
            if (!accumulate) each(c.rows, c.columns, detail::repeat_row<T>{nullptr, c});
            return;
        }
        detail::cublas_product::shape const shape{c.rows,
                                                  c.columns,
                                                  depth,
                                                  common_alignment(a.data, b.data, c.data),
                                                  a_is,
                                                  b_is,
                                                  a.stride,
                                                  b.stride,
                                                  c.stride,
                                                  sizeof(T) == 8 ? CUDA_R_64F : CUDA_R_32F,
                                                  compute_type(sizeof(T) == 8, format)};
        auto const [place, is_new] = products_.try_emplace(shape, cublas_, shape, workspace_bytes);
        place->second.template run<T>(cublas_, a.data, b.data, accumulate ? T(1) : T(0), c.data, workspace_,
                                      workspace_bytes, stream_);
    }

    using graph = detail::gpu_graph;
    template <class F>
    void together(F const& f) {
        cudaStreamCaptureStatus status{};
        detail::check_cuda(cudaStreamIsCapturing(stream_, &status), "cudaStreamIsCapturing");
        if (status == cudaStreamCaptureStatusNone)
            notes_.together(*this, f);
        else  // into a graph of somebody else's
            f();
    }
    // Nothing of a list that has run before allocates or waits, which a capture would not allow.
    [[nodiscard]] graph capture(launch_list<gpu> const& list) {
        return graph(stream_, [&] { list.run(*this); });
    }
    void launch(graph const& noted) { noted.launch(stream_); }

    template <class Body>
    void run_blocks(int x, int y, typename Body::arguments const& arguments) const {
        if (x <= 0 || y <= 0) return;
        auto* const kernel = detail::block_kernel<Body>;
        detail::allow_shared_memory(kernel, Body::shared_bytes);
        kernel<<<dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)), Body::threads, Body::shared_bytes,
                 stream_>>>(arguments);
        detail::check_cuda(cudaGetLastError(), "launch of block_kernel");
    }

    // Whether this GPU has clusters, the program was compiled for one that has, and the body's blocks fit.
    template <class Body>
    [[nodiscard]] bool can_run_clusters() {
        auto* const kernel = detail::cluster_kernel<Body>;
        auto const [place, is_new] = can_run_.try_emplace(reinterpret_cast<void const*>(kernel), false);
        if (!is_new) return place->second;
        int device = 0, shared_memory = 0, clusters = 0;
        cudaFuncAttributes compiled{};
        detail::check_cuda(cudaGetDevice(&device), "cudaGetDevice");
        detail::check_cuda(cudaDeviceGetAttribute(&shared_memory, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                           "cudaDeviceGetAttribute");
        detail::check_cuda(cudaFuncGetAttributes(&compiled, kernel), "cudaFuncGetAttributes");
        if (compiled.ptxVersion < 90 || Body::shared_bytes > shared_memory) return false;
        detail::allow_shared_memory(kernel, Body::shared_bytes);
        detail::cluster_launch<Body> const launch(1, 1, stream_);
        detail::check_cuda(cudaOccupancyMaxActiveClusters(&clusters, kernel, launch.get()),
                           "cudaOccupancyMaxActiveClusters");
        return place->second = clusters > 0;
    }
    template <class Body>
    void run_clusters(int tiles, int y, typename Body::arguments const& arguments) const {
        if (tiles <= 0 || y <= 0) return;
        detail::cluster_launch<Body> const launch(tiles, y, stream_);
        detail::check_cuda(cudaLaunchKernelEx(launch.get(), detail::cluster_kernel<Body>, arguments),
                           "launch of cluster_kernel");
    }

  private:
    static constexpr std::size_t workspace_bytes = std::size_t{32} << 20, most_of_slot = std::size_t{1} << 20,
                                 most_of_large_slot = std::size_t{64} << 20;
    static constexpr unsigned largest_grid = 1 << 16;

    template <class F>
    static void launch(std::ptrdiff_t n, F const& f, cudaStream_t stream) {
        if (n <= 0) return;
        constexpr unsigned threads = 256;
        std::ptrdiff_t const blocks = std::min<std::ptrdiff_t>((n + threads - 1) / threads, largest_grid);
        detail::for_each_kernel<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(n, f);
        detail::check_cuda(cudaGetLastError(), "launch of for_each_kernel");
    }
    static int common_alignment(void const* a, void const* b, void const* c) {
        auto const bits = reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b) |
                          reinterpret_cast<std::uintptr_t>(c) | 256;
        return static_cast<int>(bits & (~bits + 1));
    }
    static cublasComputeType_t compute_type(bool is_double, precision format) {
        if (is_double) return CUBLAS_COMPUTE_64F;
        switch (format) {
        case precision::tf32:
            return CUBLAS_COMPUTE_32F_FAST_TF32;
        case precision::bf16:
            return CUBLAS_COMPUTE_32F_FAST_16BF;
        case precision::f16:
            return CUBLAS_COMPUTE_32F_FAST_16F;
        case precision::f32x3:
        case precision::f32:
            break;
        }
        return CUBLAS_COMPUTE_32F;
    }
    detail::upload_slot& next_slot() { return slots_[next_slot_++ % slots_.size()]; }

    cudaStream_t stream_ = nullptr;
    cublasLtHandle_t cublas_ = nullptr;
    void *workspace_ = nullptr, *room_ = nullptr;
    std::size_t room_bytes_ = 0, next_slot_ = 0, next_large_slot_ = 0;
    std::array<detail::upload_slot, 16> slots_;
    std::array<detail::upload_slot, 2> large_slots_;
    std::vector<std::shared_ptr<answer>> answers_;
    launch_memory<gpu, graph> notes_;
    std::map<detail::cublas_product::shape, detail::cublas_product> products_;
    std::map<void const*, bool> can_run_;  // kernels of clusters
};

static_assert(machine<gpu>);

}  // namespace sequent
