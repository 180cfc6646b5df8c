// torchtext's basic_english as it is written there: twelve substitutions over the whole line, one after the other; and
// the tokens of a tokenizer in a list.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sequent_tests {

[[nodiscard]] inline std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    for (std::size_t at = 0;;) {
        std::size_t const found = text.find(from, at);
        result.append(text.substr(at, found - at));
        if (found == std::string_view::npos) return result;
        result.append(to);
        at = found + from.size();
    }
}

[[nodiscard]] inline std::vector<std::string> basic_english_rules(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {"'", " '  "}, {"\"", ""},   {".", " . "}, {"<br />", " "}, {",", " , "}, {"(", " ( "},
        {")", " ) "},  {"!", " ! "}, {"?", " ? "}, {";", " "},      {":", " "}};
    std::string line(text);
    for (char& byte : line)
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + 32);
    for (auto const& [from, to] : rules) line = replace_all(line, from, to);

    std::string_view const blanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f";  // where Python's str.split() splits ASCII
    std::vector<std::string> tokens;
    for (std::size_t begin = 0; (begin = line.find_first_not_of(blanks, begin)) != std::string::npos;) {
        std::size_t const end = std::min(line.find_first_of(blanks, begin), line.size());
        tokens.push_back(line.substr(begin, end - begin));
        begin = end;
    }
    return tokens;
}

template <class Tokenizer>
[[nodiscard]] std::vector<std::string> tokens_of(Tokenizer&& tokenizer, std::string_view text) {
    std::vector<std::string> tokens;
    tokenizer(text, [&](std::string_view token) { tokens.emplace_back(token); });
    return tokens;
}

}  // namespace sequent_tests
