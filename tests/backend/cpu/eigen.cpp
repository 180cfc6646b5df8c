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

TEST_CASE("eigen: products of blocks are added, and nothing beside them") {
    block<double> const a(4, 7, 1), b(7, 5, 2), tall(7, 4, 3);
    block<double> c(4, 5, 4);
    auto const now = [&] { return numbers_of(matrix_view<double const>(c.view)); };
    auto const beside = c.memory[6];

    auto before = now();
    eigen_add_product<Eigen::RowMajor>(a.constant(), 7, b.constant(), c.view);
    CHECK(largest_error(now(), plain(4, 7, a.view, b.view, before)) < 1e-15);
    before = now();
    eigen_add_product<Eigen::ColMajor>(tall.constant(), 7, b.constant(), c.view);
    auto const turned = [&](int i, int k) { return tall.view(k, i); };
    CHECK(largest_error(now(), plain(4, 7, turned, b.view, before)) < 1e-15);
    CHECK(c.memory[6] == beside);
}

TEST_CASE("eigen: no rows add nothing") {
    block<float> c(4, 5, 4);
    auto const before = numbers_of(matrix_view<float const>(c.view));
    matrix_view<float const> const none(nullptr, 0, 4), nothing(nullptr, 0, 5);
    eigen_add_product<Eigen::ColMajor>(none, 0, nothing, c.view);
    CHECK(numbers_of(matrix_view<float const>(c.view)) == before);
}
