// Distinct words numbered 0, 1, 2, ... as they come: what counting, vocabularies and pretrained vectors stand on.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../core/error.hpp"

namespace sequent {

// A hash table with open addressing over one block of bytes: no allocation per word or look-up, and copies are plain.
class word_table {
  public:
    static constexpr int npos = -1;

    [[nodiscard]] int size() const { return static_cast<int>(ends_.size()); }

    // The number of the word, or npos.
    [[nodiscard]] int find(std::string_view word) const {
        return slots_.empty() ? npos : slots_[slot_of(word, hash(word))].id;
    }

    // The number of the word; a new one gets the number size() had before the call.
    int insert(std::string_view word) {
        if (2 * ends_.size() >= slots_.size()) grow();
        std::uint64_t const hashed = hash(word);
        slot& place = slots_[slot_of(word, hashed)];
        if (place.id != npos) return place.id;
        if (size() == std::numeric_limits<int>::max()) throw argument_error("word_table: more than 2^31 - 1 words");
        bytes_.append(word);
        ends_.push_back(bytes_.size());
        return (place = {tag(hashed), size() - 1}).id;
    }

    // Valid until the next insert; 0 <= id < size().
    [[nodiscard]] std::string_view operator[](int id) const {
        auto const index = static_cast<std::size_t>(id);
        std::size_t const begin = index == 0 ? 0 : ends_[index - 1];
        return std::string_view(bytes_).substr(begin, ends_[index] - begin);
    }

  private:
    struct slot {
        std::uint32_t tag = 0;  // spares most comparisons of words
        int id = npos;
    };

    std::string bytes_;              // the words, one after the other
    std::vector<std::size_t> ends_;  // [size()] of each word in bytes_
    std::vector<slot> slots_;        // a power of two, at most half full

    static std::uint32_t tag(std::uint64_t hashed) { return static_cast<std::uint32_t>(hashed >> 32); }

    // The slot that holds the word, or the empty one where it belongs.
    std::size_t slot_of(std::string_view word, std::uint64_t hashed) const {
        std::size_t const mask = slots_.size() - 1;
        for (std::size_t at = hashed & mask;; at = (at + 1) & mask) {
            slot const& candidate = slots_[at];
            if (candidate.id == npos || (candidate.tag == tag(hashed) && (*this)[candidate.id] == word)) return at;
        }
    }

    void grow() {
        slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), slot{});
        for (int id = 0; id < size(); ++id) {
            std::uint64_t const hashed = hash((*this)[id]);
            slots_[slot_of((*this)[id], hashed)] = {tag(hashed), id};
        }
    }

    // Eight bytes a step, a multiplication and a shift each. Never stored, so byte order does not matter.
    static std::uint64_t hash(std::string_view word) {
        std::uint64_t state = 0x9E3779B97F4A7C15u ^ word.size();
        auto const mix = [&](std::uint64_t bits) {
            state = (state ^ bits) * 0xD6E8FEB86659FD93u;
            state ^= state >> 32;
        };
        char const* at = word.data();
        std::size_t left = word.size();
        for (; left >= 8; at += 8, left -= 8) mix(load<std::uint64_t>(at));
        if (left >= 4)  // two overlapping halves
            mix(load<std::uint32_t>(at) | std::uint64_t{load<std::uint32_t>(at + left - 4)} << 32);
        else if (left > 0)  // first, middle and last byte: all there are
            mix(load<std::uint8_t>(at) | std::uint64_t{load<std::uint8_t>(at + left / 2)} << 8 |
                std::uint64_t{load<std::uint8_t>(at + left - 1)} << 16);
        mix(0);
        return state;
    }

    template <class Integer>
    static Integer load(char const* from) {
        Integer value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }
};

}  // namespace sequent
