// expect: PyTorch's num_layers with bidirectional=True is stacked<Depth, bidirectional<Cell>>
#include "sequent/sequent.hpp"

constexpr int size = sequent::bidirectional<sequent::stacked<2, sequent::lstm<3, 4>>>::input_size;
