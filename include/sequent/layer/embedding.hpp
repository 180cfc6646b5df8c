// Token ids to vectors: PyTorch's nn.Embedding. Its table lives beside the parameter block; a batch reads, and its
// gradient touches, the distinct rows alone.
#pragma once

#include "../backend/row_table.hpp"
#include "layer.hpp"

namespace sequent {

// Rows: the size of the vocabulary, or `dynamic`. token_ids -> sequence_of<Width>.
template <int Rows, int Width>
struct embedding {
    static_assert(Rows > 0 || Rows == dynamic,
                  "sequent::embedding: give the number of rows, at least 1, or sequent::dynamic");
    static_assert(Width > 0, "sequent::embedding: the width of a row must be at least 1");

    struct options {
        int rows = Rows;                  // required where Rows is dynamic
        std::optional<int> padding = {};  // a row that starts at zero and never trains; negative: from the end
        bool frozen = false;              // no row trains
    };
    static constexpr int input_size = 0;  // token ids have no width
    static constexpr std::ptrdiff_t parameter_size = 0;

    template <class Shape>
    struct output_shape {
        static_assert(std::is_same_v<Shape, token_ids>,
                      "sequent::embedding: takes token ids; make it the first layer of the network");
        using type = sequence_of<Width>;
    };
    template <class Shape>
    using output = typename output_shape<Shape>::type;

    embedding() requires(Rows != dynamic) {}
    explicit embedding(options const& given) : options_(given) {
        require(given.rows >= 1, "sequent::embedding: rows is ", given.rows, "; give the size of the vocabulary");
        require(Rows == dynamic || given.rows == Rows, "sequent::embedding: rows is ", given.rows,
                ", but the type says ", Rows);
        if (!given.padding) return;
        if (*given.padding < 0) *options_.padding += given.rows;
        require(*options_.padding >= 0 && *options_.padding < given.rows, "sequent::embedding: padding is ",
                *given.padding, "; it must be within the ", given.rows, " rows");
    }

    template <class Backend, class T>
    struct memory {
        row_table<Backend, T> table;
        std::vector<int> place;     // per row of the table: its place among the distinct ids of the batch, or -1
        std::vector<int> distinct;  // ids, in order of first occurrence
        std::vector<int> index;     // per token: the place of its id in `distinct`
    };

    void describe(scope const& where, auto& mine, auto& visitor) const {
        if (mine.table.rows() == 0) {
            mine.table.resize(options_.rows, Width);
            mine.table.padding = options_.padding;
            mine.table.frozen = options_.frozen;
            mine.place.assign(static_cast<std::size_t>(options_.rows), -1);
        }
        visitor.table(tensor_name{where, "weight"}, mine.table, initial_values{initial_values::kind::normal, 0});
    }

    // Throws argument_error for an id outside the table (PyTorch's IndexError).
    template <class Backend, class T>
    sequence_flow<Backend, T> forward(pass<Backend> const& now, T const*, memory<Backend, T>& mine,
                                      token_flow<Backend> const& input) const {
        for (int const id : mine.distinct) mine.place[static_cast<std::size_t>(id)] = -1;
        mine.distinct.clear();
        mine.index.clear();
        for (int const id : input.ids) {
            if (id < 0 || id >= options_.rows)
                throw argument_error("sequent::embedding: token id ", id, " at packed row ", mine.index.size(),
                                     " is out of range; the table has ", options_.rows, " rows");
            int& place = mine.place[static_cast<std::size_t>(id)];
            if (place < 0) {
                place = static_cast<int>(mine.distinct.size());
                mine.distinct.push_back(id);
            }
            mine.index.push_back(place);
        }
        mine.table.gather(now.device, mine.distinct);
        return output_view(mine, input);
    }

    template <class Backend, class T>
    sequence_flow<Backend, T> output_view(memory<Backend, T>& mine, token_flow<Backend> const& input) const {
        return {input.shape, {mine.table.gathered(), mine.index}, {}};
    }

    template <class Backend, class T>
    no_gradient backward(pass<Backend> const& now, T const*, T*, memory<Backend, T>& mine, token_flow<Backend> const&,
                         sequence_gradient<T> const& gradient, input_gradient) const {
        if (!gradient.values.empty()) mine.table.add_gradient(now.device, mine.distinct, gradient.values);
        return {};
    }

    // Nothing below an embedding asks for a gradient; what is above need not make one for a frozen table.
    [[nodiscard]] input_gradient wants(auto const& mine, input_gradient) const {
        return mine.table.frozen ? input_gradient::not_wanted : input_gradient::wanted;
    }

  private:
    options options_;
};

}  // namespace sequent
