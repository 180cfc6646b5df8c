#include "run.hpp"

template void news::run<news::gru_generator>(news::generate_job const&);
