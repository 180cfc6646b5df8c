// The states of a network's recurrent layers by name, in the user's order: "rnn.h_l0", "rnn.c_l0", "rnn.h_l0_reverse".
// What a forward pass starts from, where it ended, or their gradients.
#pragma once

#include <vector>

#include "../core/error.hpp"
#include "../core/matrix.hpp"

namespace sequent {

template <class T>
struct named_state {
    std::string name;
    int width = 0;
    std::vector<T> values;  // [batch, width]
};

template <class T>
struct states {
    int batch = 0;
    std::vector<named_state<T>> entries;  // layer by layer, direction by direction, h before c

    // Throws argument_error for a name the network has not, naming those it has, and for a state of another size.
    [[nodiscard]] matrix_view<T> operator[](std::string_view name) { return view<T>(*this, name); }
    [[nodiscard]] matrix_view<T const> operator[](std::string_view name) const { return view<T const>(*this, name); }

  private:
    template <class U, class States>
    static matrix_view<U> view(States& all, std::string_view name) {
        std::string known;
        for (auto& entry : all.entries) {
            matrix_view<U> const found(entry.values.data(), all.batch, entry.width);
            if (entry.name != name) {
                known += (known.empty() ? "" : ", ") + entry.name;
                continue;
            }
            require(entry.values.size() == found.size(), "sequent::states: expected the size of state '", name,
                    "' to be [", found.rows, ", ", found.columns, "], got ", entry.values.size(), " values");
            return found;
        }
        throw argument_error(message("sequent::states: no state is called '", name, "'; there are: ", known));
    }
};

}  // namespace sequent
