// GPUs with less: what the machine makes of them.
#include "on_gpu.hpp"
#include "simulated/runtime.hpp"

using namespace sequent_tests;

namespace {

struct changed_limits {
    simulated_gpu::limits before = simulated_gpu::limits_of_all();
    changed_limits() = default;
    changed_limits(changed_limits const&) = delete;
    changed_limits& operator=(changed_limits const&) = delete;
    ~changed_limits() { simulated_gpu::limits_of_all() = before; }
};

struct write_seven {
    float* to;
    SEQUENT_HD void operator()(std::ptrdiff_t j) const { to[j] = 7; }
};

}  // namespace

TEST_CASE("simulated limits: a machine that finds no memory leaves no streams, and other machines' stream alone") {
    cudaStream_t stream = nullptr;
    detail::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    {
        gpu first(stream);
        auto* const numbers = static_cast<float*>(gpu::allocate(64));
        auto* const copied = static_cast<float*>(gpu::allocate(64));
        std::size_t const streams = simulated_gpu::living_streams();
        {
            changed_limits const until_here;
            simulated_gpu::limits_of_all().allocation = 1 << 20;
            CHECK_THROWS_WITH(gpu(), Catch::Contains("out of memory"));
            CHECK_THROWS_WITH(gpu(stream), Catch::Contains("out of memory"));
        }
        CHECK(simulated_gpu::living_streams() == streams);
        first.each(16, write_seven{numbers});
        gpu::copy(numbers, 64, copied);  // still waits for the first one's stream
        float number = 0;
        first.to_host(copied, 4, &number);
        CHECK(number == 7);
        gpu::release(numbers);
        gpu::release(copied);
    }
    CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

TEST_CASE("simulated limits: where clusters are too large for a GPU a layer runs on the general path, and says so") {
    using cell = lstm<3, 128>;
    cuda const able;
    CHECK_THAT(recurrent_plan<cell>(able), Catch::StartsWith("cluster of 2 blocks"));
    changed_limits const until_here;
    simulated_gpu::limits_of_all().cluster = 1;
    cuda const unable;
    for (int time = 0; time < 2; ++time)
        CHECK_THAT(recurrent_plan<cell>(unable),
                   Catch::StartsWith("general, as this machine does not run cluster of 2 blocks"));
    CHECK_THROWS_WITH(recurrent_plan<cell>(cuda_with<precision::f32x3, strategy::cluster>{}),
                      Catch::Contains("this machine cannot run clusters of 2 blocks"));
}

TEST_CASE("simulated limits: factors are split on GPUs that are fast in bf16") {
    for (auto const& [capability, fast] :
         {std::pair{80, true}, {86, false}, {89, false}, {90, true}, {100, true}, {120, false}}) {
        changed_limits const until_here;
        simulated_gpu::limits_of_all().capability = capability;
        CHECK(gpu().is_fast_in_bf16() == fast);
    }
}
