// expect: sequent::linear: both sizes must be at least 1
#include "sequent/layer/linear.hpp"

constexpr int size = sequent::linear<4, 0>::input_size;
