// Distinct words numbered 0, 1, 2, ... as they come: what counting, vocabularies and pretrained vectors stand on.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

class word_table {
  public:
    static constexpr int npos = -1;

    [[nodiscard]] int size() const { return static_cast<int>(words_.size()); }

    // The number of the word, or npos.
    [[nodiscard]] int find(std::string_view word) const {
        auto const found = ids_.find(word);
        return found == ids_.end() ? npos : found->second;
    }

    // The number of the word; a new one gets the number size() had before the call.
    int insert(std::string_view word) {
        if (int const id = find(word); id != npos) return id;
        if (size() == std::numeric_limits<int>::max()) throw argument_error("word_table: more than 2^31 - 1 words");
        ids_.emplace(word, size());
        words_.emplace_back(word);
        return size() - 1;
    }

    // Valid until the next insert; 0 <= id < size().
    [[nodiscard]] std::string_view operator[](int id) const { return words_[static_cast<std::size_t>(id)]; }

  private:
    struct hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, int, hash, std::equal_to<>> ids_;
    std::vector<std::string> words_;
};

}  // namespace sequent
