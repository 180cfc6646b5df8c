#include "run.hpp"

template void news::run<news::lstm_generator>(news::generate_job const&);
