// expect: sequent::embedding: takes token ids; make it the first layer of the network
#include "sequent/sequent.hpp"

using network = sequent::sequential<sequent::dropout, sequent::embedding<9, 4>>;
sequent::model<network, sequent::cpu> net;
