// expect: sequent::layer_of: neither a layer nor a cell; give one, such as sequent::lstm<3, 4>
#include "sequent/sequent.hpp"

sequent::sequential<sequent::linear<3, 4>, float> net;
