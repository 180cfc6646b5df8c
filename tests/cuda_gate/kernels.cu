// The one-block kernels at a choice of cells, sizes and formats, for gate.sh to compile and measure.
#include "cell/coupled_lstm.hpp"
#include "sequent/backend/cuda/kernels.cuh"
#include "sequent/backend/cuda/planner.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "shared_bytes.hpp"

using sequent::precision;

#define ONE(body, cell, ...)                                                                                           \
    static_assert(body<sequent::device_warp, cell, __VA_ARGS__>::shared_bytes <=                                       \
                      sequent::detail::smallest_shared_memory,                                                         \
                  "more shared memory than a block has everywhere");                                                   \
    template __device__ int shared_bytes<body<sequent::device_warp, cell, __VA_ARGS__>>;                               \
    template __global__ void sequent::detail::block_kernel<body<sequent::device_warp, cell, __VA_ARGS__>>(             \
        sequent::tile_arguments<cell>)
#define BOTH(cell, ...)                                                                                                \
    ONE(sequent::one_block_forward, cell, __VA_ARGS__);                                                                \
    ONE(sequent::one_block_backward, cell, __VA_ARGS__)

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
