#include "run.hpp"

template void news::run<news::deep_generator>(news::generate_job const&);
