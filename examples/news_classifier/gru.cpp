#include "run_on_cpu.hpp"

template news::summary news::run<news::gru_network>(news::job const&);
