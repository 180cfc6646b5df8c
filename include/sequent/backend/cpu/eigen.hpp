// Matrix products whose order of summation is free (the gradients of affine maps): Eigen's. The only header that
// includes it. Its expressions would take the workspace of a large product from the heap, each time anew; so the
// product behind them is called by its name, with a workspace that stays with the thread.
#pragma once

#include <Eigen/Core>

#include "../../core/matrix.hpp"
#include "buffer.hpp"

namespace sequent {

namespace detail {
template <class T>
struct eigen_workspace : Eigen::internal::level3_blocking<T, T> {
    eigen_workspace(Eigen::Index rows, Eigen::Index columns, Eigen::Index depth) {
        this->m_mc = rows, this->m_nc = columns, this->m_kc = depth;
        Eigen::internal::computeProductBlockingSizes<T, T>(this->m_kc, this->m_mc, this->m_nc);
        // Blocks of a depth that Eigen cuts in two may be smaller than those of one that it leaves whole.
        auto const a = static_cast<std::size_t>(this->m_mc * this->m_kc),
                   b = static_cast<std::size_t>(this->m_nc * this->m_kc);
        thread_local cpu_buffer<T> left, right;
        this->m_blockA = left.reserve(a, 2 * a);
        this->m_blockB = right.reserve(b, 2 * b);
    }
};
}  // namespace detail

// c += a b; or, where a's order is turned round, c += a^T b. depth: how many products make a sum.
template <int OrderOfA, class T>
void eigen_add_product(matrix_view<T const> a, int depth, matrix_view<T const> b, matrix_view<T> c) {
    if (depth == 0 || c.rows == 0 || c.columns == 0) return;
    detail::eigen_workspace<T> workspace(c.columns, c.rows, depth);  // Eigen computes columns first: c^T = b^T a^T
    Eigen::internal::general_matrix_matrix_product<Eigen::Index, T, OrderOfA, false, T, Eigen::RowMajor, false,
                                                   Eigen::RowMajor, 1>::run(c.rows, c.columns, depth, a.data, a.stride,
                                                                            b.data, b.stride, c.data, 1, c.stride, T(1),
                                                                            workspace);
}

}  // namespace sequent
