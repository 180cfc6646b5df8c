// What the tests of io share: a folder that vanishes, bytes from text, and the text of an expected error.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sequent_tests {

// A new, empty folder, removed with its content at the end of the scope.
struct scratch_folder {
    std::filesystem::path path;

    scratch_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "sequent-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    scratch_folder(scratch_folder const&) = delete;
    scratch_folder& operator=(scratch_folder const&) = delete;
    ~scratch_folder() { std::filesystem::remove_all(path); }

    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path / name; }
};

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
