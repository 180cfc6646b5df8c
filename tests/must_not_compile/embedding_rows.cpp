// expect: sequent::embedding: give the number of rows, at least 1, or sequent::dynamic
#include "sequent/layer/embedding.hpp"

constexpr int size = sequent::embedding<0, 8>::input_size;
