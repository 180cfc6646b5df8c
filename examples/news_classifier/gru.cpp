#include "run.hpp"

template news::summary news::run<news::gru_network>(news::job const&);
