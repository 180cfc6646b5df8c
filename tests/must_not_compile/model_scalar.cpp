// expect: sequent::model: the scalar must be float or double
#include "sequent/sequent.hpp"

sequent::model<sequent::lstm<3, 4>, sequent::cpu, int> net;
