// expect: sequent::elman: the input size must be at least 1
#include "sequent/cell/elman.hpp"

constexpr int size = sequent::elman<0, 4>::input_size;
