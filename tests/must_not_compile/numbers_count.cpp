// expect: sequent::numbers: the count is negative; give 0 or more
#include "sequent/core/number.hpp"

sequent::numbers<float, -1> gates;
