// expect: sequent::embedding: the width of a row must be at least 1
#include "sequent/layer/embedding.hpp"

constexpr int size = sequent::embedding<sequent::dynamic, 0>::input_size;
