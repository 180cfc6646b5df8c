// expect: sequent::pooling: takes a sequence; put it behind an embedding or a recurrent layer
#include "sequent/sequent.hpp"

using network = sequent::sequential<sequent::embedding<9, 4>, sequent::mean_state, sequent::last_state>;
sequent::model<network, sequent::cpu> net;
