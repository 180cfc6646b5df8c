// The parameters of one model into another of the same network, on whatever backends and of whatever scalars.
#pragma once

#include "model.hpp"

namespace sequent {

// Optimizers and states are not copied. Throws argument_error unless names and shapes are the same, and changes nothing
// then.
template <class From, class To>
void copy_parameters(From& from, To& to) {
    std::vector<parameter_info> const &source = from.parameters(), &target = to.parameters();
    if (!std::ranges::equal(source, target, [](parameter_info const& a, parameter_info const& b) {
            return a.name == b.name && a.shape == b.shape;
        }))
        throw argument_error("sequent::copy_parameters: the models' parameters have other names or shapes");
    for (std::size_t k = 0; k < source.size(); ++k) {
        auto const values = from.values(source[k]);
        to.assign(target[k], std::vector<typename To::scalar>(values.begin(), values.end()));
    }
}

}  // namespace sequent
