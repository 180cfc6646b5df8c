// expect: sequent::recurrent: the layer before gives another width than the cell's input size, or no sequence
#include "sequent/sequent.hpp"

using network = sequent::sequential<sequent::embedding<9, 64>, sequent::lstm<32, 32>>;
sequent::model<network, sequent::cpu> net;
