// The machine behind `cuda`: one stream of the current NVIDIA GPU. Needs nvcc, and cublasLt to link with.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "graph.cuh"
#include "kernels.cuh"
#include "launch_list.hpp"
#include "operations.hpp"
#include "products.cuh"
#include "row_grid.hpp"

namespace sequent {

namespace detail {

template <class F>
__global__ void for_each_kernel(std::ptrdiff_t n, F const f) {
    std::ptrdiff_t const step = std::ptrdiff_t{gridDim.x} * blockDim.x;
    for (std::ptrdiff_t j = std::ptrdiff_t{blockIdx.x} * blockDim.x + threadIdx.x; j < n; j += step) f(j);
}
template <class F>
__global__ void for_each_row_kernel(int rows, int columns, F const f) {
    auto const number = [](unsigned n) { return static_cast<int>(n); };
    row_grid{number(blockDim.x), number(blockDim.y), number(gridDim.x), number(gridDim.y)}.visit(
        rows, columns, number(blockIdx.x * blockDim.y + threadIdx.y), number(blockIdx.y * blockDim.x + threadIdx.x), f);
}

// Lets a kernel have more shared memory than the 48 KiB that any may.
template <class Kernel>
void allow_shared_memory(Kernel* kernel, int bytes) {
    if (bytes > 48 << 10)
        check_kernel(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
                     "cudaFuncSetAttribute", reinterpret_cast<void const*>(kernel));
}

}  // namespace detail

class gpu {
  public:
    // Throws cuda_error where there is no GPU. One that this program was not compiled for fails at the first launch.
    gpu() : gpu(new_stream(), true) { open(); }
    // On a stream of the caller's, which lives longer: its work and this machine's come in the order of the calls.
    explicit gpu(cudaStream_t stream) : gpu(stream, false) { open(); }
    gpu(gpu const&) = delete;
    gpu& operator=(gpu const&) = delete;
    ~gpu() {
        if (is_lonely_) lonely_streams().remove(stream_);
        cudaStreamSynchronize(stream_);
        notes_ = {};
        products_.clear();
        release(workspace_);
        release(room_);
        release(split_room_);
        if (cublas_ != nullptr) cublasLtDestroy(cublas_);
        if (apart_ != nullptr) cudaStreamDestroy(apart_);
        if (owns_stream_) cudaStreamDestroy(stream_);
    }

    // For launches of one's own, which come behind all so far: to be asked for again before later ones.
    [[nodiscard]] cudaStream_t stream() const {
        launch_notes::catch_up();
        return stream_;
    }
    void wait() const {
        launch_notes::catch_up();
        detail::check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    }

