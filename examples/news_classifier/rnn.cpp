#include "run.hpp"

template news::summary news::run<news::rnn_network>(news::job const&);
