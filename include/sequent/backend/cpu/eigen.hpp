// Matrix products whose order of summation is free (weight gradients, input gradients): Eigen's. The only header that
// includes it.
#pragma once

#include <Eigen/Core>

#include "../../core/matrix.hpp"

namespace sequent {

namespace detail {
template <class T>
using eigen_matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
auto as_eigen(matrix_view<T> m) {
    using matrix = std::conditional_t<std::is_const_v<T>, eigen_matrix<T> const, eigen_matrix<T>>;
    return Eigen::Map<matrix, Eigen::Unaligned, Eigen::OuterStride<>>(m.data, m.rows, m.columns,
                                                                      Eigen::OuterStride<>(m.stride));
}
}  // namespace detail

// c = a b, or (accumulate) c += a b
template <class T>
void eigen_product(matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c, bool accumulate = false) {
    if (accumulate)
        detail::as_eigen(c).noalias() += detail::as_eigen(a) * detail::as_eigen(b);
    else
        detail::as_eigen(c).noalias() = detail::as_eigen(a) * detail::as_eigen(b);
}

// c = a^T b, or c += a^T b
template <class T>
void eigen_product_of_transpose(matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c) {
    detail::as_eigen(c).noalias() = detail::as_eigen(a).transpose() * detail::as_eigen(b);
}
template <class T>
void eigen_add_product_of_transpose(matrix_view<T const> a, matrix_view<T const> b, matrix_view<T> c) {
    detail::as_eigen(c).noalias() += detail::as_eigen(a).transpose() * detail::as_eigen(b);
}

}  // namespace sequent
