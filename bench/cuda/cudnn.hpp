// A recurrent layer of cuDNN 9 on made-up weights, through its C API: what ours is compared with.
#pragma once

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
    bool packed;               // else all rows of the longest length
    cudnnDataType_t type;
    cudnnMathType_t math;
    cudnnRNNAlgo_t algorithm;
};

class cudnn_layer {
  public:
    cudnn_layer(cudnn_case const& of, cudaStream_t stream) : case_(of) {
        check_cudnn(cudnnCreate(&handle_), "cudnnCreate");
        check_cudnn(cudnnSetStream(handle_, stream), "cudnnSetStream");
        check_cudnn(cudnnCreateRNNDescriptor(&rnn_), "cudnnCreateRNNDescriptor");
        check_cudnn(cudnnCreateDropoutDescriptor(&dropout_), "cudnnCreateDropoutDescriptor");
        check_cudnn(cudnnSetDropoutDescriptor(dropout_, handle_, 0, nullptr, 0, 0), "cudnnSetDropoutDescriptor");
        check_cudnn(cudnnSetRNNDescriptor_v8(rnn_, of.algorithm, of.cell, CUDNN_RNN_DOUBLE_BIAS,
                                             of.directions == 2 ? CUDNN_BIDIRECTIONAL : CUDNN_UNIDIRECTIONAL,
                                             CUDNN_LINEAR_INPUT, of.type, CUDNN_DATA_FLOAT, of.math, of.inputs,
                                             of.hidden, of.hidden, of.layers, dropout_, 0),
                    "cudnnSetRNNDescriptor_v8");
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
        x_ = zeros(x), dx_ = zeros(x), y_ = zeros(y), dy_ = zeros(y);
        weights_ = zeros(weight_bytes_), d_weights_ = zeros(weight_bytes_);
        work_ = zeros(work_bytes_), reserve_ = zeros(reserve_bytes_);
        lengths_ = static_cast<int*>(zeros(of.batch * sizeof(int)));
        check_cuda(cudaMemcpy(lengths_, of.lengths.data(), of.batch * sizeof(int), cudaMemcpyHostToDevice),
                   "cudaMemcpy");
        // Random bits of small numbers, in either format: exponents of 2^-9 to 2^-2.
        randomise(x_, x), randomise(dy_, y), randomise(weights_, weight_bytes_);
    }
    cudnn_layer(cudnn_layer const&) = delete;
    cudnn_layer& operator=(cudnn_layer const&) = delete;
    ~cudnn_layer() {
        for (void* const memory : memory_) cudaFree(memory);
        if (state_ != nullptr) cudnnDestroyTensorDescriptor(state_);
        if (x_shape_ != nullptr) cudnnDestroyRNNDataDescriptor(x_shape_);
        if (y_shape_ != nullptr) cudnnDestroyRNNDataDescriptor(y_shape_);
        if (rnn_ != nullptr) cudnnDestroyRNNDescriptor(rnn_);
        if (dropout_ != nullptr) cudnnDestroyDropoutDescriptor(dropout_);
        if (handle_ != nullptr) cudnnDestroy(handle_);
    }

    void forward(bool training) {
        check_cudnn(cudnnRNNForward(handle_, rnn_, training ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE,
                                    lengths_, x_shape_, x_, y_shape_, y_, state_, nullptr, nullptr, state_, nullptr,
                                    nullptr, weight_bytes_, weights_, work_bytes_, work_, training ? reserve_bytes_ : 0,
                                    training ? reserve_ : nullptr),
                    "cudnnRNNForward");
    }
    void backward() {
        check_cudnn(cudnnRNNBackwardData_v8(handle_, rnn_, lengths_, y_shape_, y_, dy_, x_shape_, dx_, state_, nullptr,
                                            nullptr, nullptr, state_, nullptr, nullptr, nullptr, weight_bytes_,
                                            weights_, work_bytes_, work_, reserve_bytes_, reserve_),
                    "cudnnRNNBackwardData_v8");
        check_cudnn(cudnnRNNBackwardWeights_v8(handle_, rnn_, CUDNN_WGRAD_MODE_ADD, lengths_, x_shape_, x_, state_,
                                               nullptr, y_shape_, y_, weight_bytes_, d_weights_, work_bytes_, work_,
                                               reserve_bytes_, reserve_),
                    "cudnnRNNBackwardWeights_v8");
    }

  private:
    void* zeros(std::size_t bytes) {
        void* memory = nullptr;
        check_cuda(cudaMalloc(&memory, std::max<std::size_t>(bytes, 256)), "cudaMalloc");
        memory_.push_back(memory);
        check_cuda(cudaMemset(memory, 0, std::max<std::size_t>(bytes, 256)), "cudaMemset");
        return memory;
    }
    void randomise(void* memory, std::size_t bytes) const {
        sequent::random_stream const random{1, 2};
        std::vector<std::uint32_t> words(bytes / 4);
        for (std::size_t n = 0; n < words.size(); ++n) {
            std::uint32_t const bits = random.word(n);
            auto const small =
                [&](std::uint32_t half) {  // sign, exponent 118 to 125 (bf16, float) or 6 to 13 (f16), fraction
                    bool const is_f16 = case_.type == CUDNN_DATA_HALF;
                    return is_f16 ? (half & 0x83FF) | (6 + (half >> 10 & 7)) << 10
                                  : (half & 0x807F) | (118 + (half >> 7 & 7)) << 7;
                };
            words[n] =
                small(bits >> 16) << 16 | (case_.type == CUDNN_DATA_FLOAT ? bits & 0xFFFF : small(bits & 0xFFFF));
        }
        check_cuda(cudaMemcpy(memory, words.data(), bytes / 4 * 4, cudaMemcpyHostToDevice), "cudaMemcpy");
    }

    cudnn_case case_;
    cudnnHandle_t handle_ = nullptr;
    cudnnRNNDescriptor_t rnn_ = nullptr;
    cudnnDropoutDescriptor_t dropout_ = nullptr;
    cudnnRNNDataDescriptor_t x_shape_ = nullptr, y_shape_ = nullptr;
    cudnnTensorDescriptor_t state_ = nullptr;
    std::size_t weight_bytes_ = 0, work_bytes_ = 0, reserve_bytes_ = 0;
    void *x_ = nullptr, *dx_ = nullptr, *y_ = nullptr, *dy_ = nullptr, *weights_ = nullptr, *d_weights_ = nullptr,
         *work_ = nullptr, *reserve_ = nullptr;
    int* lengths_ = nullptr;
    std::vector<void*> memory_;
};

}  // namespace bench
