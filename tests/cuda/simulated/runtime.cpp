// The part of CUDA's runtime that the library calls, on the simulated machine. Work is done as late as the interface
// allows: on a stream when somebody waits for it. So who reads too early, or changes page-locked memory that a copy
// still has to read, gets what it deserves.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "runtime.hpp"

namespace simulated_gpu {
namespace {

constexpr std::size_t shared_memory_of_all = 48 << 10, shared_memory_at_most = 227 << 10;
constexpr unsigned portable_cluster = 8;

struct fat_binary {
    int magic, version;
    std::byte const* data;
    void* file;
};
struct kernel {
    module_text* module = nullptr;
    std::string name;
    std::size_t shared_bytes = shared_memory_of_all;  // that it may have
    bool any_cluster = false;
};

struct state {
    std::recursive_mutex mutex;
    allocations memory;
    std::set<void*> device, pinned;
    std::map<void*, std::size_t> sizes;
    std::vector<std::unique_ptr<module_text>> modules;
    std::map<void const*, kernel> kernels;
    cudaError_t last = cudaSuccess, sticky = cudaSuccess;
    limits given;
};
state& all() {
    static state one;
    return one;
}

cudaError_t told(cudaError_t status) {
    if (all().sticky != cudaSuccess) status = all().sticky;
    if (status != cudaSuccess) all().last = status;
    return status;
}
using guard = std::lock_guard<std::recursive_mutex>;

}  // namespace

using work = std::function<void()>;

}  // namespace simulated_gpu

using namespace simulated_gpu;

struct CUgraphNode_st {
    work what;
    kernel* of = nullptr;  // of a kernel node
    launch how;
    CUgraph_st* home = nullptr;
    std::size_t place = 0;
};
struct CUgraph_st {
    std::vector<std::unique_ptr<CUgraphNode_st>> nodes;  // each after the one before
};
struct CUgraphExec_st {
    struct call {
        work what;
        kernel* of;
        launch how;
    };
    std::vector<call> calls;
    std::map<CUgraphNode_st*, std::size_t> places;
};
struct CUevent_st {
    bool done = true, is_captured = false;
    CUstream_st* on = nullptr;
    std::chrono::steady_clock::time_point at;
};
struct CUstream_st {
    unsigned flags = 0;
    std::deque<work> queue;
    bool captures = false;
    cudaGraph_t captured = nullptr;
    std::thread::id captures_for;  // whom calls that might wait are forbidden then
    bool is_broken = false;        // by such a call: the capture gives no graph
};

