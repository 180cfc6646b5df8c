// expect: sequent::gru: the hidden size must be at least 1
#include "sequent/cell/gru.hpp"

constexpr int size = sequent::gru<4, -3>::input_size;
