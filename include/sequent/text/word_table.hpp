// Distinct words numbered 0, 1, 2, ... as they come: what counting, vocabularies and pretrained vectors stand on.
#pragma once

#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

// A hash table with open addressing, for millions of look-ups: words are compared only where their hashes agree.
class word_table {
  public:
    static constexpr int npos = -1;

    [[nodiscard]] int size() const { return static_cast<int>(words_.size()); }

    // The number of the word, or npos.
    [[nodiscard]] int find(std::string_view word) const {
        return slots_.empty() ? npos : slots_[slot_of(word, hash(word))].id;
    }

    // The number of the word; a new one gets the number size() had before the call.
    int insert(std::string_view word) {
        if (2 * words_.size() >= slots_.size()) grow();
        slot& place = slots_[slot_of(word, hash(word))];
        if (place.id != npos) return place.id;
        if (size() == std::numeric_limits<int>::max()) throw argument_error("word_table: more than 2^31 - 1 words");
        place = {hash(word), size()};
        words_.emplace_back(word);
        return place.id;
    }

    // Valid until the next insert; 0 <= id < size().
    [[nodiscard]] std::string_view operator[](int id) const { return words_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] std::vector<std::string> const& words() const { return words_; }

  private:
    struct slot {
        std::size_t hash = 0;
        int id = npos;
    };
    std::vector<std::string> words_;
    std::vector<slot> slots_;  // a power of two of them, at most half in use

    static std::size_t hash(std::string_view word) { return std::hash<std::string_view>{}(word); }

    // The slot that holds the word, or the empty one where it belongs.
    [[nodiscard]] std::size_t slot_of(std::string_view word, std::size_t hashed) const {
        for (std::size_t at = hashed;; ++at) {
            slot const& here = slots_[at &= slots_.size() - 1];
            if (here.id == npos || (here.hash == hashed && (*this)[here.id] == word)) return at;
        }
    }

    void grow() {
        std::size_t const doubled = slots_.empty() ? 16 : 2 * slots_.size();
        for (slot const& used : std::exchange(slots_, std::vector<slot>(doubled)))
            if (used.id != npos) slots_[slot_of((*this)[used.id], used.hash)] = used;
    }
};

}  // namespace sequent
