// Makes the batches that a network reads from rows of a text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "sequent/data/batches.hpp"
#include "sequent/data/labelled_text.hpp"
#include "sequent/sequence/packed_sequence.hpp"

namespace news {

inline constexpr int unknown_word = 0, padding_word = 1;  // of sequent::vocabulary

// packed: every row ends at its own last word. padded: every row of a batch is as long as its longest, with token 0
// behind its words, as in the lesson.
enum class lesson_rows { packed, padded };

// One batch after the other, in memory that is used again.
class batch_maker {
  public:
    explicit batch_maker(lesson_rows rows) : rows_(rows) {}

    void make(sequent::encoded_text const& text, std::span<int const> rows) {
        sequent::gather(text, rows, sequences_, labels_);
        tokens_ = 0;
        std::size_t longest = 0;
        for (auto const& sequence : sequences_) {
            tokens_ += static_cast<std::int64_t>(sequence.size());
            longest = std::max(longest, sequence.size());
        }
        if (rows_ == lesson_rows::padded) {  // every sequence as long as the longest
            padded_.assign(sequences_.size() * longest, unknown_word);
            int* to = padded_.data();
            for (auto& sequence : sequences_) {
                std::copy(sequence.begin(), sequence.end(), to);
                sequence = {to, longest};
                to += longest;
            }
        }
        sequent::pack_into(batch_, sequences_);
    }

    [[nodiscard]] sequent::packed_sequence<int> const& batch() const { return batch_; }
    [[nodiscard]] std::span<int const> labels() const { return labels_; }
    [[nodiscard]] std::int64_t tokens() const { return tokens_; }  // without padding

  private:
    lesson_rows rows_;
    std::vector<std::span<int const>> sequences_;
    std::vector<int> labels_, padded_;
    sequent::packed_sequence<int> batch_;
    std::int64_t tokens_ = 0;
};

}  // namespace news
