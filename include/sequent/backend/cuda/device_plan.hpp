// The shape of a packed batch on the device, beside the host's.
#pragma once

#include <span>
#include <vector>

#include "../../sequence/packing.hpp"
#include "device_buffer.hpp"

namespace sequent {

// Where the rows of sequence i of the sorted order are: step t's at offsets[t] + i, while t < lengths[i].
struct sequence_places {
    int const* lengths;  // [batch], descending; zeros last
    int const* offsets;  // [steps + 1]
    int const* users;    // [batch]: the sequence's place in the user's order
};

template <class Machine>
class device_plan : public packing {
  public:
    void assign(Machine& machine, packing const& shape) {
        static_cast<packing&>(*this) = shape;
        std::vector<int> all(shape.lengths().begin(), shape.lengths().end());
        all.insert(all.end(), shape.sorted_indices().begin(), shape.sorted_indices().end());
        all.insert(all.end(), shape.offsets().begin(), shape.offsets().end());
        machine.from_host(all.data(), all.size() * sizeof(int), numbers_.reserve(all.size()));
    }
    [[nodiscard]] sequence_places places() const {
        int const* const first = numbers_.data();
        return {first, first + 2 * std::ptrdiff_t{batch()}, first + batch()};
    }

  private:
    device_buffer<Machine, int> numbers_;
};

}  // namespace sequent
