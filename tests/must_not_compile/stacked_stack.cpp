// expect: sequent::stacked: a stack of stacks; multiply the depths: stacked<4, ...> for two of two
#include "sequent/sequent.hpp"

constexpr int size = sequent::stacked<2, sequent::stacked<2, sequent::lstm<3, 3>>>::features;
