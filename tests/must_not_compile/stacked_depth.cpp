// expect: sequent::stacked: the depth must be at least 1
#include "sequent/sequent.hpp"

constexpr int size = sequent::stacked<0, sequent::lstm<3, 4>>::input_size;
