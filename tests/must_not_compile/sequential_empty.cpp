// expect: sequent::sequential: no layers; give at least one
#include "sequent/layer/sequential.hpp"

constexpr auto size = sequent::sequential<>::parameter_size;
