// expect: sequent::model: no layer of the network has a width of its own; add one that has, such as a cell or linear
#include "sequent/sequent.hpp"

sequent::model<sequent::sequential<sequent::dropout, sequent::mean_state>, sequent::cpu> net;
