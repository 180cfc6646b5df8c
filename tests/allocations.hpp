// What the program has taken from the heap so far, by operator new or malloc.
#pragma once

#include <atomic>

namespace sequent_tests {

extern std::atomic<long> allocations;
extern bool const counts_allocations;  // not where a sanitizer brings a malloc of its own

}  // namespace sequent_tests
