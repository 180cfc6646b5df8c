// The policy `cpu` as the programs' options ask for it.
#pragma once

#include <memory>

#include "sequent/backend/cpu/cpu.hpp"

namespace news {

// So many threads that share the work; of one, none but the caller's.
[[nodiscard]] inline sequent::cpu processor(int threads) {
    return {.threads = threads > 1 ? std::make_shared<sequent::thread_pool>(threads) : nullptr};
}

}  // namespace news
