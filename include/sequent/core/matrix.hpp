// A row-major matrix somebody else owns: pointer, sizes and the distance between rows.
#pragma once

#include <cstddef>
#include <type_traits>

#include "../config.hpp"

namespace sequent {

template <class T>
struct matrix_view {
    T* data = nullptr;
    int rows = 0;
    int columns = 0;
    std::ptrdiff_t stride = 0;  // elements from one row to the next

    constexpr matrix_view() = default;
    SEQUENT_HD constexpr matrix_view(T* first, int row_count, int column_count)
        : matrix_view(first, row_count, column_count, column_count) {}
    SEQUENT_HD constexpr matrix_view(T* first, int row_count, int column_count, std::ptrdiff_t distance)
        : data(first), rows(row_count), columns(column_count), stride(distance) {}

    template <class Mutable>
    requires std::is_same_v<T, Mutable const> SEQUENT_HD constexpr matrix_view(matrix_view<Mutable> const& other)
        : matrix_view(other.data, other.rows, other.columns, other.stride) {}

    [[nodiscard]] SEQUENT_HD constexpr std::size_t size() const {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
    [[nodiscard]] SEQUENT_HD constexpr bool empty() const { return data == nullptr; }
    [[nodiscard]] SEQUENT_HD constexpr T* row(int i) const { return data + i * stride; }
    [[nodiscard]] SEQUENT_HD constexpr T& operator()(int i, int j) const { return row(i)[j]; }
    [[nodiscard]] SEQUENT_HD constexpr matrix_view column_block(int first, int count) const {
        return {data == nullptr ? nullptr : data + first, rows, count, stride};
    }
};

// A backend's memory for numbers of type T.
template <class Backend, class T>
using buffer_of = typename Backend::template buffer<T>;

// Room for a matrix in it.
[[nodiscard]] auto reserve_rows(auto& buffer, int rows, int columns) {
    auto* const data = buffer.reserve(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    return matrix_view(data, rows, columns);
}

}  // namespace sequent
