#include "run_on_cpu.hpp"

template news::summary news::run<news::lstm_network>(news::job const&);