namespace simulated_gpu {
namespace {

std::set<CUstream_st*>& streams() {
    static std::set<CUstream_st*> one;
    return one;
}
CUstream_st& legacy() {
    static CUstream_st one;
    return one;
}
CUstream_st& stream_of(cudaStream_t stream) {
    return stream == nullptr || stream == cudaStreamLegacy ? legacy() : *stream;
}
bool is_legacy(CUstream_st const& stream) { return &stream == &legacy(); }

// A call that might wait: whether this thread captures, which is spoilt by it.
bool breaks_capture() {
    bool breaks = false;
    for (CUstream_st* const one : streams())
        if (one->captures && one->captures_for == std::this_thread::get_id()) one->is_broken = breaks = true;
    return breaks;
}

void drain(CUstream_st& stream) {
    while (!stream.queue.empty()) {
        work const next = std::move(stream.queue.front());
        stream.queue.pop_front();
        if (all().sticky == cudaSuccess) next();
    }
}
void drain_waiting() {
    for (CUstream_st* const one : streams())
        if ((one->flags & cudaStreamNonBlocking) == 0) drain(*one);
}
void drain_all() {
    for (CUstream_st* const one : streams()) drain(*one);
}

void run_now(kernel const& of, launch const& how) {
    try {
        run(*of.module, of.name, how, all().memory);
    } catch (ptx_error const& error) {
        std::fprintf(stderr, "simulated GPU: %s\n", error.what());
        all().sticky = cudaErrorLaunchFailure;
    }
}

}  // namespace

limits& limits_of_all() { return all().given; }
std::size_t living_streams() { return streams().size(); }

cudaError_t enqueue(cudaStream_t to, std::function<void()> what) {
    guard const lock(all().mutex);
    CUstream_st& stream = stream_of(to);
    if (stream.captures) {
        if (stream.is_broken) return told(cudaErrorStreamCaptureInvalidated);
        auto node = std::make_unique<CUgraphNode_st>();
        node->what = std::move(what), node->home = stream.captured, node->place = stream.captured->nodes.size();
        stream.captured->nodes.push_back(std::move(node));
        return cudaSuccess;
    }
    if (is_legacy(stream)) {
        for (CUstream_st* const one : streams())
            if (one->captures && (one->flags & cudaStreamNonBlocking) == 0) {
                one->is_broken = true;
                return told(cudaErrorStreamCaptureImplicit);
            }
        drain_waiting();
        if (all().sticky == cudaSuccess) what();
        return told(cudaSuccess);
    }
    stream.queue.push_back(std::move(what));
    return told(cudaSuccess);
}
bool is_device_memory(void const* first, std::size_t bytes) {
    guard const lock(all().mutex);
    all().memory.forget_last();
    return all().memory.contains(first, bytes);
}

namespace {

// The kernel's parameters, as the runtime reads them from pointers.
std::vector<std::byte> read_parameters(kernel const& of, void** from) {
    function_text const* const text = of.module->find(of.name);
    std::vector<std::byte> bytes(static_cast<std::size_t>(text->parameter_bytes));
    for (std::size_t k = 0; k < text->parameters.size(); ++k)
        std::memcpy(bytes.data() + text->parameters[k].offset, from[k],
                    static_cast<std::size_t>(text->parameters[k].bytes));
    return bytes;
}
cudaError_t check(kernel const& of, launch const& how) {
    if (how.grid.size() == 0 || how.block.size() == 0 || how.block.size() > 1024) return cudaErrorInvalidConfiguration;
    if (how.grid.y > 65535 || how.grid.z > 65535) return cudaErrorInvalidConfiguration;
    if (how.shared_bytes > of.shared_bytes) return cudaErrorInvalidValue;
    if (how.grid.x % how.cluster != 0) return cudaErrorInvalidConfiguration;
    if (how.cluster > portable_cluster && !of.any_cluster) return cudaErrorInvalidClusterSize;
    if (how.cluster > all().given.cluster) return cudaErrorInvalidClusterSize;
    return cudaSuccess;
}
kernel* find(void const* function) {
    auto const found = all().kernels.find(function);
    return found == all().kernels.end() || found->second.module == nullptr ? nullptr : &found->second;
}
extent extent_of(dim3 const& from) { return {from.x, from.y, from.z}; }

// PTX in a fat binary: entries with a kind (1: PTX), the size of their head and their own.
void read_fat_binary(std::byte const* data, std::vector<std::unique_ptr<module_text>>& to) {
    auto const read = [&]<class T>(std::byte const* from, T) {
        T value;
        std::memcpy(&value, from, sizeof(T));
        return value;
    };
    if (read(data, std::uint32_t{}) != 0xBA55ED50) return;
    std::byte const* entry = data + read(data + 6, std::uint16_t{});
    std::byte const* const end = entry + read(data + 8, std::uint64_t{});
    while (entry < end) {
        auto const kind = read(entry, std::uint16_t{});
        auto const head = read(entry + 4, std::uint32_t{});
        auto const size = read(entry + 8, std::uint64_t{});
        if (kind == 1) {
            std::string text(reinterpret_cast<char const*>(entry + head), size);
            text.resize(std::min(text.find('\0'), text.size()));
            if (text.find(".version") != std::string::npos)
                to.push_back(std::make_unique<module_text>(std::move(text)));
            else
                std::fprintf(stderr, "simulated GPU: compressed PTX; compile with --no-compress\n");
        }
        entry += head + size;
    }
}

}  // namespace
}  // namespace simulated_gpu

// What nvcc's host code calls.
extern "C" {

void** __cudaRegisterFatBinary(void* from) {
    guard const lock(all().mutex);
    std::size_t const before = all().modules.size();
    read_fat_binary(static_cast<fat_binary const*>(from)->data, all().modules);
    return reinterpret_cast<void**>(all().modules.size() > before ? all().modules.back().get() : nullptr);
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void** handle, char const* function, char*, char const* name, int, uint3*, uint3*, dim3*,
                            dim3*, int*) {
    guard const lock(all().mutex);
    auto& one = all().kernels[function];
    one.module = reinterpret_cast<module_text*>(handle), one.name = name;
}
void __cudaRegisterVar(void**, char*, char*, char const*, int, std::size_t, int, int) {}
char __cudaInitModule(void**) { return 1; }
unsigned __cudaPushCallConfiguration(dim3, dim3, std::size_t, cudaStream_t) { return 0; }
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) { return cudaErrorNotSupported; }
cudaError_t __cudaGetKernel(cudaKernel_t*, void const*) { return cudaErrorNotSupported; }
cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) {
    return told(cudaErrorNotSupported);
}
}

