// What the simulated runtime makes of its callers' mistakes, which the tests on it would otherwise not notice.
#include <cuda_runtime_api.h>

#include "catch.hpp"

namespace {

struct memory {
    int* device = nullptr;
    int* pinned = nullptr;
    cudaStream_t stream = nullptr;
    memory() {
        cudaMalloc(reinterpret_cast<void**>(&device), 64);
        cudaMallocHost(reinterpret_cast<void**>(&pinned), 64);
        cudaStreamCreate(&stream);
    }
    memory(memory const&) = delete;
    memory& operator=(memory const&) = delete;
    ~memory() {
        cudaStreamDestroy(stream);
        cudaFreeHost(pinned);
        cudaFree(device);
    }
};

}  // namespace

TEST_CASE("simulated runtime: work of a stream is done when somebody waits for it, not earlier") {
    memory here;
    int seen = 0;
    *here.pinned = 1;
    REQUIRE(cudaMemcpyAsync(here.device, here.pinned, 4, cudaMemcpyHostToDevice, here.stream) == cudaSuccess);
    *here.pinned = 2;  // too early
    REQUIRE(cudaStreamSynchronize(here.stream) == cudaSuccess);
    REQUIRE(cudaMemcpy(&seen, here.device, 4, cudaMemcpyDeviceToHost) == cudaSuccess);
    CHECK(seen == 2);

    *here.pinned = 9;
    REQUIRE(cudaMemcpyAsync(here.pinned, here.device, 4, cudaMemcpyDeviceToHost, here.stream) == cudaSuccess);
    CHECK(*here.pinned == 9);
    REQUIRE(cudaStreamSynchronize(here.stream) == cudaSuccess);
    CHECK(*here.pinned == 2);
}

TEST_CASE("simulated runtime: the default stream waits for others, and not for those that do not wait for it") {
    memory here;
    for (unsigned const how : {unsigned{cudaStreamDefault}, unsigned{cudaStreamNonBlocking}}) {
        cudaStream_t other = nullptr;
        REQUIRE(cudaStreamCreateWithFlags(&other, how) == cudaSuccess);
        *here.pinned = 7;
        REQUIRE(cudaMemset(here.device, 0, 4) == cudaSuccess);
        REQUIRE(cudaMemcpyAsync(here.device, here.pinned, 4, cudaMemcpyHostToDevice, other) == cudaSuccess);
        int seen = -1;
        REQUIRE(cudaMemcpy(&seen, here.device, 4, cudaMemcpyDeviceToHost) == cudaSuccess);
        CHECK(seen == (how == cudaStreamDefault ? 7 : 0));
        REQUIRE(cudaStreamDestroy(other) == cudaSuccess);
    }
}

TEST_CASE("simulated runtime: what CUDA refuses is refused") {
    memory here;
    int on_host = 0;
    CHECK(cudaMemcpyAsync(here.device, &on_host, 65, cudaMemcpyHostToDevice, here.stream) == cudaErrorInvalidValue);
    CHECK(cudaMemcpy(&on_host, &on_host, 4, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
    CHECK(cudaMemset(&on_host, 0, 4) == cudaErrorInvalidValue);
    CHECK(cudaFree(here.pinned) == cudaErrorInvalidValue);
    void* none = nullptr;
    CHECK(cudaMalloc(&none, std::size_t{1} << 40) == cudaErrorMemoryAllocation);
}

TEST_CASE("simulated runtime: what might wait spoils a capture") {
    memory here;
    cudaEvent_t event = nullptr;
    REQUIRE(cudaEventCreate(&event) == cudaSuccess);
    void* none = nullptr;
    int on_host = 0;
    auto const spoils = [&](cudaError_t with, auto const& call) {
        cudaGraph_t graph = nullptr;
        cudaStreamCaptureStatus status{};
        REQUIRE(cudaStreamBeginCapture(here.stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
        CHECK(cudaMemsetAsync(here.device, 0, 4, here.stream) == cudaSuccess);
        CHECK(call() == with);
        CHECK(cudaStreamIsCapturing(here.stream, &status) == cudaSuccess);
        CHECK(status == cudaStreamCaptureStatusInvalidated);
        CHECK(cudaMemsetAsync(here.device, 0, 4, here.stream) == cudaErrorStreamCaptureInvalidated);
        CHECK(cudaStreamEndCapture(here.stream, &graph) == cudaErrorStreamCaptureInvalidated);
        CHECK(graph == nullptr);
        (void)cudaGetLastError();
    };
    spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaStreamSynchronize(here.stream); });
    spoils(cudaErrorStreamCaptureImplicit, [&] { return cudaMemset(here.device, 0, 4); });
    spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaMalloc(&none, 4); });
    spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaFree(here.device); });
    spoils(cudaErrorStreamCaptureUnsupported, [&] { return cudaEventSynchronize(event); });

    cudaGraph_t graph = nullptr;
    REQUIRE(cudaStreamBeginCapture(here.stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(cudaMemcpyAsync(here.device, &on_host, 4, cudaMemcpyHostToDevice, here.stream) == cudaErrorNotSupported);
    CHECK(cudaEventRecord(event, here.stream) == cudaSuccess);
    CHECK(cudaStreamEndCapture(here.stream, &graph) == cudaSuccess);
    CHECK(cudaEventSynchronize(event) == cudaErrorCapturedEvent);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);
    CHECK(cudaEventDestroy(event) == cudaSuccess);
    (void)cudaGetLastError();
}
