// What the tests of io and others share: bytes from text, and the text of an expected error.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "../temporary_folder.hpp"

namespace sequent_tests {

inline std::vector<std::byte> bytes_of(std::string_view text) {
    auto const bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

inline std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

// what() of the Error that the call throws; empty if it throws none. Other exceptions pass.
template <class Error, class Call>
std::string thrown(Call&& call) {
    try {
        call();
        return "";
    } catch (Error const& error) {
        return error.what();
    }
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace sequent_tests
