// The networks on a GPU. Where nvcc is not asked for, no_cuda.cpp stands in.
#include "sequent/cuda.hpp"

#include "run.hpp"

template <class Network>
news::summary news::run_on_gpu(job const& job) {
    return run_on<Network>(sequent::cuda{}, job);
}
template news::summary news::run_on_gpu<news::rnn_network>(news::job const&);
template news::summary news::run_on_gpu<news::lstm_network>(news::job const&);
template news::summary news::run_on_gpu<news::gru_network>(news::job const&);
template news::summary news::run_on_gpu<news::bilstm_network>(news::job const&);
