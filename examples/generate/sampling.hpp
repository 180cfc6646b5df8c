// One character after the other: the network's choice is read to it as what came.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alphabet.hpp"
#include "sequent/core/random.hpp"

namespace news {

// The place of the largest number; of equal ones, the first.
[[nodiscard]] inline int most_likely(std::span<float const> logits) {
    return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

// A place drawn with probabilities in proportion to exp(logit / temperature), by a uniform number in [0, 1). The
// largest logit is subtracted first: in float, exp(logit / 0.3) would overflow from 26.6 on.
[[nodiscard]] inline int drawn(std::span<float const> logits, double temperature, double uniform) {
    double const largest = static_cast<double>(*std::ranges::max_element(logits));
    std::vector<double> sums;
    double sum = 0;
    for (float const logit : logits)
        sums.push_back(sum += std::exp((static_cast<double>(logit) - largest) / temperature));
    auto const chosen = std::ranges::upper_bound(sums, uniform * sum);
    return static_cast<int>(std::min(chosen - sums.begin(), std::ssize(sums) - 1));
}

// `start`, and behind it at most `length` characters that choose(logits, n), n = 0, 1, ..., picks by number. The end
// mark ends the text. stream: of a network that was just restarted. With `mark` it reads the mark first, as a network
// did that was trained on whole texts; without, start must not be empty.
template <class Stream, class Choose>
[[nodiscard]] std::string continue_text(Stream& stream, sequent::vocabulary const& alphabet, std::string_view start,
                                        int length, characters::ends mark, Choose const& choose) {
    std::string text(start);
    std::span<float const> logits;
    if (mark == characters::ends::marked) logits = stream.step(end_mark);
    for (std::size_t at = 0; at < start.size(); ++at) logits = stream.step(alphabet[start.substr(at, 1)]);
    for (int n = 0; n < length && !logits.empty(); ++n) {
        int const id = choose(logits, n);
        if (id == end_mark) break;
        text += id == unknown_character || id >= alphabet.size() ? "?" : alphabet.word(id);
        logits = stream.step(id);
    }
    return text;
}

}  // namespace news
