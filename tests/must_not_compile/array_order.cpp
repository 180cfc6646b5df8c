// expect: sequent::pack: the array must be row-major; assign it to an xt::xtensor first
#include <vector>

#include "sequent/data/array.hpp"

auto pack(xt::xtensor<float, 3, xt::layout_type::column_major> const& padded, std::vector<int> const& lengths) {
    return sequent::pack(padded, lengths);
}
