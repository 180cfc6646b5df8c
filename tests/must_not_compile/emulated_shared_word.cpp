// expect: sequent::emulated_shared: moves words of 4 bytes; pack smaller numbers first
#include "sequent/backend/cuda/warp_emulated.hpp"

void write(sequent::emulated_shared& memory, short number) { memory.store(0, 0, number); }
