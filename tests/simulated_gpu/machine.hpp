// A machine that runs kernels as PTX says: every thread by itself until it meets the others of its warp, block or
// cluster. Addresses of global memory are the host's. What a kernel may not do is an error: memory beyond an
// allocation, an address that is not a multiple of the access, lanes of a warp that meet at different places, a wait
// that never ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ptx.hpp"

namespace simulated_gpu {

// Memory that kernels may touch: the device's, and page-locked memory of the host.
class allocations {
  public:
    void add(void const* first, std::size_t bytes) { all_[reinterpret_cast<std::uintptr_t>(first)] = bytes; }
    bool remove(void const* first) { return all_.erase(reinterpret_cast<std::uintptr_t>(first)) > 0; }
    [[nodiscard]] bool contains(void const* first, std::size_t bytes) const {
        auto const address = reinterpret_cast<std::uintptr_t>(first);
        if (address >= last_first_ && address + bytes <= last_end_) return true;
        auto const behind = all_.upper_bound(address);
        if (behind == all_.begin()) return false;
        auto const& one = *std::prev(behind);
        if (address + bytes > one.first + one.second) return false;
        last_first_ = one.first, last_end_ = one.first + one.second;
        return true;
    }
    void forget_last() { last_first_ = last_end_ = 0; }

  private:
    std::map<std::uintptr_t, std::size_t> all_;
    mutable std::uintptr_t last_first_ = 0, last_end_ = 0;
};

struct extent {
    unsigned x = 1, y = 1, z = 1;
    [[nodiscard]] unsigned size() const { return x * y * z; }
};

struct launch {
    extent grid, block;
    unsigned cluster = 1;  // neighbours in x
    std::size_t shared_bytes = 0;
    std::vector<std::byte> parameters;
};

// Throws ptx_error.
void run(module_text& module, std::string const& kernel, launch const& how, allocations& memory);

}  // namespace simulated_gpu