    static void* allocate(std::size_t bytes) {
        void* memory = nullptr;
        auto status = bytes > 0 ? cudaMalloc(&memory, bytes) : cudaSuccess;
        if (status == cudaErrorMemoryAllocation) {  // launches that are noted may keep memory that is released
            (void)cudaGetLastError();
            launch_notes::catch_up();
            status = cudaMalloc(&memory, bytes);
        }
        detail::check_cuda(status, message("cudaMalloc of ", bytes, " bytes"));
        return memory;
    }
    static void release(void* memory) noexcept {
        if (!launch_notes::keep(memory)) cudaFree(memory);
    }
    static void spare(void* memory, std::size_t bytes) {
        if (bytes == 0) return;
        detail::check_cuda(cudaMemsetAsync(memory, 0, bytes, in_between), "cudaMemsetAsync");
        if (lonely_streams().any()) detail::check_cuda(cudaStreamSynchronize(in_between), "cudaStreamSynchronize");
    }
    static void copy(void const* from, std::size_t bytes, void* to) {
        if (bytes == 0) return launch_notes::catch_up();
        between_streams([&] {
            detail::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, in_between),
                               "cudaMemcpyAsync");
        });
    }
    template <class T>
    static void set(T* memory, std::size_t n, T value) {
        if (n == 0) return launch_notes::catch_up();
        auto const launch = [](detail::kernel_launch const& all) {
            detail::check_kernel(all.on(in_between), "launch", all.kernel);
        };
        using setter = detail::set_number<T>;
        std::ptrdiff_t const size = static_cast<std::ptrdiff_t>(n);
        between_streams([&] {
            detail::kernel_launch{grid_for(size, threads), threads}.give(launch, detail::for_each_kernel<setter>, size,
                                                                         setter{memory, value});
        });
    }

    void to_host(void const* from, std::size_t bytes, void* to) const {
        launch_notes::catch_up();
        if (bytes == 0) return;
        detail::refuse_capture(stream_, "what the host reads");
        detail::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
        wait();
    }
    void from_host(void const* from, std::size_t bytes, void* to) {
        if (bytes == 0) return;
        if (auto const* const words = static_cast<std::uint32_t const*>(notes_.upload(from, bytes)))
            return each(static_cast<std::ptrdiff_t>(bytes / sizeof(*words)),
                        detail::copy_words{words, static_cast<std::uint32_t*>(to)});
        if (bytes <= most_of_slot) {
            (void)next_slot().send(from, bytes, to, stream_);
        } else if (bytes <= most_of_large_slot) {
            (void)large_slots_[next_large_slot_++ % large_slots_.size()].send(from, bytes, to, stream_);
        } else {
            detail::refuse_capture(stream_, "what comes from the host");
            detail::check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
            wait();
        }
    }
    template <class T>
    [[nodiscard]] T const* upload(std::span<T const> numbers) {
        if (numbers.empty()) return nullptr;
        if (void* const noted = notes_.upload(numbers.data(), numbers.size_bytes()))
            return static_cast<T const*>(noted);
        return static_cast<T const*>(next_slot().send(numbers.data(), numbers.size_bytes(), nullptr, stream_));
    }
    // An answer that nobody holds any more is used again.
    using answer = detail::gpu_answer;
    [[nodiscard]] std::shared_ptr<answer> ask() {
        detail::refuse_capture(stream_, "what the host reads");
        for (auto& one : answers_)
            if (one.use_count() == 1) return one;
        return answers_.emplace_back(std::make_shared<answer>(stream_));
    }
    void send(answer& one) {
        detail::refuse_capture(stream_, "what the host reads");
        each(answer_bytes / sizeof(std::uint32_t),
             detail::copy_words{static_cast<std::uint32_t const*>(one.on_device()),
                                static_cast<std::uint32_t*>(one.room_on_host())});
        sent_.push_back(&one);
        if (!is_noting()) end_list();
    }
    void end_list() {
        for (answer* const one : std::exchange(sent_, {})) one->sent(stream_);
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
    void each(std::ptrdiff_t n, F const& f) {
        if (notes_.note(detail::each_call<F>{n, f})) return;
        if (n > 0 || graph_ != nullptr) start({grid_for(n, threads), threads}, detail::for_each_kernel<F>, n, f);
    }
    template <class F>
    void each(int rows, int columns, F const& f) {
        if (notes_.note(detail::each_row_call<F>{rows, columns, f})) return;
        if ((rows <= 0 || columns <= 0) && graph_ == nullptr) return;
        row_grid const grid = row_grid::of(rows, columns, largest_grid);
        auto const number = [](int n) { return static_cast<unsigned>(n); };
        start({dim3(number(grid.row_blocks), number(grid.column_blocks)),
               dim3(number(grid.threads_x), number(grid.threads_y))},
              detail::for_each_row_kernel<F>, rows, columns, f);
    }

    [[nodiscard]] bool is_fast_in_bf16() const { return fast_in_bf16_; }
    static constexpr split_cost cost_of_split{};
    [[nodiscard]] bf16_number* split_room(std::size_t n) {
        if (split_room_ == nullptr) {
            detail::refuse_capture(stream_, "the first large product, which takes memory,");
            split_room_ = allocate(n * sizeof(bf16_number));
        }
        return static_cast<bf16_number*>(split_room_);
    }
    // In the format's own precision; f32x3 multiplies floats as they are.
    template <class F, class T>
    void multiply(precision format, factor a_is, matrix_view<F const> a, factor b_is, matrix_view<F const> b,
                  matrix_view<T> c, bool accumulate) {
        int const depth = a_is == factor::plain ? a.columns : a.rows;
        if (c.rows == 0 || c.columns == 0) return;
        if (depth == 0) {
            if (!accumulate) each(c.rows, c.columns, detail::repeat_row<T>{nullptr, c});
            return;
        }
        if (notes_.note(detail::multiply_call<F, T>{format, a_is, a, b_is, accumulate, b, c})) return;
        using product = detail::cublas_product;
        product::shape const shape{c.rows,
                                   c.columns,
                                   depth,
                                   product::alignment_of(a.data),
                                   product::alignment_of(b.data),
                                   product::alignment_of(c.data),
                                   a_is,
                                   b_is,
                                   a.stride,
                                   b.stride,
                                   c.stride,
                                   product::type_of<F>,
                                   product::type_of<T>,
                                   product::compute_type(sizeof(T) == 8, format)};
        auto const [place, is_new] = products_.try_emplace(shape, cublas_, shape, workspace_bytes);
        place->second.run(cublas_, a.data, b.data, accumulate ? T(1) : T(0), c.data, workspace_, workspace_bytes,
                          stream_);
    }

    using graph = detail::gpu_graph;
    template <class F>
    auto together(F const& f) {
        if (detail::is_captured(stream_)) return f();  // into a graph of somebody else's
        return notes_.together(*this, f);
    }
    [[nodiscard]] bool is_noting() const { return notes_.is_noting(); }
    bool makes_graphs = true;
    // Nothing of a list that has run before allocates or waits, which a capture would not allow.
    [[nodiscard]] graph capture(launch_list<gpu> const& list) {
        graph made(stream_);
        for (std::size_t k = 0; k < list.size(); ++k)
            if (list.is_fixed(k))
                made.capture(apart_, [&] {
                    struct meanwhile {
                        gpu& here;
                        explicit meanwhile(gpu& machine) : here(machine) { std::swap(here.stream_, here.apart_); }
                        ~meanwhile() { std::swap(here.stream_, here.apart_); }
                    } const on_the_other(*this);
                    list.run(*this, k);
                });
            else
                renew(made, k, list);
        made.finish();
        return made;
    }
    void renew(graph& noted, std::size_t k, launch_list<gpu> const& list) {
        struct into {
            gpu& here;
            into(gpu& machine, graph& to, std::size_t call) : here(machine) { here.graph_ = &to, here.call_ = call; }
            ~into() { here.graph_ = nullptr; }
        } const to_graph(*this, noted, k);
        list.run(*this, k);
    }
    void launch(graph const& noted) { noted.launch(); }

    template <class Body>
    void run_blocks(int x, int y, typename Body::arguments const& arguments) {
        if (x <= 0 || y <= 0 || notes_.note(detail::blocks_call<Body>{x, y, arguments})) return;
        auto* const kernel = detail::block_kernel<Body>;
        detail::allow_shared_memory(kernel, Body::shared_bytes);
        start(detail::kernel_launch::of_body<Body>(x, y), kernel, arguments);
    }

    // Whether this GPU has clusters, the program was compiled for one that has, and the body's blocks fit.
    template <class Body>
    [[nodiscard]] bool can_run_clusters() {
        auto* const kernel = detail::cluster_kernel<Body>;
        auto const* const key = reinterpret_cast<void const*>(kernel);
        if (auto const known = can_run_.find(key); known != can_run_.end()) return known->second;
        int device = 0, shared_memory = 0, clusters = 0;
        cudaFuncAttributes compiled{};
        detail::check_cuda(cudaGetDevice(&device), "cudaGetDevice");
        detail::check_cuda(cudaDeviceGetAttribute(&shared_memory, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
                           "cudaDeviceGetAttribute");
        detail::check_cuda(cudaFuncGetAttributes(&compiled, kernel), "cudaFuncGetAttributes");
        if (compiled.ptxVersion < 90 || Body::shared_bytes > shared_memory) return can_run_[key] = false;
        detail::allow_shared_memory(kernel, Body::shared_bytes);
        auto status = cudaSuccess;
        if constexpr (Body::blocks > 8)  // more than any GPU with clusters may have; stays set, for the launches
            status = cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1);
        if (status == cudaSuccess)
            detail::kernel_launch::of_body<Body>(1, 1).described(stream_, [&](cudaLaunchConfig_t const* how) {
                status = cudaOccupancyMaxActiveClusters(&clusters, kernel, how);
            });
        if (status == cudaErrorInvalidClusterSize) return (void)cudaGetLastError(), can_run_[key] = false;
        detail::check_cuda(status, "cudaOccupancyMaxActiveClusters");
        return can_run_[key] = clusters > 0;
    }
    template <class Body>
    void run_clusters(int tiles, int y, typename Body::arguments const& arguments) {
        if (tiles <= 0 || y <= 0 || notes_.note(detail::clusters_call<Body>{tiles, y, arguments})) return;
        start(detail::kernel_launch::of_body<Body>(tiles, y), detail::cluster_kernel<Body>, arguments);
    }

  private:
    static constexpr std::size_t workspace_bytes = std::size_t{32} << 20, most_of_slot = std::size_t{1} << 20,
                                 most_of_large_slot = std::size_t{64} << 20;
    static constexpr unsigned threads = 256, largest_grid = 65535;
    // The default stream that streams wait for and that waits for them, however the program is compiled.
    static inline cudaStream_t const in_between = cudaStreamLegacy;

    // A machine to be opened: a gpu is whole when this is done, so what open() has made is released where it throws.
    gpu(cudaStream_t stream, bool owns) : stream_(stream), owns_stream_(owns) {}
    void open() {
        unsigned how = 0;
        detail::check_cuda(cudaStreamGetFlags(stream_, &how), "cudaStreamGetFlags");
        detail::check_cuda(cudaStreamCreateWithFlags(&apart_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
        detail::check_cublas(cublasLtCreate(&cublas_), "cublasLtCreate");
        workspace_ = allocate(workspace_bytes);
        fast_in_bf16_ = detail::is_fast_in_bf16();
        if ((how & cudaStreamNonBlocking) != 0) lonely_streams().add(stream_), is_lonely_ = true;
    }
    static cudaStream_t new_stream() {
        int devices = 0;
        auto const status = cudaGetDeviceCount(&devices);
        if (status != cudaSuccess || devices == 0) {
            (void)cudaGetLastError();
            throw cuda_error(message("sequent::cuda: no CUDA device is present (",
                                     status == cudaSuccess ? "none found" : cudaGetErrorString(status), ")"));
        }
        cudaStream_t made = nullptr;
        detail::check_cuda(cudaStreamCreate(&made), "cudaStreamCreate");
        return made;
    }
    // The machines' streams that neither wait for the default one nor are waited for by it.
    static detail::stream_list& lonely_streams() {
        static detail::stream_list streams;
        return streams;
    }
    // f(), which launches on the default stream, after all work so far and before all later work.
    template <class F>
    static void between_streams(F const& f) {
        launch_notes::catch_up();
        bool const waits = lonely_streams().any();
        lonely_streams().wait();
        f();
        if (waits) detail::check_cuda(cudaStreamSynchronize(in_between), "cudaStreamSynchronize");
    }

    // Of blocks that take so many each; one where there is nothing, for a graph that may have something another time.
    static unsigned grid_for(std::ptrdiff_t n, unsigned of_a_block) {
        return static_cast<unsigned>(std::clamp<std::ptrdiff_t>((n + of_a_block - 1) / of_a_block, 1, largest_grid));
    }
    // On the stream, or as a call of the graph that is made or renewed.
    template <class... Parameters>
    void start(detail::kernel_launch const& how, void (*kernel)(Parameters...),
               std::type_identity_t<Parameters> const&... arguments) {
        how.give(
            [&](detail::kernel_launch const& all) {
                if (graph_ != nullptr)
                    graph_->put(call_, all);
                else
                    detail::check_kernel(all.on(stream_), "launch", all.kernel);
            },
            kernel, arguments...);
    }
    detail::upload_slot& next_slot() { return slots_[next_slot_++ % slots_.size()]; }

    cudaStream_t stream_ = nullptr, apart_ = nullptr;  // apart: what is captured
    cublasLtHandle_t cublas_ = nullptr;
    void *workspace_ = nullptr, *room_ = nullptr, *split_room_ = nullptr;
    bool owns_stream_ = false, is_lonely_ = false, fast_in_bf16_ = false;
    std::size_t room_bytes_ = 0, next_slot_ = 0, next_large_slot_ = 0;
    std::array<detail::upload_slot, 16> slots_;
    std::array<detail::upload_slot, 2> large_slots_;
    std::vector<std::shared_ptr<answer>> answers_;
    std::vector<answer*> sent_;  // in the list that is noted
    launch_memory<gpu, graph> notes_;
    graph* graph_ = nullptr;  // in the place of the stream, if there is one
    std::size_t call_ = 0;    // of it
    std::map<detail::cublas_product::shape, detail::cublas_product> products_;
    std::map<void const*, bool> can_run_;  // kernels of clusters
};

static_assert(machine<gpu>);

}  // namespace sequent
