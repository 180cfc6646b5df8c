// The states of a network's recurrent layers by name, in the user's order: "rnn.h_l0", "rnn.c_l0", "rnn.h_l0_reverse".
// What a forward pass starts from, where it ended, or their gradients.
#pragma once

#include <string>
#include <string_view>
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
    [[nodiscard]] matrix_view<T> operator[](std::string_view name) {
        named_state<T>& entry = entries[place(name)];
        return {entry.values.data(), batch, entry.width};
    }
    [[nodiscard]] matrix_view<T const> operator[](std::string_view name) const {
        named_state<T> const& entry = entries[place(name)];
        return {entry.values.data(), batch, entry.width};
    }

  private:
    [[nodiscard]] std::size_t place(std::string_view name) const {
        std::string known;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].name == name) {
                std::size_t const size = static_cast<std::size_t>(batch) * static_cast<std::size_t>(entries[i].width);
                if (entries[i].values.size() != size)
                    throw argument_error(message("sequent::states: expected the size of state '", name, "' to be [",
                                                 batch, ", ", entries[i].width, "], got ", entries[i].values.size(),
                                                 " values"));
                return i;
            }
            known += (i == 0 ? "" : ", ") + entries[i].name;
        }
        throw argument_error(message("sequent::states: no state is called '", name, "'; there are: ", known));
    }
};

}  // namespace sequent
