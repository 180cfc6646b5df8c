// The parameters of a model by name: all dense tensors stand in one block, and the tables of embeddings beside it. The
// gradient block and every optimizer's moments have the block's layout.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "../layer/layer.hpp"

namespace sequent {

// One tensor of the model, PyTorch's name and shape.
struct parameter_info {
    std::string name;
    std::vector<int> shape;
    std::ptrdiff_t offset = 0;  // in the block; of a table: unused
    int table = -1;             // which table it is, in the order of the tables; -1: it stands in the block
    initial_values initial{};

    [[nodiscard]] std::size_t size() const {
        std::size_t n = 1;
        for (int const extent : shape) n *= static_cast<std::size_t>(extent);
        return n;
    }
};

// Visits the network's tensors, tables and states (Layer::describe) and collects what a model needs of them.
template <class Backend, class T>
struct parameter_list {
    std::vector<parameter_info> parameters;
    std::vector<row_table<Backend, T>*> tables;
    struct state_entry {
        std::string name;
        int width;
        state_memory<Backend, T>* memory;
    };
    std::vector<state_entry> states;

    void tensor(std::string name, std::vector<int> shape, std::ptrdiff_t offset, initial_values initial) {
        parameters.push_back({std::move(name), std::move(shape), offset, -1, initial});
    }
    void table(std::string name, row_table<Backend, T>& table, initial_values initial) {
        parameters.push_back(
            {std::move(name), {table.rows(), table.width()}, 0, static_cast<int>(tables.size()), initial});
        tables.push_back(&table);
    }
    void state(std::string name, int width, state_memory<Backend, T>& memory) {
        states.push_back({std::move(name), width, &memory});
    }
};

}  // namespace sequent
