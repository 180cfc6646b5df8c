// The one-block kernels at a choice of cells, sizes and formats, for gate.sh to compile and measure.
#include "cell/coupled_lstm.hpp"
#include "sequent/backend/cuda/one_block_backward.hpp"
#include "sequent/backend/cuda/one_block_forward.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"

constexpr int smallest_shared_memory = 99 << 10;  // of a block on sm_86, 89 and 120

template <class Body>
__global__ void __launch_bounds__(Body::threads) kernel(typename Body::arguments const all) {
    static_assert(Body::shared_bytes <= smallest_shared_memory, "more shared memory than a block has everywhere");
    extern __shared__ __align__(16) unsigned char shared[];
    sequent::device_warp warp(shared);
    Body body;
    body.start(warp, all);
    __syncthreads();
    for (int step = 0; step < body.steps(); ++step) {
        body.step(warp, all, step);
        __syncthreads();
    }
    body.finish(warp, all);
}

using sequent::precision;

#define BOTH(cell, ...)                                                                                                \
    template __global__ void kernel<sequent::one_block_forward<sequent::device_warp, cell, __VA_ARGS__>>(              \
        sequent::one_block_arguments<cell>);                                                                           \
    template __global__ void kernel<sequent::one_block_backward<sequent::device_warp, cell, __VA_ARGS__>>(             \
        sequent::one_block_arguments<cell>)

using lstm_32 = sequent::lstm<1, 32>;
using lstm_64 = sequent::lstm<1, 64>;
using lstm_96 = sequent::lstm<1, 96>;
using gru_40 = sequent::gru<1, 40>;
using gru_96 = sequent::gru<1, 96>;
using gru_128 = sequent::gru<1, 128>;
using gru_64 = sequent::gru<1, 64>;
using elman_128 = sequent::elman<1, 128>;
using user_32 = sequent_tests::coupled_lstm<1, 32>;

BOTH(lstm_32, precision::f32x3);
BOTH(lstm_32, precision::f32);
BOTH(lstm_64, precision::f32x3);
BOTH(lstm_64, precision::tf32);
BOTH(lstm_64, precision::f32);
BOTH(lstm_96, precision::bf16);
BOTH(gru_40, precision::f16, 16);
BOTH(gru_64, precision::f32x3);
BOTH(gru_96, precision::f32x3);
BOTH(gru_128, precision::bf16);
BOTH(elman_128, precision::bf16);
BOTH(elman_128, precision::f32x3);
BOTH(user_32, precision::f32x3);
