// expect: sequent::lstm: the hidden size must be at least 1
#include "sequent/cell/lstm.hpp"

constexpr int size = sequent::lstm<4, 0>::input_size;
