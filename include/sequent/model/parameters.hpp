// The parameters and states of a model by name: all dense tensors stand in one block, and the tables of embeddings
// beside it. The gradient block and every optimizer's moments have the block's layout.
#pragma once

#include <initializer_list>
#include <utility>

#include "../layer/layer.hpp"

namespace sequent {

// One tensor of the model, PyTorch's name and shape.
struct parameter_info {
    std::string name;
    std::vector<int> shape;
    std::ptrdiff_t offset = 0;  // in the block; of a table: unused
    int table = -1;             // which table it is, in the order of the tables; -1: it stands in the block
    initial_values initial{};
    bool frozen = false;  // keeps its values: optimizers leave it alone

    [[nodiscard]] std::size_t size() const {
        std::size_t n = 1;
        for (int const extent : shape) n *= static_cast<std::size_t>(extent);
        return n;
    }
};

// The steps that an optimizer has made with each parameter of the list; as in PyTorch, a frozen one makes none.
using step_counts = std::vector<long long>;

// A stretch of the block: numbers offset, ..., offset + size - 1.
struct block_range {
    std::ptrdiff_t offset = 0;
    std::size_t size = 0;
};

// All that is not frozen: f(block_range, count), neighbours of the same count as one, and of_table(table, its number,
// count).
template <class Model>
void each_trainable(Model& model, step_counts const& counts, auto const& f, auto const& of_table) {
    block_range range;
    long long of_range = 0;
    auto const end_range = [&] {
        if (range.size > 0) f(std::exchange(range, {}), of_range);
    };
    for (std::size_t k = 0; k < counts.size(); ++k) {
        parameter_info const& one = model.parameters()[k];
        long long const count = counts[k];
        if (one.table < 0 && (one.frozen || count != of_range)) end_range();
        if (one.frozen) continue;
        if (one.table >= 0)
            of_table(model.table(one), static_cast<std::size_t>(one.table), count);
        else if (range.size == 0)
            range = {one.offset, one.size()}, of_range = count;
        else
            range.size = static_cast<std::size_t>(one.offset - range.offset) + one.size();
    }
    end_range();
}

// The states of a network's recurrent layers, in the user's order: "rnn.h_l0", "rnn.c_l0", "rnn.h_l0_reverse". What a
// forward pass starts from, where it ended, or their gradients.
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

// Visitors of the network's tensors, tables and states (Layer::describe): one that lists the parameters by name, one
// that calls a function for each table and one for each state, and allocates nothing.
struct parameter_lister {
    std::vector<parameter_info> parameters;
    int tables = 0;

    void tensor(tensor_name const& name, std::initializer_list<int> shape, std::ptrdiff_t offset,
                initial_values initial) {
        parameters.push_back({name.text(), shape, offset, -1, initial});
    }
    void table(tensor_name const& name, auto& table, initial_values initial) {
        parameters.push_back({name.text(), {table.rows(), table.width()}, 0, tables++, initial, table.frozen});
    }
    void state(tensor_name const&, int, auto&) {}
};

template <class Table, class State>
struct memory_visitor {
    Table of_table;  // (row_table&)
    State of_state;  // (tensor_name, width, state_memory&)
    void tensor(tensor_name const&, std::initializer_list<int>, std::ptrdiff_t, initial_values) {}
    void table(tensor_name const&, auto& table, initial_values) { of_table(table); }
    void state(tensor_name const& name, int width, auto& memory) { of_state(name, width, memory); }
};
template <class Table, class State>
memory_visitor(Table, State) -> memory_visitor<Table, State>;

}  // namespace sequent
