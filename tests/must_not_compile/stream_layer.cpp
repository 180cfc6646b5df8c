// expect: sequent::stream: this layer cannot be stepped (a bidirectional or reversed one needs the whole sequence)
#include "sequent/model/stream.hpp"
#include "sequent/sequent.hpp"

sequent::model<sequent::bidirectional<sequent::lstm<3, 4>>, sequent::cpu> net;
sequent::stream steps{net};
