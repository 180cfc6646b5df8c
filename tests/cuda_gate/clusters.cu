// The cluster kernels at a choice of cells, sizes and formats, in clusters as the planner has them, for gate.sh to
// compile and measure.
#include "cell/coupled_lstm.hpp"
#include "sequent/backend/cuda/kernels.cuh"
#include "sequent/backend/cuda/planner.hpp"
#include "sequent/cell/elman.hpp"
#include "sequent/cell/gru.hpp"
#include "sequent/cell/lstm.hpp"
#include "shared_bytes.hpp"

using sequent::precision;

#define ONE(body, cell, format)                                                                                        \
    template __device__ int                                                                                            \
        shared_bytes<body<sequent::device_warp, cell, format, sequent::planned_blocks<cell, float, format>>>;          \
    template __global__ void sequent::detail::cluster_kernel<                                                          \
        body<sequent::device_warp, cell, format, sequent::planned_blocks<cell, float, format>>>(                       \
        sequent::tile_arguments<cell>)
#define BOTH(cell, format)                                                                                             \
    ONE(sequent::cluster_forward, cell, format);                                                                       \
    ONE(sequent::cluster_backward, cell, format)

using lstm_96 = sequent::lstm<1, 96>;
using lstm_128 = sequent::lstm<1, 128>;
using lstm_192 = sequent::lstm<1, 192>;
using lstm_256 = sequent::lstm<1, 256>;
using lstm_384 = sequent::lstm<1, 384>;
using lstm_512 = sequent::lstm<1, 512>;
using gru_128 = sequent::gru<1, 128>;
using gru_192 = sequent::gru<1, 192>;
using gru_256 = sequent::gru<1, 256>;
using gru_384 = sequent::gru<1, 384>;
using gru_512 = sequent::gru<1, 512>;
using elman_512 = sequent::elman<1, 512>;
using user_256 = sequent_tests::coupled_lstm<1, 256>;

BOTH(lstm_96, precision::f32x3);
BOTH(lstm_128, precision::f32x3);
BOTH(lstm_128, precision::f32);
BOTH(lstm_128, precision::bf16);
BOTH(lstm_192, precision::f32x3);
BOTH(lstm_192, precision::f32);
BOTH(lstm_256, precision::f32x3);
BOTH(lstm_256, precision::tf32);
BOTH(lstm_256, precision::bf16);
BOTH(lstm_256, precision::f32);
BOTH(lstm_384, precision::bf16);
BOTH(lstm_384, precision::f32x3);
BOTH(lstm_384, precision::tf32);
BOTH(lstm_512, precision::bf16);
BOTH(lstm_512, precision::f32x3);
BOTH(lstm_512, precision::tf32);
BOTH(lstm_512, precision::f16);
BOTH(gru_128, precision::f32x3);
BOTH(gru_192, precision::f32x3);
BOTH(gru_256, precision::f32x3);
BOTH(gru_384, precision::bf16);
BOTH(gru_384, precision::f32x3);
BOTH(gru_512, precision::bf16);
BOTH(gru_512, precision::f32x3);
BOTH(elman_512, precision::f32x3);
BOTH(user_256, precision::f32x3);
