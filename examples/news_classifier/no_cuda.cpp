// What --device cuda says in a program that was built without CUDA.
#include "job.hpp"
#include "networks.hpp"
#include "sequent/core/error.hpp"

template <class Network>
news::summary news::run_on_gpu(job const&) {
    throw sequent::error(
        "--device cuda: this program was built without CUDA; configure with -DSEQUENT_BUILD_CUDA=ON, or "
        "use ./dev news");
}
template news::summary news::run_on_gpu<news::rnn_network>(news::job const&);
template news::summary news::run_on_gpu<news::lstm_network>(news::job const&);
template news::summary news::run_on_gpu<news::gru_network>(news::job const&);
template news::summary news::run_on_gpu<news::bilstm_network>(news::job const&);
