// expect: sequent::emulated_shared: moves words of 4 bytes; pack smaller numbers first
#include "sequent/backend/cuda/emulated_memory.hpp"

void write(sequent::emulated_shared& memory, short number) { memory.store({}, sequent::emulated_clock{}, 0, number); }
