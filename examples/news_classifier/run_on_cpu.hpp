// run<Network>, as job.hpp declares it.
#pragma once

#include "../common/processor.hpp"
#include "run.hpp"

// kernels.cpp has them for all networks.
SEQUENT_KERNELS(extern, float, sequent::elman<64, 32>);
SEQUENT_KERNELS(extern, float, sequent::lstm<64, 32>);
SEQUENT_KERNELS(extern, float, sequent::gru<64, 32>);

namespace news {

template <class Network>
summary run(job const& job) {
    return run_on<Network>(processor(job.options.threads), job);
}

}  // namespace news
