#include "sequent/backend/cpu/eigen.hpp"

#include "golden.hpp"
#include "layer/random_data.hpp"

using namespace sequent;
using namespace sequent_tests;

namespace {

// A matrix of random numbers inside a wider one.
template <class T>
struct block {
    std::vector<T> memory;
    matrix_view<T> view;
    block(int rows, int columns, std::uint64_t seed)
        : memory(random_values<T>(static_cast<std::size_t>(rows * (columns + 3)), seed)),
          view(memory.data() + 1, rows, columns, columns + 3) {}
    matrix_view<T const> constant() const { return view; }
};

// sum over k of a(i, k) b(k, j), or with a turned round, plus `before`.
template <class A>
std::vector<double> plain(int rows, int depth, A const& a, matrix_view<double const> b, std::vector<double> before) {
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < b.columns; ++j)
            for (int k = 0; k < depth; ++k) before[static_cast<std::size_t>(i * b.columns + j)] += a(i, k) * b(k, j);
    return before;
}

}  // namespace

TEST_CASE("eigen: products of blocks, overwritten or added, and nothing beside them") {
    block<double> const a(4, 7, 1), b(7, 5, 2), tall(7, 4, 3);
    auto const plainly = [&](std::vector<double> const& before) { return plain(4, 7, a.view, b.view, before); };
    auto const transposed = [&](std::vector<double> const& before) {
        return plain(
            4, 7, [&](int i, int k) { return tall.view(k, i); }, b.view, before);
    };
    std::vector<double> const zeros(20);
    block<double> c(4, 5, 4);
    auto const beside = c.memory[6];

    eigen_product(a.constant(), b.constant(), c.view);
    CHECK(largest_error(numbers_of(matrix_view<double const>(c.view)), plainly(zeros)) < 1e-15);
    auto const once = numbers_of(matrix_view<double const>(c.view));
    eigen_product(a.constant(), b.constant(), c.view, true);
    CHECK(largest_error(numbers_of(matrix_view<double const>(c.view)), plainly(once)) < 1e-15);
    eigen_product_of_transpose(tall.constant(), b.constant(), c.view);
    CHECK(largest_error(numbers_of(matrix_view<double const>(c.view)), transposed(zeros)) < 1e-15);
    auto const before = numbers_of(matrix_view<double const>(c.view));
    eigen_product_of_transpose(tall.constant(), b.constant(), c.view, true);
    CHECK(largest_error(numbers_of(matrix_view<double const>(c.view)), transposed(before)) < 1e-15);
    CHECK(c.memory[6] == beside);
}

TEST_CASE("eigen: no rows make zeros, or add nothing") {
    block<float> c(4, 5, 4);
    auto const before = numbers_of(matrix_view<float const>(c.view));
    matrix_view<float const> const none(nullptr, 0, 4), nothing(nullptr, 0, 5);
    eigen_product_of_transpose(none, nothing, c.view, true);
    CHECK(numbers_of(matrix_view<float const>(c.view)) == before);
    eigen_product_of_transpose(none, nothing, c.view);
    CHECK(numbers_of(matrix_view<float const>(c.view)) == std::vector<float>(20));
}
