// expect: sequent::model: the second argument must be a backend's policy, such as sequent::cpu
#include "sequent/sequent.hpp"

sequent::model<sequent::lstm<3, 4>, float> net;
