// expect: sequent::linear: the layer before gives another width than In; make the two sizes equal
#include "sequent/sequent.hpp"

// A bidirectional layer is twice as wide as its cell.
using network =
    sequent::sequential<sequent::bidirectional<sequent::lstm<3, 32>>, sequent::last_state, sequent::linear<32, 4>>;
sequent::model<network, sequent::cpu> net;
