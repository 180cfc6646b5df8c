// Untrusted JSON as nlohmann's values, without what its parser lets pass, and typed access that names the place.
#pragma once

#include <nlohmann/json.hpp>
#include <set>

#include "bytes.hpp"

namespace sequent::detail {

using json_object = nlohmann::json::object_t;
using json_array = nlohmann::json::array_t;

// A value in a file, and how messages call it. All errors are file_error.
struct json_value {
    nlohmann::json const& json;
    std::string_view file;
    std::string place;

    [[noreturn]] void fail(auto const&... what) const { throw file_error(file, place, what...); }

    // As json_object, json_array, std::string or, for a number without sign, fraction and exponent, std::uint64_t.
    template <class T>
    [[nodiscard]] T const& as() const {
        if (auto const* const found = json.get_ptr<T const*>()) return *found;
        bool const whole = std::same_as<T, std::uint64_t> && json.is_number();
        fail("unexpected ", whole ? "sign, fraction, exponent or number beyond 2^64" : json.type_name());
    }

    [[nodiscard]] json_value element(std::size_t i) const {
        return {as<json_array>().at(i), file, place + "[" + std::to_string(i) + "]"};
    }

    // Of a key that is there and fit for a message.
    [[nodiscard]] json_value member(std::string const& key) const {
        return {as<json_object>().at(key), file, place + (place.empty() ? "" : ".") + key};
    }

    // Of an object that must have all of these keys, and may have the optional ones.
    void check_keys(std::set<std::string_view> missing, std::set<std::string_view> optional = {}) const {
        for (auto const& [key, value] : as<json_object>())
            if (missing.erase(key) + optional.erase(key) == 0) fail("unknown key ", in_quotes(key));
        if (!missing.empty()) fail("missing key ", in_quotes(*missing.begin()));
    }
};

// The value of a text that begins at byte `offset` of the file. Throws file_error: not JSON in UTF-8, a key that stands
// twice in an object, a number that is not finite as double, more than 8 objects and arrays in each other. Its memory
// may be 40 times that of the text, which the caller bounds.
inline nlohmann::json parse_json(std::string_view text, std::string_view file, std::size_t offset = 0) {
    using event = nlohmann::json::parse_event_t;
    std::array<std::set<std::string>, 8> keys;  // of the objects around what is being read
    std::string place;
    auto const check = [&](int depth, event what, nlohmann::json const& value) {
        auto const inside = static_cast<std::size_t>(depth);
        if (what == event::key) {
            auto const [key, is_new] = keys[inside - 1].insert(value.get<std::string>());
            if (depth == 1) place = in_quotes(*key);
            if (!is_new) throw file_error(file, place, "duplicate key ", in_quotes(*key));
        } else if (what != event::value) {
            if (inside == keys.size()) throw file_error(file, place, "nested deeper than ", depth);
            keys[inside].clear();
        }
        return false;  // keeps nothing: the result is null
    };
    // nlohmann would skip a byte order mark and end at a NUL. It parses twice, for what a callback lets it keep takes
    // quadratic time.
    std::size_t byte = text.starts_with('\xef') ? 0 : text.find('\0');
    try {
        if (byte == text.npos && nlohmann::json::parse(text, check).is_null()) return nlohmann::json::parse(text);
    } catch (nlohmann::json::parse_error const& error) {
        byte = error.byte - 1;
    } catch (nlohmann::json::out_of_range const&) {
        throw file_error(file, place, "a number beyond the range of double");
    }
    throw file_error(file, message("byte ", offset + byte),
                     "not UTF-8 encoded JSON (which has no NaN and no infinity)");
}

}  // namespace sequent::detail
