// expect: sequent::gru: the input size must be at least 1
#include "sequent/cell/gru.hpp"

constexpr int size = sequent::gru<0, 4>::input_size;
