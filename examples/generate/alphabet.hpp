// Characters as tokens, numbered as the lesson numbers them: <unk>, <pad>, then by falling frequency in the training
// texts. <pad>, which nothing else needs, marks where a text begins and ends.
#pragma once

#include <string_view>
#include <vector>

#include "sequent/data/labelled_text.hpp"
#include "sequent/text/vocabulary.hpp"

namespace news {

inline constexpr int alphabet_size = 84;  // AG News has 82 characters; beyond these, rare ones are <unk>
inline constexpr int unknown_character = 0, end_mark = 1;

// Calls back with each byte of a text, and with the mark around them if it is asked for.
struct characters {
    enum class ends { plain, marked };
    ends with = ends::plain;

    template <class F>
    void operator()(std::string_view text, F const& f) const {
        if (with == ends::marked) f(std::string_view("<pad>"));
        for (std::size_t at = 0; at < text.size(); ++at) f(text.substr(at, 1));
        if (with == ends::marked) f(std::string_view("<pad>"));
    }
};

[[nodiscard]] inline sequent::vocabulary count_characters(std::vector<sequent::labelled_text> const& rows) {
    sequent::token_counts counts;
    for (sequent::labelled_text const& row : rows) counts.add(row.text, characters{});
    return sequent::vocabulary(counts, {.max_size = alphabet_size - 2});
}

}  // namespace news
