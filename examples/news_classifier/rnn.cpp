#include "run_on_cpu.hpp"

template news::summary news::run<news::rnn_network>(news::job const&);
