#include "run_on_cpu.hpp"

template news::summary news::run<news::bilstm_network>(news::job const&);
