// expect: sequent::gradient_check: differences need double; make it model<Network, cpu, double>
#include "sequent/sequent.hpp"

double check(sequent::model<sequent::lstm<3, 4>, sequent::cpu>& net, sequent::packed_sequence<float> const& batch) {
    return sequent::gradient_check(net, batch, {}, sequent::cross_entropy{}).worst;
}