// Errors and devices.
cudaError_t cudaGetLastError() {
    guard const lock(all().mutex);
    auto const last = all().last;
    all().last = all().sticky;
    return last;
}
char const* cudaGetErrorString(cudaError_t error) {
    switch (error) {
    case cudaSuccess:
        return "no error";
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorInvalidConfiguration:
        return "invalid configuration argument";
    case cudaErrorInvalidValue:
        return "invalid argument";
    case cudaErrorInvalidClusterSize:
        return "Invalid cluster size";
    case cudaErrorLaunchFailure:
        return "unspecified launch failure";
    default:
        return "another error";
    }
}
cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr what, int) {
    switch (what) {
    case cudaDevAttrComputeCapabilityMajor:
        return *value = all().given.capability / 10, cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        return *value = all().given.capability % 10, cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        return *value = static_cast<int>(shared_memory_at_most), cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
        return *value = 1, cudaSuccess;
    default:
        return told(cudaErrorInvalidValue);
    }
}
cudaError_t cudaDeviceSynchronize() {
    guard const lock(all().mutex);
    drain_all();
    return told(cudaSuccess);
}

// Memory.
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    guard const lock(all().mutex);
    if (breaks_capture()) return told(cudaErrorStreamCaptureUnsupported);
    if (bytes > all().given.allocation) return told(cudaErrorMemoryAllocation);
    *memory = std::aligned_alloc(256, (bytes + 511) / 256 * 256);
    std::memset(*memory, 0xFF, bytes);
    all().memory.add(*memory, bytes), all().device.insert(*memory), all().sizes[*memory] = bytes;
    return told(cudaSuccess);
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
    guard const lock(all().mutex);
    auto const status = cudaMalloc(memory, bytes);
    if (status == cudaSuccess) all().device.erase(*memory), all().pinned.insert(*memory);
    return status;
}
namespace {
cudaError_t free_one(void* memory, std::set<void*>& from) {
    guard const lock(all().mutex);
    if (memory == nullptr) return told(cudaSuccess);
    if (breaks_capture()) return told(cudaErrorStreamCaptureUnsupported);
    drain_all();
    if (from.erase(memory) == 0) return told(cudaErrorInvalidValue);
    all().memory.remove(memory);
    std::memset(memory, 0xFE, all().sizes[memory]);
    all().sizes.erase(memory);
    std::free(memory);
    return told(cudaSuccess);
}
bool is_pinned(void const* memory) {
    auto const behind = all().pinned.upper_bound(const_cast<void*>(memory));
    if (behind == all().pinned.begin()) return false;
    void* const first = *std::prev(behind);
    return static_cast<std::byte const*>(memory) < static_cast<std::byte*>(first) + all().sizes[first];
}
}  // namespace
cudaError_t cudaFree(void* memory) { return free_one(memory, all().device); }
cudaError_t cudaFreeHost(void* memory) { return free_one(memory, all().pinned); }
cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    guard const lock(all().mutex);
    bool const from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    bool const to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    if ((from_device && !is_device_memory(from, bytes)) || (to_device && !is_device_memory(to, bytes)))
        return told(cudaErrorInvalidValue);
    bool const pageable = (!from_device && !is_pinned(from)) || (!to_device && !is_pinned(to));
    if (pageable && stream_of(stream).captures) return told(cudaErrorNotSupported);  // would be read at each launch
    if (!from_device && !is_pinned(from)) {                                          // taken over at once
        std::vector<std::byte> const taken(static_cast<std::byte const*>(from),
                                           static_cast<std::byte const*>(from) + bytes);
        return enqueue(stream, [=] { std::memcpy(to, taken.data(), bytes); });
    }
    auto const status = enqueue(stream, [=] { std::memcpy(to, from, bytes); });
    if (status == cudaSuccess && !to_device && !is_pinned(to)) return cudaStreamSynchronize(stream);
    return status;
}
cudaError_t cudaMemcpy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}
cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
    if (!is_device_memory(memory, bytes)) return told(cudaErrorInvalidValue);
    return enqueue(stream, [=] { std::memset(memory, value, bytes); });
}
cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
    return cudaMemsetAsync(memory, value, bytes, nullptr);
}

