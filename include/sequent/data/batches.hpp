// The order in which rows are visited: batches of row numbers, shuffled anew in each epoch, with a place to resume at.
#pragma once

#include <iterator>
#include <numeric>

#include "../core/random.hpp"
#include "labelled_text.hpp"

namespace sequent {

enum class row_order { as_read, shuffled };
enum class last_batch { keep, drop_if_short };

struct batches_options {
    int size = 16;
    std::uint64_t seed = 0;  // the order of an epoch depends on this, the epoch and the number of rows alone
    row_order order = row_order::shuffled;
    last_batch last = last_batch::keep;
    int limit = std::numeric_limits<int>::max();  // rows in an epoch, taken after shuffling
};

// What to save: the next batch.
struct batch_position {
    std::uint64_t epoch = 0;
    int batch = 0;

    friend bool operator==(batch_position const&, batch_position const&) = default;
};

// One pass of a range-for visits what is left of the epoch:
//
//     for (std::uint64_t epoch = 0; epoch < epochs; ++epoch)
//         for (std::span<int const> rows : data.epoch(epoch)) ...
//
// In the body position() is already that of the batch to come; saved there and handed to seek() later, the pass
// `for (... : data)` goes on as if it had not been interrupted.
class batches {
  public:
    explicit batches(int rows, batches_options options = {}) : options_(options) {
        if (rows < 0 || options.size < 1 || options.limit < 0)
            throw argument_error("batches: ", rows, " rows, size ", options.size, ", limit ", options.limit);
        order_.resize(static_cast<std::size_t>(rows));
        seek({});
    }

    // Batches in an epoch.
    [[nodiscard]] int per_epoch() const {
        int const whole = rows_per_epoch() / options_.size;
        return whole + (options_.last == last_batch::keep && whole * options_.size < rows_per_epoch());
    }

    [[nodiscard]] batch_position position() const { return position_; }

    // 0 <= position.batch <= per_epoch(), which is the end of the epoch; else argument_error.
    void seek(batch_position position) {
        if (position.batch < 0 || position.batch > per_epoch())
            throw argument_error("batches: no batch ", position.batch, " among ", per_epoch());
        position_ = position;
        std::iota(order_.begin(), order_.end(), 0);
        if (options_.order == row_order::shuffled)
            shuffle(std::span(order_), {options_.seed, purpose ^ position.epoch});
    }

    batches& epoch(std::uint64_t number) {
        seek({.epoch = number, .batch = 0});
        return *this;
    }

    // f(name, number) for all that decides the order: a position means the same batch where these agree.
    void each_option(auto const& f) const {
        f("rows", order_.size()), f("rows_per_epoch", rows_per_epoch());
        f("batch_size", options_.size), f("seed", options_.seed);
        f("shuffled", options_.order == row_order::shuffled ? 1 : 0);
        f("last_dropped", options_.last == last_batch::drop_if_short ? 1 : 0);
    }

    // The rows of the next batch, none at the end of the epoch. Valid until the next seek().
    [[nodiscard]] std::span<int const> next() {
        if (position_.batch == per_epoch()) return {};
        auto const size = static_cast<std::size_t>(options_.size);
        std::size_t const begin = static_cast<std::size_t>(position_.batch++) * size;
        return std::span(order_).subspan(begin, std::min(size, static_cast<std::size_t>(rows_per_epoch()) - begin));
    }

    // Takes batches with next(): all iterators share the position.
    struct iterator {
        batches& from;
        std::span<int const> rows;

        std::span<int const> operator*() const { return rows; }
        void operator++() { rows = from.next(); }
        bool operator!=(std::default_sentinel_t) const { return !rows.empty(); }
    };

    [[nodiscard]] iterator begin() { return {*this, next()}; }
    [[nodiscard]] std::default_sentinel_t end() const { return {}; }

  private:
    static constexpr std::uint64_t purpose = 0x6261746368657300u;  // "batches": no other stream of the seed is this one

    batches_options options_;
    std::vector<int> order_;  // [rows], of the epoch at position_
    batch_position position_;

    [[nodiscard]] int rows_per_epoch() const { return std::min(static_cast<int>(order_.size()), options_.limit); }
};

// The token ids and labels of a batch's rows, into vectors that are used again; the spans point into `text`.
inline void gather(encoded_text const& text, std::span<int const> rows, std::vector<std::span<int const>>& tokens,
                   std::vector<int>& labels) {
    tokens.clear();
    labels.clear();
    for (int const row : rows) {
        tokens.push_back(text.tokens(row));
        labels.push_back(text.label(row));
    }
}

}  // namespace sequent
