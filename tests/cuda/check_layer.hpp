// A layer on the GPU against the reference: a pass there and back, twice to the same bits.
#pragma once

#include "backend/cuda/passes.hpp"
#include "on_gpu.hpp"

namespace sequent_tests {

template <class Network, class Device, class T = float>
void check_layer(double tolerance) {
    for (std::vector<int> const& lengths :
         {std::vector<int>{4}, std::vector<int>{3, 0, 5, 1, 5, 2, 0, 1, 4}, std::vector<int>{0, 0}}) {
        auto const here = pass_of<Network, Device, T>(lengths, true);
        CHECK(error_of(here, pass_of<Network, reference, T>(lengths, true)) < tolerance);
        CHECK(pass_of<Network, Device, T>(lengths, true) == here);  // to the bit
    }
}

}  // namespace sequent_tests
