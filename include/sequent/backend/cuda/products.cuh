// Products by cuBLASLt, one plan for each shape.
#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <tuple>
#include <utility>

#include "transfers.cuh"

namespace sequent {

namespace detail {

inline void check_cublas(cublasStatus_t status, std::string_view call,
                         std::source_location const& where = std::source_location::current()) {
    if (status != CUBLAS_STATUS_SUCCESS)
        throw cuda_error(message("sequent::cuda: ", call, ": ", cublasLtGetStatusString(status), " (",
                                 where.file_name(), ":", where.line(), ")"));
}

// Whether this GPU is one of the large ones, sm_80, sm_90, sm_100 or sm_103, which multiply bf16 numbers ten times as
// fast as floats and more. Those for graphics, sm_120 too, do so four times at most, which three products would use up.
inline bool is_fast_in_bf16() {
    int device = 0, major = 0, minor = 0;
    check_cuda(cudaGetDevice(&device), "cudaGetDevice");
    for (auto const& [to, what] :
         {std::pair{&major, cudaDevAttrComputeCapabilityMajor}, std::pair{&minor, cudaDevAttrComputeCapabilityMinor}})
        check_cuda(cudaDeviceGetAttribute(to, what, device), "cudaDeviceGetAttribute");
    return major == 10 || (minor == 0 && (major == 8 || major == 9));
}

// c = op(a) op(b) + beta c as cuBLAS plans it for one shape. Its matrices are column-major, so it is told
// c^T = op(b)^T op(a)^T.
class cublas_product {
  public:
    struct shape {
        int rows, columns, depth;
        int a_alignment, b_alignment, c_alignment;  // of where they start, in bytes
        factor a_is, b_is;
        std::ptrdiff_t a_stride, b_stride, c_stride;
        cudaDataType factors, type;  // of a and b; of c and the sums
        cublasComputeType_t compute;
        [[nodiscard]] auto key() const {
            return std::tuple(rows, columns, depth, a_alignment, b_alignment, c_alignment, a_is, b_is, a_stride,
                              b_stride, c_stride, static_cast<int>(factors), static_cast<int>(type),
                              static_cast<int>(compute));
        }
        bool operator<(shape const& other) const { return key() < other.key(); }
    };

    // At most 256, which is all that cuBLAS asks for.
    static int alignment_of(void const* memory) {
        auto const bits = reinterpret_cast<std::uintptr_t>(memory) | 256;
        return static_cast<int>(bits & (~bits + 1));
    }
    template <class Number>
    static constexpr cudaDataType type_of = sizeof(Number) == 8   ? CUDA_R_64F
                                            : sizeof(Number) == 4 ? CUDA_R_32F
                                                                  : CUDA_R_16BF;

    static cublasComputeType_t compute_type(bool is_double, precision format) {
        if (is_double) return CUBLAS_COMPUTE_64F;
        switch (format) {
        case precision::tf32:
            return CUBLAS_COMPUTE_32F_FAST_TF32;
        case precision::bf16:
            return CUBLAS_COMPUTE_32F_FAST_16BF;
        case precision::f16:
            return CUBLAS_COMPUTE_32F_FAST_16F;
        case precision::f32x3:
        case precision::f32:
            break;
        }
        return CUBLAS_COMPUTE_32F;
    }

    cublas_product(cublasLtHandle_t handle, shape const& of, std::size_t workspace) {
        check_cublas(cublasLtMatmulDescCreate(&operation_, of.compute, of.type), "cublasLtMatmulDescCreate");
        set(CUBLASLT_MATMUL_DESC_TRANSA, of.b_is);
        set(CUBLASLT_MATMUL_DESC_TRANSB, of.a_is);
        a_ = layout(of.factors, of.b_is, of.columns, of.depth, of.b_stride);
        b_ = layout(of.factors, of.a_is, of.depth, of.rows, of.a_stride);
        c_ = layout(of.type, factor::plain, of.columns, of.rows, of.c_stride);
        cublasLtMatmulPreference_t preference;
        check_cublas(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
        auto const prefer = [&](cublasLtMatmulPreferenceAttributes_t what, auto value) {
            check_cublas(cublasLtMatmulPreferenceSetAttribute(preference, what, &value, sizeof(value)),
                         "cublasLtMatmulPreferenceSetAttribute");
        };
        prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace);
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(of.b_alignment));
        prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(of.a_alignment));
        for (auto const what : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
            prefer(what, static_cast<std::uint32_t>(of.c_alignment));
        // No sums whose order is left to chance: atomics are not asked for.
        prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
               static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
        cublasLtMatmulHeuristicResult_t found{};
        int count = 0;
        auto const status =
            cublasLtMatmulAlgoGetHeuristic(handle, operation_, a_, b_, c_, c_, preference, 1, &found, &count);
        cublasLtMatmulPreferenceDestroy(preference);
        check_cublas(count > 0 ? status : CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmulAlgoGetHeuristic");
        check_cublas(found.state, "cublasLtMatmulAlgoGetHeuristic");
        algorithm_ = found.algo;
    }
    cublas_product(cublas_product const&) = delete;
    cublas_product& operator=(cublas_product const&) = delete;
    ~cublas_product() {
        for (auto const one : {a_, b_, c_}) cublasLtMatrixLayoutDestroy(one);
        cublasLtMatmulDescDestroy(operation_);
    }

    template <class F, class T>
    void run(cublasLtHandle_t handle, F const* a, F const* b, T beta, T* c, void* workspace, std::size_t bytes,
             cudaStream_t stream) const {
        T const alpha = 1;
        check_cublas(cublasLtMatmul(handle, operation_, &alpha, b, a_, a, b_, &beta, c, c_, c, c_, &algorithm_,
                                    workspace, bytes, stream),
                     "cublasLtMatmul");
    }

  private:
    void set(cublasLtMatmulDescAttributes_t what, factor is) {
        cublasOperation_t const value = is == factor::plain ? CUBLAS_OP_N : CUBLAS_OP_T;
        check_cublas(cublasLtMatmulDescSetAttribute(operation_, what, &value, sizeof(value)),
                     "cublasLtMatmulDescSetAttribute");
    }
    static cublasLtMatrixLayout_t layout(cudaDataType type, factor is, int rows, int columns, std::ptrdiff_t stride) {
        if (is == factor::transposed) std::swap(rows, columns);
        cublasLtMatrixLayout_t made;
        check_cublas(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(rows),
                                                static_cast<std::uint64_t>(columns), stride),
                     "cublasLtMatrixLayoutCreate");
        return made;
    }

    cublasLtMatmulDesc_t operation_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
    cublasLtMatmulAlgo_t algorithm_{};
};

}  // namespace detail

}  // namespace sequent
