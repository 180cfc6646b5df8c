// The machine behind `cuda`: one stream of the current NVIDIA GPU. Needs nvcc, and cublasLt to link with.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <source_location>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "../../core/error.hpp"
#include "machine.hpp"
#include "operations.hpp"
#include "warp.hpp"

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
inline void check_cublas(cublasStatus_t status, std::string_view call,
                         std::source_location const& where = std::source_location::current()) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw cuda_error(message("sequent::cuda: ", call, ": ", cublasLtGetStatusString(status), " (",
                                 where.file_name(), ":", where.line(), ")"));
}

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

// The phases of a kernel's body (one_block.hpp), a barrier after each.
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

// Page-locked memory of the host and as much of the device: what is on its way from one to the other.
class upload_slot {
  public:
    upload_slot() = default;
    upload_slot(upload_slot const&) = delete;
    upload_slot& operator=(upload_slot const&) = delete;
    ~upload_slot() { release(); }

    // Copies to the device, to a place that stays until the next call, or (to != nullptr) to another.
    void const* send(void const* from, std::size_t bytes, void* to, cudaStream_t stream) {
        if (event_ == nullptr) check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
        check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");  // the last copy out of it is done
        if (bytes > room_) grow(bytes, stream);
        std::memcpy(host_, from, bytes);
        void* const target = to == nullptr ? device_ : to;
        check_cuda(cudaMemcpyAsync(target, host_, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync");
        check_cuda(cudaEventRecord(event_, stream), "cudaEventRecord");
        return target;
    }

  private:
    void grow(std::size_t bytes, cudaStream_t stream) {
        check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");  // nobody reads the old one any more
        std::size_t const room = std::bit_ceil(bytes);
        cudaFreeHost(std::exchange(host_, nullptr));
        cudaFree(std::exchange(device_, nullptr));
        room_ = 0;
        check_cuda(cudaMallocHost(&host_, room), "cudaMallocHost");
        check_cuda(cudaMalloc(&device_, room), "cudaMalloc");
        room_ = room;
    }
    void release() {
        cudaFreeHost(host_);
        cudaFree(device_);
        if (event_ != nullptr) cudaEventDestroy(event_);
    }

    void *host_ = nullptr, *device_ = nullptr;
    std::size_t room_ = 0;
    cudaEvent_t event_ = nullptr;
};

// c = op(a) op(b) + beta c as cuBLAS plans it for one shape. Its matrices are column-major, so it is told
// c^T = op(b)^T op(a)^T.
class cublas_product {
  public:
    struct shape {
        int rows, columns, depth, alignment;
        factor a_is, b_is;
        std::ptrdiff_t a_stride, b_stride, c_stride;
        cudaDataType type;
        cublasComputeType_t compute;
        [[nodiscard]] auto key() const {
            return std::tuple(rows, columns, depth, alignment, a_is, b_is, a_stride, b_stride, c_stride,
                              static_cast<int>(type), static_cast<int>(compute));
        }
        bool operator<(shape const& other) const { return key() < other.key(); }
    };

    cublas_product(cublasLtHandle_t handle, shape const& of, std::size_t workspace) {
        check_cublas(cublasLtMatmulDescCreate(&operation_, of.compute, of.type), "cublasLtMatmulDescCreate");
        set(CUBLASLT_MATMUL_DESC_TRANSA, of.b_is);
        set(CUBLASLT_MATMUL_DESC_TRANSB, of.a_is);
        a_ = layout(of.type, of.b_is, of.columns, of.depth, of.b_stride);
        b_ = layout(of.type, of.a_is, of.depth, of.rows, of.a_stride);
        c_ = layout(of.type, factor::plain, of.columns, of.rows, of.c_stride);
        cublasLtMatmulPreference_t preference;
        check_cublas(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
        auto const prefer = [&](cublasLtMatmulPreferenceAttributes_t what, auto value) {
            check_cublas(cublasLtMatmulPreferenceSetAttribute(preference, what, &value, sizeof(value)),
                         "cublasLtMatmulPreferenceSetAttribute");
        };
        prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
        for (auto const what : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            prefer(what, static_cast<std::uint32_t>(of.alignment));
        // No sums whose order is left to chance: atomics are not asked for.
        prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
               static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
        cublasLtMatmulHeuristicResult_t found{};
        int count = 0;
        auto const status =
            cublasLtMatmulAlgoGetHeuristic(handle, operation_, a_, b_, c_, c_, preference, 1, &found, &count);
        cublasLtMatmulPreferenceDestroy(preference);
        check_cublas(count > 0 ? status : CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic");
        algorithm_ = found.algo;
    }
    cublas_product(cublas_product const&) = delete;
    cublas_product& operator=(cublas_product const&) = delete;
    ~cublas_product() {
        for (auto const one : {a_, b_, c_}) cublasLtMatrixLayoutDestroy(one);
        cublasLtMatmulDescDestroy(operation_);
    }

    template <class T>
    void run(cublasLtHandle_t handle, T const* a, T const* b, T beta, T* c, void* workspace, std::size_t bytes,
             cudaStream_t stream) const {
        T const alpha = 1;
        check_cublas(cublasLtMatmul(handle, operation_, &alpha, b, a_, a, b_, &beta, c, c_, c, c_, &algorithm_,
                                    workspace, bytes, stream),
                     "cublasLtMatmul");
    }

  private:
    void set(cublasLtMatmulDescAttributes_t what, factor is) {
        cublasOperation_t const value = is == factor::plain ? CUBLAS_OP_N : CUBLAS_OP_T;
        check_cublas(cublasLtMatmulDescSetAttribute(operation_, what, &value, sizeof(value)),
                     "cublasLtMatmulDescSetAttribute");
    }
    static cublasLtMatrixLayout_t layout(cudaDataType type, factor is, int rows, int columns, std::ptrdiff_t stride) {
        if (is == factor::transposed) std::swap(rows, columns);
        cublasLtMatrixLayout_t made;
        check_cublas(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows),
                                                static_cast<std::uint64_t>(columns), stride),
                     "cublasLtMatrixLayoutCreate");
        return made;
    }

    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
    cublasLtMatmulAlgo_t algorithm_{};
};

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
        if (bytes <= largest_upload) {
            (void)next_slot().send(from, bytes, to, stream_);
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
    void each(std::ptrdiff_t n, F const& f) const {
        launch(n, f, stream_);
    }
    template <class F>
    void each(int rows, int columns, F const& f) const {
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

    template <class Body>
    void run_blocks(int x, int y, typename Body::arguments const& arguments) const {
        if (x <= 0 || y <= 0) return;
        auto* const kernel = detail::block_kernel<Body>;
        if constexpr (Body::shared_bytes > 48 << 10)
            detail::check_cuda(
                cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::shared_bytes),
                "cudaFuncSetAttribute");
        kernel<<<dim3(static_cast<unsigned>(x), static_cast<unsigned>(y)), Body::threads, Body::shared_bytes,
                 stream_>>>(arguments);
        detail::check_cuda(cudaGetLastError(), "launch of block_kernel");
    }

  private:
    static constexpr std::size_t workspace_bytes = std::size_t{32} << 20, largest_upload = std::size_t{1} << 20;
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
    std::size_t room_bytes_ = 0, next_slot_ = 0;
    std::array<detail::upload_slot, 16> slots_;
    std::map<detail::cublas_product::shape, detail::cublas_product> products_;
};

static_assert(machine<gpu>);

}  // namespace sequent
