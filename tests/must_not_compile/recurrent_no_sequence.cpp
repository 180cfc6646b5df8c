// expect: sequent::recurrent: the layer before gives another width than the cell's input size, or no sequence
#include "sequent/sequent.hpp"

using network = sequent::sequential<sequent::embedding<9, 4>, sequent::mean_state, sequent::lstm<4, 3>>;
sequent::model<network, sequent::cpu> net;
