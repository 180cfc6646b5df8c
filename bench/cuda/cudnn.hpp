// A recurrent layer of cuDNN 9 on made-up weights, through its C API: what ours is compared with.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cudnn.h>

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "timing.hpp"

namespace bench {

inline void check_cudnn(cudnnStatus_t status, char const* call) {
    if (status != CUDNN_STATUS_SUCCESS)
        throw sequent::cuda_error(sequent::message("cuDNN: ", call, ": ", cudnnGetErrorString(status)));
}

struct cudnn_case {
    cudnnRNNMode_t cell;
    int inputs, hidden, layers, directions, batch;
    std::vector<int> lengths;  // descending
    bool packed;               // how cuDNN holds the rows; else all sequences have rows up to the longest length
    cudnnDataType_t type;
    cudnnMathType_t math;
    cudnnRNNAlgo_t algorithm;
};

// One for the whole program: making one takes long.
inline cudnnHandle_t cudnn_handle() {
    static cudnnHandle_t const handle = [] {
        cudnnHandle_t made = nullptr;
        check_cudnn(cudnnCreate(&made), "cudnnCreate");
        return made;
    }();
    return handle;
}

// Throws cuda_error where cuDNN does not take the case, here or in the first call of forward and backward.
class cudnn_layer {
  public:
    cudnn_layer(cudnn_case const& of, cudaStream_t stream) {
        try {
            describe(of, stream);
        } catch (...) {
            release();
            throw;
        }
    }
    cudnn_layer(cudnn_layer const&) = delete;
    cudnn_layer& operator=(cudnn_layer const&) = delete;
    ~cudnn_layer() { release(); }

    void forward(int set, bool training) {
        check_cudnn(cudnnRNNForward(handle_, rnn_, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
                                    lengths_, x_shape_, x_[set], y_shape_, y_, state_, nullptr, nullptr, state_,
                                    nullptr, nullptr, weight_bytes_, weights_, work_bytes_, work_,
                                    training ? reserve_bytes_ : 0, training ? reserve_ : nullptr),
                    "cudnnRNNForward");
    }
    void backward(int set) {
        check_cudnn(cudnnRNNBackwardData_v8(handle_, rnn_, lengths_, y_shape_, y_, dy_[set], x_shape_, dx_, state_,
                                            nullptr, nullptr, nullptr, state_, nullptr, nullptr, nullptr, weight_bytes_,
                                            weights_, work_bytes_, work_, reserve_bytes_, reserve_),
                    "cudnnRNNBackwardData_v8");
        check_cudnn(cudnnRNNBackwardWeights_v8(handle_, rnn_, CUDNN_WGRAD_MODE_ADD, lengths_, x_shape_, x_[set], state_,
                                               nullptr, y_shape_, y_, weight_bytes_, d_weights_, work_bytes_, work_,
                                               reserve_bytes_, reserve_),
                    "cudnnRNNBackwardWeights_v8");
    }

