// run<Network>, as job.hpp declares it.
#pragma once

#include "../common/processor.hpp"
#include "run.hpp"

namespace news {

template <class Network>
summary run(job const& job) {
    return run_on<Network>(processor(job.options.threads), job);
}

}  // namespace news
