// What an emulated machine cannot show of the class gpu: errors of CUDA, and streams.
#include <functional>
#include <thread>

#include "on_gpu.hpp"

using namespace sequent_tests;

namespace {

__global__ void kernel_of_a_test() {}

struct write_slowly {
    float* to;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const {
        float number = static_cast<float>(j);
        for (int k = 0; k < 100'000; ++k) number = number / 2 + 1;
        to[j] = number;
    }
};
struct add_one {
    float* to;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { to[j] += 1; }
};

}  // namespace

TEST_CASE("cuda_error: says which call, of which kernel, why and where; without a GPU too") {
    CHECK_NOTHROW(detail::check_cuda(cudaSuccess, "cudaMalloc"));
    CHECK_NOTHROW(detail::check_kernel(cudaSuccess, "launch", nullptr));
    std::string const where = " (" + std::string(__FILE__) + ":";
    CHECK_THROWS_WITH(detail::check_cuda(cudaErrorMemoryAllocation, "cudaMalloc of 64 bytes"),
                      Catch::StartsWith("sequent::cuda: cudaMalloc of 64 bytes: out of memory" + where));
    CHECK_THROWS_WITH(detail::check_kernel(cudaErrorInvalidConfiguration, "launch", nullptr),
                      Catch::StartsWith("sequent::cuda: launch of a kernel: invalid configuration argument" + where));
    if (!why_no_gpu().empty()) return;
    auto const* const kernel = reinterpret_cast<void const*>(&kernel_of_a_test);
    CHECK_THROWS_WITH(detail::check_kernel(cudaErrorInvalidConfiguration, "launch", kernel),
                      Catch::StartsWith("sequent::cuda: launch of ") && Catch::Contains("kernel_of_a_test"));
}

TEST_CASE("gpu: a stream of the caller's is worked on in order and left open, whether the default one waits or not") {
    NEEDS_GPU();
    for (unsigned const how : {unsigned{cudaStreamDefault}, unsigned{cudaStreamNonBlocking}}) {
        cudaStream_t stream = nullptr;
        detail::check_cuda(cudaStreamCreateWithFlags(&stream, how), "cudaStreamCreateWithFlags");
        {
            on_device<cuda, float> here{cuda{.machine = std::make_shared<gpu>(stream)}};
            gpu& machine = *here.device.machine;
            CHECK(machine.stream() == stream);
            device_buffer<gpu, float> buffer;
            machine.each(1000, write_slowly{buffer.reserve(1000)});
            buffer.resize(5000, 7.0f);  // grows: copies what is still being written
            machine.each(5000, add_one{buffer.data()});
            auto const numbers = here.get(static_cast<float const*>(buffer.data()), 5000);
            CHECK(numbers[0] == 3);
            CHECK(numbers[999] == 3);
            CHECK(numbers[4999] == 8);
        }
        CHECK(cudaStreamDestroy(stream) == cudaSuccess);
    }
}

TEST_CASE("gpu: while a graph is made other threads use the default stream") {
    NEEDS_GPU();
    on_device<cuda, float> here;
    std::atomic<bool> done = false;
    cudaError_t status = cudaSuccess;
    void* const memory = gpu::allocate(256);
    std::thread other([&] {
        while (!done && status == cudaSuccess) status = cudaMemset(memory, 0, 256);
    });
    float* const numbers = here.put(std::vector<float>(64 * 64, 1.0f));
    float* const result = here.put(std::vector<float>(64 * 64));
    for (int const size : {16, 24, 32, 48, 64})
        for (int time = 0; time < 3; ++time)
            here.device.machine->together([&] {
                matrix_view<float const> const factors(numbers, size, size);
                for (int k = 0; k < 20; ++k)
                    here.device.machine->multiply(precision::f32, factor::plain, factors, factor::plain, factors,
                                                  matrix_view<float>(result, size, size), false);
            });
    CHECK(here.get(static_cast<float const*>(result), 1)[0] == 64);
    done = true;
    other.join();
    CHECK(status == cudaSuccess);
    gpu::release(memory);
}

TEST_CASE("gpu: into a graph of the caller's go launches, and nothing from or to the host") {
    NEEDS_GPU();
    cudaStream_t stream = nullptr;
    detail::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    {
        on_device<cuda, float> here{cuda{.machine = std::make_shared<gpu>(stream)}};
        gpu& machine = *here.device.machine;
        float* const numbers = here.put(std::vector<float>(100, 1.0f));
        auto const answer = machine.ask();
        machine.wait();
        cudaGraph_t graph = nullptr;
        cudaGraphExec_t executable = nullptr;
        REQUIRE(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
        machine.together([&] { machine.each(100, add_one{numbers}); });
        std::vector<float> const twos(100, 2.0f);
        CHECK_THROWS_WITH(machine.from_host(twos.data(), 400, numbers),
                          "sequent::cuda: what comes from the host cannot be captured in a graph of yours");
        CHECK_THROWS_WITH(machine.upload(std::span(twos)),
                          "sequent::cuda: what comes from the host cannot be captured in a graph of yours");
        auto const large = std::vector<float>((std::size_t{64} << 18) + 1);
        CHECK_THROWS_WITH(machine.from_host(large.data(), 4 * large.size(), numbers),
                          "sequent::cuda: what comes from the host cannot be captured in a graph of yours");
        float number = 0;
        for (auto const& reads : {std::function<void()>([&] { machine.send(*answer); }),
                                  std::function<void()>([&] { (void)machine.ask(); }),
                                  std::function<void()>([&] { machine.to_host(numbers, 4, &number); })})
            CHECK_THROWS_WITH(reads(), "sequent::cuda: what the host reads cannot be captured in a graph of yours");
        REQUIRE(cudaStreamEndCapture(stream, &graph) == cudaSuccess);
        REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
        for (int k = 0; k < 3; ++k) REQUIRE(cudaGraphLaunch(executable, stream) == cudaSuccess);
        CHECK(here.get(static_cast<float const*>(numbers), 100) == std::vector<float>(100, 4.0f));
        machine.wait();
        CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
        CHECK(cudaGraphDestroy(graph) == cudaSuccess);
        (void)machine.upload(std::span(twos));  // as ever
        machine.send(*answer);
        (void)answer->on_host();
    }
    CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}
