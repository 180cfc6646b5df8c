// cuBLASLt on the simulated machine: products by plain sums, the factors rounded as the compute type may.
#include <cublasLt.h>

#include <cstring>
#include <vector>

#include "runtime.hpp"
#include "sequent/backend/cuda/precision.hpp"

namespace {

struct layout {
    cudaDataType type;
    std::uint64_t rows, columns;
    std::int64_t stride;
};
struct operation {
    cublasComputeType_t compute;
    cudaDataType scale;
    cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
};
struct preference {
    std::uint32_t a = 256, b = 256, c = 256, d = 256;  // alignments in bytes
};
// What is wanted must be what is given: the heuristic leaves a mark.
struct algorithm {
    std::uint32_t mark, a, b, c;  // alignments
    std::uint64_t rows, columns, depth;
};
constexpr std::uint32_t mark = 0x5E9E27;

layout& of(cublasLtMatrixLayout_t from) { return *reinterpret_cast<layout*>(from); }
preference& of(cublasLtMatmulPreference_t from) { return *reinterpret_cast<preference*>(from); }
operation& of(cublasLtMatmulDesc_t from) { return *reinterpret_cast<operation*>(from); }

std::size_t bytes_of(cudaDataType type) { return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2; }
std::size_t bytes_of(layout const& one) {
    return one.columns == 0
               ? 0
               : ((one.columns - 1) * static_cast<std::size_t>(one.stride) + one.rows) * bytes_of(one.type);
}
double number(layout const& one, void const* from, std::uint64_t row, std::uint64_t column) {
    std::size_t const at = column * static_cast<std::size_t>(one.stride) + row;
    if (one.type == CUDA_R_64F) return static_cast<double const*>(from)[at];
    if (one.type == CUDA_R_32F) return static_cast<double>(static_cast<float const*>(from)[at]);
    std::uint16_t const bits = static_cast<std::uint16_t const*>(from)[at];
    return static_cast<double>(one.type == CUDA_R_16BF ? sequent::from_bf16(bits) : sequent::from_f16(bits));
}
double rounded(double value, cublasComputeType_t how) {
    auto const to = [&](sequent::precision format) {
        return static_cast<double>(sequent::rounded(format, static_cast<float>(value)));
    };
    if (how == CUBLAS_COMPUTE_32F_FAST_TF32) return to(sequent::precision::tf32);
    if (how == CUBLAS_COMPUTE_32F_FAST_16BF) return to(sequent::precision::bf16);
    if (how == CUBLAS_COMPUTE_32F_FAST_16F) return to(sequent::precision::f16);
    return value;
}
struct sizes {
    std::uint64_t rows, columns, depth;
    bool fit;
};
sizes sizes_of(operation const& how, layout const& a, layout const& b, layout const& c) {
    std::uint64_t const rows = how.a == CUBLAS_OP_N ? a.rows : a.columns,
                        depth = how.a == CUBLAS_OP_N ? a.columns : a.rows;
    std::uint64_t const columns = how.b == CUBLAS_OP_N ? b.columns : b.rows,
                        also = how.b == CUBLAS_OP_N ? b.rows : b.columns;
    bool const strides = a.stride >= static_cast<std::int64_t>(a.rows) &&
                         b.stride >= static_cast<std::int64_t>(b.rows) && c.stride >= static_cast<std::int64_t>(c.rows);
    bool const types = a.type == b.type && (a.type == c.type || (a.type == CUDA_R_16BF && c.type == CUDA_R_32F)) &&
                       (how.compute == CUBLAS_COMPUTE_64F) == (c.type == CUDA_R_64F);
    return {rows, columns, depth,
            strides && types && depth == also && depth > 0 && rows == c.rows && columns == c.columns};
}

// op(factor), rounded, with the depth across.
template <class T>
std::vector<T> rounded_factor(operation const& how, layout const& of, void const* data, bool depth_is_across,
                              std::uint64_t length, std::uint64_t depth) {
    std::vector<T> made;
    for (std::uint64_t n = 0; n < length; ++n)
        for (std::uint64_t k = 0; k < depth; ++k)
            made.push_back(static_cast<T>(
                rounded(depth_is_across ? number(of, data, n, k) : number(of, data, k, n), how.compute)));
    return made;
}
template <class T>
void multiply(operation const& how, layout const& a, layout const& b, layout const& c, T alpha, void const* a_data,
              void const* b_data, T beta, T* to) {
    sizes const size = sizes_of(how, a, b, c);
    auto const left = rounded_factor<T>(how, a, a_data, how.a == CUBLAS_OP_N, size.rows, size.depth);
    auto const right = rounded_factor<T>(how, b, b_data, how.b != CUBLAS_OP_N, size.columns, size.depth);
    for (std::uint64_t j = 0; j < size.columns; ++j)
        for (std::uint64_t i = 0; i < size.rows; ++i) {
            T const *const in_left = left.data() + i * size.depth, *const in_right = right.data() + j * size.depth;
            T sum = 0;
            for (std::uint64_t k = 0; k < size.depth; ++k) sum += in_left[k] * in_right[k];
            T& place = to[j * static_cast<std::size_t>(c.stride) + i];
            place = beta == 0 ? alpha * sum : alpha * sum + beta * place;
        }
}

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
    *handle = reinterpret_cast<cublasLtHandle_t>(new char);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    delete reinterpret_cast<char*>(handle);
    return CUBLAS_STATUS_SUCCESS;
}
char const* cublasLtGetStatusString(cublasStatus_t) { return "an error"; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute, cudaDataType_t scale) {
    *made = reinterpret_cast<cublasLtMatmulDesc_t>(new operation{compute, scale});
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t one) {
    delete &of(one);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t one, cublasLtMatmulDescAttributes_t what,
                                              void const* value, std::size_t bytes) {
    if (bytes != sizeof(cublasOperation_t)) return CUBLAS_STATUS_INVALID_VALUE;
    auto const is = *static_cast<cublasOperation_t const*>(value);
    if (what == CUBLASLT_MATMUL_DESC_TRANSA)
        of(one).a = is;
    else if (what == CUBLASLT_MATMUL_DESC_TRANSB)
        of(one).b = is;
    else
        return CUBLAS_STATUS_NOT_SUPPORTED;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t stride) {
    *made = reinterpret_cast<cublasLtMatrixLayout_t>(new layout{type, rows, columns, stride});
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t one) {
    delete &of(one);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
    *made = reinterpret_cast<cublasLtMatmulPreference_t>(new preference);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t one) {
    delete reinterpret_cast<preference*>(one);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t one,
                                                    cublasLtMatmulPreferenceAttributes_t what, void const* value,
                                                    std::size_t bytes) {
    auto const set = [&](auto& to) {
        if (bytes != sizeof(to)) return CUBLAS_STATUS_INVALID_VALUE;
        std::memcpy(&to, value, bytes);
        return CUBLAS_STATUS_SUCCESS;
    };
    std::size_t workspace = 0;
    std::uint32_t reductions = 0;
    switch (what) {
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
        return set(of(one).a);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
        return set(of(one).b);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
        return set(of(one).c);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
        return set(of(one).d);
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        return set(workspace);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        return set(reductions);
    default:
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t how, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t, cublasLtMatmulPreference_t wish, int,
                                              cublasLtMatmulHeuristicResult_t* found, int* count) {
    sizes const size = sizes_of(of(how), of(a), of(b), of(c));
    bool const fits = size.fit && of(how).scale == of(c).type && of(wish).c == of(wish).d;
    *count = fits ? 1 : 0;
    if (!fits) return CUBLAS_STATUS_NOT_SUPPORTED;
    algorithm const made{mark, of(wish).a, of(wish).b, of(wish).c, size.rows, size.columns, size.depth};
    static_assert(sizeof(made) <= sizeof(found->algo));
    std::memcpy(&found->algo, &made, sizeof(made));
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t how, void const* alpha, void const* a,
                              cublasLtMatrixLayout_t a_layout, void const* b, cublasLtMatrixLayout_t b_layout,
                              void const* beta, void const* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t, cublasLtMatmulAlgo_t const* algo, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
    operation const operate = of(how);
    layout const in_a = of(a_layout), in_b = of(b_layout), in_c = of(c_layout);
    sizes const size = sizes_of(operate, in_a, in_b, in_c);
    algorithm chosen;
    std::memcpy(&chosen, algo, sizeof(chosen));
    bool const ours = simulated_gpu::is_device_memory(a, bytes_of(in_a)) &&
                      simulated_gpu::is_device_memory(b, bytes_of(in_b)) &&
                      simulated_gpu::is_device_memory(d, bytes_of(in_c)) &&
                      simulated_gpu::is_device_memory(workspace, workspace_bytes);
    auto const is_on = [](void const* memory, std::uint32_t bytes) {
        return bytes > 0 && reinterpret_cast<std::uintptr_t>(memory) % bytes == 0;
    };
    if (chosen.mark != mark || !is_on(a, chosen.a) || !is_on(b, chosen.b) || !is_on(d, chosen.c))
        return CUBLAS_STATUS_INVALID_VALUE;
    if (!size.fit || !ours || c != d || chosen.rows != size.rows || chosen.columns != size.columns ||
        chosen.depth != size.depth)
        return CUBLAS_STATUS_INVALID_VALUE;
    auto const launched = [&]<class T>(T) {
        T const times = *static_cast<T const*>(alpha), kept = *static_cast<T const*>(beta);
        return simulated_gpu::enqueue(
            stream, [=] { multiply<T>(operate, in_a, in_b, in_c, times, a, b, kept, static_cast<T*>(d)); });
    };
    auto const status = in_c.type == CUDA_R_64F ? launched(double{}) : launched(float{});
    return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
