#include "sequent/sequent.hpp"

SEQUENT_KERNELS(, float, sequent::elman<64, 32>);
SEQUENT_KERNELS(, float, sequent::lstm<64, 32>);
SEQUENT_KERNELS(, float, sequent::gru<64, 32>);