  private:
    void describe(cudnn_case const& of, cudaStream_t stream) {
        check_cudnn(cudnnSetStream(handle_, stream), "cudnnSetStream");
        check_cudnn(cudnnCreateRNNDescriptor(&rnn_), "cudnnCreateRNNDescriptor");
        check_cudnn(cudnnCreateDropoutDescriptor(&dropout_), "cudnnCreateDropoutDescriptor");
        check_cudnn(cudnnSetDropoutDescriptor(dropout_, handle_, 0, nullptr, 0, 0), "cudnnSetDropoutDescriptor");
        check_cudnn(cudnnSetRNNDescriptor_v8(rnn_, of.algorithm, of.cell, CUDNN_RNN_DOUBLE_BIAS,
                                             of.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL,
                                             CUDNN_LINEAR_INPUT, of.type, CUDNN_DATA_FLOAT, of.math, of.inputs,
                                             of.hidden, of.hidden, of.layers, dropout_,
                                             of.packed ? CUDNN_RNN_PADDED_IO_DISABLED : CUDNN_RNN_PADDED_IO_ENABLED),
                    "cudnnSetRNNDescriptor_v8");
        // It compiles kernels for this batch.
        if (of.algorithm == CUDNN_RNN_ALGO_PERSIST_DYNAMIC)
            check_cudnn(cudnnBuildRNNDynamic(handle_, rnn_, of.batch), "cudnnBuildRNNDynamic");
        int const steps = of.lengths[0];
        auto const layout =
            of.packed ? CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED : CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED;
        float fill = 0;
        for (auto const& [descriptor, width] :
             {std::pair{&x_shape_, of.inputs}, std::pair{&y_shape_, of.directions * of.hidden}}) {
            check_cudnn(cudnnCreateRNNDataDescriptor(descriptor), "cudnnCreateRNNDataDescriptor");
            check_cudnn(cudnnSetRNNDataDescriptor(*descriptor, of.type, layout, steps, of.batch, width,
                                                  of.lengths.data(), &fill),
                        "cudnnSetRNNDataDescriptor");
        }
        int const extents[] = {of.layers * of.directions, of.batch, of.hidden},
                  strides[] = {of.batch * of.hidden, of.hidden, 1};
        check_cudnn(cudnnCreateTensorDescriptor(&state_), "cudnnCreateTensorDescriptor");
        check_cudnn(cudnnSetTensorNdDescriptor(state_, of.type, 3, extents, strides), "cudnnSetTensorNdDescriptor");
        check_cudnn(cudnnGetRNNWeightSpaceSize(handle_, rnn_, &weight_bytes_), "cudnnGetRNNWeightSpaceSize");
        std::size_t forward_work = 0, unused = 0;
        check_cudnn(
            cudnnGetRNNTempSpaceSizes(handle_, rnn_, CUDNN_FWD_MODE_TRAINING, x_shape_, &work_bytes_, &reserve_bytes_),
            "cudnnGetRNNTempSpaceSizes");
        check_cudnn(
            cudnnGetRNNTempSpaceSizes(handle_, rnn_, CUDNN_FWD_MODE_INFERENCE, x_shape_, &forward_work, &unused),
            "cudnnGetRNNTempSpaceSizes");
        work_bytes_ = std::max(work_bytes_, forward_work);
        std::size_t const size = of.type == CUDNN_DATA_FLOAT ? 4 : 2;
        std::size_t const rows = of.packed ? std::accumulate(of.lengths.begin(), of.lengths.end(), std::size_t{0})
                                           : static_cast<std::size_t>(steps) * of.batch;
        std::size_t const x = rows * of.inputs * size, y = rows * of.directions * of.hidden * size;
        dx_ = zeros(x), y_ = zeros(y);
        for (int set = 0; set < input_sets; ++set) {
            x_[set] = zeros(x), dy_[set] = zeros(y);
            randomise(of.type, x_[set], x, 1), randomise(of.type, dy_[set], y, 1);
        }
        weights_ = zeros(weight_bytes_), d_weights_ = zeros(weight_bytes_);
        work_ = zeros(work_bytes_), reserve_ = zeros(reserve_bytes_);
        lengths_ = static_cast<int*>(zeros(of.batch * sizeof(int)));
        check_cuda(cudaMemcpy(lengths_, of.lengths.data(), of.batch * sizeof(int), cudaMemcpyHostToDevice),
                   "cudaMemcpy");
        randomise(of.type, weights_, weight_bytes_, 0.1f);
    }
    void release() {
        for (void* const memory : memory_) cudaFree(memory);
        if (state_ != nullptr) cudnnDestroyTensorDescriptor(state_);
        if (x_shape_ != nullptr) cudnnDestroyRNNDataDescriptor(x_shape_);
        if (y_shape_ != nullptr) cudnnDestroyRNNDataDescriptor(y_shape_);
        if (rnn_ != nullptr) cudnnDestroyRNNDescriptor(rnn_);
        if (dropout_ != nullptr) cudnnDestroyDropoutDescriptor(dropout_);
    }
    void* zeros(std::size_t bytes) {
        void* memory = nullptr;
        check_cuda(cudaMalloc(&memory, std::max<std::size_t>(bytes, 256)), "cudaMalloc");
        memory_.push_back(memory);
        check_cuda(cudaMemset(memory, 0, std::max<std::size_t>(bytes, 256)), "cudaMemset");
        return memory;
    }
    static void randomise(cudnnDataType_t type, void* memory, std::size_t bytes, float range) {
        if (type == CUDNN_DATA_FLOAT)
            repeat_into(memory, bytes, [&](float number) { return range * number; });
        else if (type == CUDNN_DATA_HALF)
            repeat_into(memory, bytes, [&](float number) { return __float2half(range * number); });
        else
            repeat_into(memory, bytes, [&](float number) { return __float2bfloat16(range * number); });
    }
    template <class Convert>
    static void repeat_into(void* memory, std::size_t bytes, Convert const& convert) {
        std::vector<decltype(convert(0.0f))> block(numbers().size());
        std::transform(numbers().begin(), numbers().end(), block.begin(), convert);
        std::size_t const size = block.size() * sizeof(block[0]);
        for (std::size_t at = 0; at < bytes; at += size)
            check_cuda(cudaMemcpy(static_cast<char*>(memory) + at, block.data(), std::min(size, bytes - at),
                                  cudaMemcpyHostToDevice),
                       "cudaMemcpy");
    }

    cudnnHandle_t const handle_ = cudnn_handle();
    cudnnRNNDescriptor_t rnn_ = nullptr;
    cudnnDropoutDescriptor_t dropout_ = nullptr;
    cudnnRNNDataDescriptor_t x_shape_ = nullptr, y_shape_ = nullptr;
    cudnnTensorDescriptor_t state_ = nullptr;
    std::size_t weight_bytes_ = 0, work_bytes_ = 0, reserve_bytes_ = 0;
    void *x_[input_sets] = {}, *dy_[input_sets] = {}, *dx_ = nullptr, *y_ = nullptr, *weights_ = nullptr,
         *d_weights_ = nullptr, *work_ = nullptr, *reserve_ = nullptr;
    int* lengths_ = nullptr;
    std::vector<void*> memory_;
};

}  // namespace bench
