// One direction of a recurrent layer over one batch, with all memory it needs: what the benchmarks of the two passes
// run.
#pragma once

#include <array>
#include <cmath>
#include <utility>

#include "report.hpp"
#include "sequent/backend/cpu/cpu.hpp"
#include "workload.hpp"

namespace bench {

template <class Cell>
class recurrent_case {
    using layout = sequent::recurrent_layout<Cell>;
    static constexpr int hidden = Cell::hidden_size;

  public:
    // Every row a row of its own.
    explicit recurrent_case(sequent::packed_sequence<float> const& batch)
        : recurrent_case(batch.shape, batch.values, {}) {}

    // Token ids: equal tokens share a row, as an embedding hands them on.
    explicit recurrent_case(sequent::packed_sequence<int> const& text) : recurrent_case(text.shape, {}, {}) {
        std::vector<int> distinct = text.values;
        std::sort(distinct.begin(), distinct.end());
        distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
        for (int const id : text.values)
            index_.push_back(
                static_cast<int>(std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin()));
        rows_ = aligned(normal_numbers(distinct.size() * Cell::input_size, 5));
        input_gradient_.resize(rows_.size(), 0);
    }

    recurrent_case(recurrent_case const&) = delete;  // run_ points into it
    recurrent_case& operator=(recurrent_case const&) = delete;

    void forward(sequent::keep kept) {
        sequent::recurrent_forward<Cell, float>(device_, shape_, input(), kept, std::span<run const>(&run_, 1));
    }
    void backward() {
        int const rows = static_cast<int>(rows_.size()) / Cell::input_size;
        sequent::recurrent_backward<Cell, float>(device_, shape_, input(), std::span<run const>(&run_, 1),
                                                 {input_gradient_.data(), rows, Cell::input_size});
    }

    [[nodiscard]] double tokens() const { return shape_.rows(); }
    [[nodiscard]] layer_size size() const { return layer_size::of<Cell>(shape_.batch()); }
    [[nodiscard]] product_peak peak() const { return peak_of(std::array{size()}, shape_.rows()); }

  private:
    using run = sequent::recurrent_run<Cell, sequent::cpu, float>;

    using buffer = sequent::cpu_buffer<float>;  // aligned, as a model's memory is

    static buffer aligned(std::vector<float> const& numbers) {
        buffer copy;
        std::copy(numbers.begin(), numbers.end(), copy.reserve(numbers.size()));
        return copy;
    }

    recurrent_case(sequent::packing shape, std::vector<float> const& rows, std::vector<int> index)
        : shape_(std::move(shape)), rows_(aligned(rows)), index_(std::move(index)) {
        std::size_t const outputs = static_cast<std::size_t>(shape_.rows()) * hidden;
        parameters_ = aligned(uniform_numbers(layout::size, 1 / std::sqrt(static_cast<float>(hidden)), 4));
        parameter_gradient_.resize(layout::size, 0);
        input_gradient_.resize(rows_.size(), 0);
        output_.resize(outputs, 0);
        output_gradient_ = aligned(normal_numbers(outputs, 6));
        run_.parameters = parameters_.data();
        run_.memory = &memory_;
        run_.output = {output_.data(), shape_.rows(), hidden};
        run_.parameter_gradient = parameter_gradient_.data();
        run_.output_gradient = sequent::matrix_view<float const>(output_gradient_.data(), shape_.rows(), hidden);
    }

    [[nodiscard]] sequent::indexed_rows<float> input() const {
        return {{rows_.data(), static_cast<int>(rows_.size()) / Cell::input_size, Cell::input_size}, index_};
    }

    sequent::cpu device_;
    sequent::packing shape_;
    buffer rows_;
    std::vector<int> index_;
    buffer parameters_, parameter_gradient_, input_gradient_, output_, output_gradient_;
    typename run::memory_type memory_;
    run run_;
};

enum class workload { lesson, long_sequences };

// One case per cell and workload, made when first asked for.
template <class Cell, workload Work>
recurrent_case<Cell>& the_case() {
    if constexpr (Work == workload::lesson) {
        static recurrent_case<Cell> one{lesson_batches().next()};
        return one;
    } else {
        static recurrent_case<Cell> one{long_batch(Cell::input_size, 7)};
        return one;
    }
}

}  // namespace bench
