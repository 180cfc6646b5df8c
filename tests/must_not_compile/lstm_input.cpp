// expect: sequent::lstm: the input size must be at least 1
#include "sequent/cell/lstm.hpp"

constexpr int size = sequent::lstm<-1, 4>::input_size;
