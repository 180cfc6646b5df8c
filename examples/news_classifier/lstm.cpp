#include "run.hpp"

template news::summary news::run<news::lstm_network>(news::job const&);
