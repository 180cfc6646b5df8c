// expect: sequent::named: the name is empty; give the attribute name of PyTorch's module
#include "sequent/sequent.hpp"

sequent::named<"", sequent::linear<3, 4>> layer;
