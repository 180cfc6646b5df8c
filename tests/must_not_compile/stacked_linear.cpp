// expect: sequent::stacked: takes a cell or a recurrent layer; put others behind each other in a sequential
#include "sequent/sequent.hpp"

constexpr int size = sequent::stacked<2, sequent::linear<4, 4>>::input_size;
