// expect: sequent::elman: the hidden size must be at least 1
#include "sequent/cell/elman.hpp"

constexpr int size = sequent::elman<4, 0, sequent::nonlinearity::relu>::input_size;