// Streams and events.
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    guard const lock(all().mutex);
    streams().insert(*stream = new CUstream_st{flags, {}, false, nullptr, {}});
    return told(cudaSuccess);
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    guard const lock(all().mutex);
    if (streams().erase(stream) == 0) return told(cudaErrorInvalidResourceHandle);
    drain(*stream);
    delete stream;
    return told(cudaSuccess);
}
cudaError_t cudaStreamGetFlags(cudaStream_t stream, unsigned* flags) {
    return *flags = stream_of(stream).flags, cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    guard const lock(all().mutex);
    if (stream_of(stream).captures) stream_of(stream).is_broken = true;
    if (stream_of(stream).captures || breaks_capture()) return told(cudaErrorStreamCaptureUnsupported);
    drain(stream_of(stream));
    return told(cudaSuccess);
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return *event = new CUevent_st, cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
    guard const lock(all().mutex);
    if (!from->done || !to->done) return told(cudaErrorNotReady);
    *milliseconds = std::chrono::duration<float, std::milli>(to->at - from->at).count();
    return told(cudaSuccess);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    guard const lock(all().mutex);
    drain_all();
    delete event;
    return told(cudaSuccess);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    guard const lock(all().mutex);
    event->is_captured = stream_of(stream).captures;
    if (event->is_captured) return cudaSuccess;
    event->done = false, event->on = &stream_of(stream);
    return enqueue(stream, [event] { event->done = true, event->at = std::chrono::steady_clock::now(); });
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    guard const lock(all().mutex);
    if (event->is_captured) return told(cudaErrorCapturedEvent);
    if (breaks_capture()) return told(cudaErrorStreamCaptureUnsupported);
    while (!event->done && !event->on->queue.empty()) {
        work const next = std::move(event->on->queue.front());
        event->on->queue.pop_front();
        if (all().sticky == cudaSuccess) next();
    }
    return told(cudaSuccess);
}

// Kernels.
cudaError_t cudaFuncGetName(char const** name, void const* function) {
    guard const lock(all().mutex);
    kernel const* const of = find(function);
    if (of == nullptr) return cudaErrorInvalidDeviceFunction;
    *name = of->name.c_str();
    return cudaSuccess;
}
cudaError_t cudaFuncSetAttribute(void const* function, cudaFuncAttribute what, int value) {
    guard const lock(all().mutex);
    kernel* const of = find(function);
    if (of == nullptr) return told(cudaErrorInvalidDeviceFunction);
    if (what == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (static_cast<std::size_t>(value) > shared_memory_at_most) return told(cudaErrorInvalidValue);
        of->shared_bytes = static_cast<std::size_t>(value);
    } else if (what == cudaFuncAttributeNonPortableClusterSizeAllowed) {
        of->any_cluster = value != 0;
    } else {
        return told(cudaErrorInvalidValue);
    }
    return told(cudaSuccess);
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, void const* function) {
    guard const lock(all().mutex);
    if (find(function) == nullptr) return told(cudaErrorInvalidDeviceFunction);
    *attributes = {};
    attributes->ptxVersion = attributes->binaryVersion = find(function)->module->target();
    return told(cudaSuccess);
}
namespace {
launch launch_of(cudaLaunchConfig_t const& how) {
    launch made{extent_of(how.gridDim), extent_of(how.blockDim), 1, how.dynamicSmemBytes, {}};
    for (unsigned n = 0; n < how.numAttrs; ++n)
        if (how.attrs[n].id == cudaLaunchAttributeClusterDimension) made.cluster = how.attrs[n].val.clusterDim.x;
    return made;
}
}  // namespace
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, void const* function, cudaLaunchConfig_t const* how) {
    guard const lock(all().mutex);
    kernel const* const of = find(function);
    if (of == nullptr) return told(cudaErrorInvalidDeviceFunction);
    auto const status = check(*of, launch_of(*how));
    *clusters = status == cudaSuccess ? 1 : 0;
    return told(status);
}
cudaError_t cudaLaunchKernelExC(cudaLaunchConfig_t const* how, void const* function, void** arguments) {
    guard const lock(all().mutex);
    kernel const* const of = find(function);
    if (of == nullptr) return told(cudaErrorInvalidDeviceFunction);
    launch made = launch_of(*how);
    if (auto const status = check(*of, made); status != cudaSuccess) return told(status);
    made.parameters = read_parameters(*of, arguments);
    return enqueue(how->stream, [of, made] { run_now(*of, made); });
}

