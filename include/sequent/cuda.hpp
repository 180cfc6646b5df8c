// The policy `cuda`: model<Network, sequent::cuda> runs a network on an NVIDIA GPU. A table of contents, for nvcc:
// compile with -std=c++20 and link with cublasLt. Without Eigen, xtensor and JSON.
#pragma once

#if !defined(__CUDACC__)
#error "sequent/cuda.hpp holds device code: compile this file with nvcc"
#endif

#include "backend/cuda/gpu.cuh"
#include "backend/cuda/policy.hpp"

#include "cell/cell.hpp"
#include "cell/elman.hpp"
#include "cell/gru.hpp"
#include "cell/lstm.hpp"

#include "layer/dropout.hpp"
#include "layer/embedding.hpp"
#include "layer/linear.hpp"
#include "layer/pooling.hpp"
#include "layer/recurrent.hpp"
#include "layer/sequential.hpp"

#include "model/model.hpp"

#include "train/adam.hpp"
#include "train/clip_norm.hpp"
#include "train/cross_entropy.hpp"
#include "train/optimizer.hpp"
#include "train/schedule.hpp"
#include "train/sgd.hpp"
#include "train/sparse_adam.hpp"
#include "train/training.hpp"

namespace sequent {

// Products in f32x3, which multiplies on the tensor cores within about 1e-5 of float.
using cuda = basic_cuda<gpu>;
// The same in another number format (precision::f32, tf32, bf16, f16), or on kernels of your choice.
template <precision Format, strategy Strategy = strategy::automatic>
using cuda_with = basic_cuda<gpu, Format, Strategy>;

static_assert(backend<cuda>);

}  // namespace sequent
