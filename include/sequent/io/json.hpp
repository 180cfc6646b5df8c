// Untrusted JSON, read token by token: what the caller does not ask for is refused where it stands, so it bounds depth
// and memory. nlohmann parses single tokens; of a whole text it would accept duplicate keys, and end at a NUL.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "bytes.hpp"

namespace sequent::detail {

// All errors are file_error, with the place, and with the byte where the text is no JSON.
class json_reader {
  public:
    // file: its name. The text begins at byte `offset` of it.
    json_reader(std::string_view text, std::string_view file, std::size_t offset = 0)
        : text_(text), file_(file), offset_(offset) {}

    // Of what is being read, as messages call it. A callback may change it; afterwards it is as it was.
    std::string place;

    [[noreturn]] void fail(auto const&... what) const { throw file_error(file_, place, what...); }

    // Calls member(key), which reads the value, for each member of an object; the keys differ.
    void object(auto&& member) {
        std::set<std::string> keys;
        list("object", "}", [&](std::size_t) {
            if (kind() != "string") not_json();
            auto const [key, is_new] = keys.insert(string());
            if (!is_new) fail("duplicate key ", in_quotes(*key));
            if (!accept(":")) not_json();
            member(*key);
        });
    }

    // Calls element(index), which reads it, for each element of an array.
    void array(auto&& element) { list("array", "]", element); }

    [[nodiscard]] std::string string() {
        expect("string");
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
        return token(std::min(end + 1, text_.size())).get<std::string>();
    }

    // A finite number.
    [[nodiscard]] double number() { return any_number().get<double>(); }

    // A number without sign, fraction and exponent.
    [[nodiscard]] std::uint64_t whole_number() {
        nlohmann::json const value = any_number();
        if (value.is_number_unsigned()) return value.get<std::uint64_t>();
        fail(value.is_number_integer() ? "unexpected negative number"
                                       : "unexpected fraction, exponent or number beyond 2^64");
    }

    // What comes next: "object", "array", "string", "boolean", "null" or "number".
    [[nodiscard]] std::string_view kind() {
        constexpr std::string_view starts = "{[\"tfn-0123456789";
        constexpr std::string_view kinds[] = {"object", "array", "string", "boolean", "boolean", "null"};
        skip_spaces();
        std::size_t const start = at_ < text_.size() ? starts.find(text_[at_]) : starts.npos;
        if (start == starts.npos) not_json();
        return start < std::size(kinds) ? kinds[start] : "number";
    }

    // Takes the token if it comes next.
    [[nodiscard]] bool accept(std::string_view token) {
        skip_spaces();
        bool const found = text_.substr(at_).starts_with(token);
        if (found) at_ += token.size();
        return found;
    }

    // Nothing but white space may be left.
    void end() {
        skip_spaces();
        if (at_ < text_.size()) not_json();
    }

  private:
    [[noreturn]] void not_json() const {
        throw file_error(file_, message("byte ", offset_ + at_, place.empty() ? "" : ", in ", place),
                         "not UTF-8 encoded JSON (which has no NaN and no infinity)");
    }

    void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }

    void expect(std::string_view wanted) {
        if (auto const found = kind(); found != wanted) fail("unexpected ", found);
    }

    void list(std::string_view wanted, std::string_view close, auto&& item) {
        expect(wanted);
        ++at_;
        std::string const outer = place;
        for (std::size_t i = 0; !accept(close); ++i) {
            if (i > 0 && !accept(",")) not_json();
            item(i);
            place = outer;
        }
    }

    nlohmann::json any_number() {
        expect("number");
        return token(std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size()));
    }

    // The string or number from here to end.
    nlohmann::json token(std::size_t end) {
        std::size_t const begin = std::exchange(at_, end);
        try {
            return nlohmann::json::parse(text_.begin() + begin, text_.begin() + end);
        } catch (nlohmann::json::parse_error const& error) {
            at_ = begin + error.byte - 1;
            not_json();
        } catch (nlohmann::json::out_of_range const&) {
            fail("a number beyond the range of double");
        }
    }

    std::string_view text_, file_;
    std::size_t offset_, at_ = 0;
};

}  // namespace sequent::detail