// Graphs: chains of nodes.
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
    guard const lock(all().mutex);
    CUstream_st const& one = stream_of(stream);
    *status = !one.captures   ? cudaStreamCaptureStatusNone
              : one.is_broken ? cudaStreamCaptureStatusInvalidated
                              : cudaStreamCaptureStatusActive;
    return told(cudaSuccess);
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode how) {
    guard const lock(all().mutex);
    CUstream_st& one = stream_of(stream);
    if (one.captures || is_legacy(one)) return told(cudaErrorIllegalState);
    if (how == cudaStreamCaptureModeGlobal) return told(cudaErrorNotSupported);  // forbids calls of all threads
    one.captures = true, one.is_broken = false, one.captured = new CUgraph_st;
    one.captures_for = how == cudaStreamCaptureModeThreadLocal ? std::this_thread::get_id() : std::thread::id();
    return told(cudaSuccess);
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
    guard const lock(all().mutex);
    CUstream_st& one = stream_of(stream);
    if (!one.captures) return told(cudaErrorIllegalState);
    one.captures = false, *graph = std::exchange(one.captured, nullptr);
    if (!one.is_broken) return told(cudaSuccess);
    delete std::exchange(*graph, nullptr);
    return told(cudaErrorStreamCaptureInvalidated);
}
cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) { return *graph = new CUgraph_st, cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
namespace {
cudaError_t add_node(cudaGraphNode_t* node, cudaGraph_t graph, cudaGraphNode_t const* after, std::size_t count,
                     std::unique_ptr<CUgraphNode_st> made) {
    bool const is_chain = graph->nodes.empty() ? count == 0 : count == 1 && after[0] == graph->nodes.back().get();
    if (!is_chain) return told(cudaErrorInvalidValue);  // only chains are understood
    made->home = graph, made->place = graph->nodes.size();
    *node = made.get();
    graph->nodes.push_back(std::move(made));
    return told(cudaSuccess);
}
launch launch_of(cudaKernelNodeParams const& how, kernel const& of, unsigned cluster) {
    return {extent_of(how.gridDim), extent_of(how.blockDim), cluster, how.sharedMemBytes,
            read_parameters(of, how.kernelParams)};
}
}  // namespace
cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, cudaGraphNode_t const* after,
                                   std::size_t count, cudaKernelNodeParams const* how) {
    guard const lock(all().mutex);
    auto made = std::make_unique<CUgraphNode_st>();
    made->of = find(how->func);
    if (made->of == nullptr) return told(cudaErrorInvalidDeviceFunction);
    made->how = launch_of(*how, *made->of, 1);
    if (auto const status = check(*made->of, made->how); status != cudaSuccess) return told(status);
    return add_node(node, graph, after, count, std::move(made));
}
cudaError_t cudaGraphKernelNodeSetAttribute(cudaGraphNode_t node, cudaLaunchAttributeID what,
                                            cudaLaunchAttributeValue const* value) {
    guard const lock(all().mutex);
    if (node->of == nullptr || what != cudaLaunchAttributeClusterDimension) return told(cudaErrorInvalidValue);
    node->how.cluster = value->clusterDim.x;
    return told(check(*node->of, node->how));
}
cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph, cudaGraphNode_t const* after,
                                       std::size_t count, cudaGraph_t child) {
    guard const lock(all().mutex);
    auto made = std::make_unique<CUgraphNode_st>();
    std::vector<work> copied;
    for (auto const& one : child->nodes) {
        if (one->of != nullptr) return told(cudaErrorNotSupported);  // of this library only captured work
        copied.push_back(one->what);
    }
    made->what = [copied] {
        for (auto const& one : copied) one();
    };
    return add_node(node, graph, after, count, std::move(made));
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    guard const lock(all().mutex);
    auto made = std::make_unique<CUgraphExec_st>();
    for (auto const& node : graph->nodes) {
        made->places[node.get()] = made->calls.size();
        made->calls.push_back({node->what, node->of, node->how});
    }
    *executable = made.release();
    return told(cudaSuccess);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }
cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             cudaKernelNodeParams const* how) {
    guard const lock(all().mutex);
    auto const place = executable->places.find(node);
    if (place == executable->places.end() || node->of == nullptr) return told(cudaErrorInvalidValue);
    auto& call = executable->calls[place->second];
    if (find(how->func) != call.of) return told(cudaErrorInvalidValue);  // CUDA allows more; this library does not
    launch made = launch_of(*how, *call.of, call.how.cluster);
    if (auto const status = check(*call.of, made); status != cudaSuccess) return told(status);
    call.how = std::move(made);
    return told(cudaSuccess);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
    guard const lock(all().mutex);
    auto const calls = executable->calls;  // as they are now
    return enqueue(stream, [calls] {
        for (auto const& one : calls) {
            if (all().sticky != cudaSuccess) return;
            if (one.of != nullptr)
                run_now(*one.of, one.how);
            else
                one.what();
        }
    });
}
