// Cuts a text into tokens: torchtext's `basic_english` for words, `characters` for one token per character.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sequent {
namespace detail {

enum class byte_kind : std::uint8_t { ordinary, less, quote, punctuation, separator };

inline constexpr auto byte_kinds = [] {
    std::array<byte_kind, 256> kinds{};
    auto const set = [&](std::string_view bytes, byte_kind kind) {
        for (char const byte : bytes) kinds[static_cast<unsigned char>(byte)] = kind;
    };
    set("\"", byte_kind::quote);
    set("'.,()!?", byte_kind::punctuation);
    set(";: \t\n\v\f\r\x1c\x1d\x1e\x1f", byte_kind::separator);
    set("<", byte_kind::less);
    return kinds;
}();

constexpr char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

// The number of bytes that `<br />` takes at the start of `text`, in any case and with quotes anywhere inside; else 0.
constexpr std::size_t break_tag(std::string_view text) {
    constexpr std::string_view tag = "<br />";
    std::size_t matched = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"') continue;
        if (lower(text[at]) != tag[matched]) return 0;
        if (++matched == tag.size()) return at + 1;
    }
    return 0;
}

}  // namespace detail

// torchtext's basic_english (versions 0.8 to 0.18), whose regular expressions amount to: lower-case the line; delete
// every `"`; then `<br />`, `;`, `:` and white space separate, each of ' . , ( ) ! ? is a token, and all else
// accumulates. Quotes go first, so `<br" />` separates too. One pass, no allocation per token.
//
// Exact for ASCII. Beyond it torchtext lower-cases and splits by Unicode; here a byte >= 0x80 is an ordinary byte: an
// upper-case non-ASCII letter keeps its case, and a non-ASCII space (U+0085, U+00A0, U+2003, ...) does not separate.
class basic_english {
  public:
    // Calls token(std::string_view) for each token in order. The views stay valid until the next call.
    void operator()(std::string_view line, auto&& token) {
        if (lowered_.size() < line.size()) lowered_.resize(line.size());  // a token never outgrows its source
        char* out = lowered_.data();
        char const* begin = out;
        auto const finish = [&] {
            if (begin != out) token(std::string_view(begin, static_cast<std::size_t>(out - begin)));
            begin = out;
        };
        for (std::size_t at = 0; at < line.size(); ++at) {
            char const byte = line[at];
            auto const kind = detail::byte_kinds[static_cast<unsigned char>(byte)];
            std::size_t const tag = kind == detail::byte_kind::less ? detail::break_tag(line.substr(at)) : 0;
            if (kind == detail::byte_kind::quote) continue;
            if (kind <= detail::byte_kind::less && tag == 0) {
                *out++ = detail::lower(byte);
                continue;
            }
            finish();
            if (kind == detail::byte_kind::punctuation) {
                *out++ = byte;
                finish();
            }
            if (tag > 0) at += tag - 1;
        }
        finish();
    }

  private:
    std::string lowered_;
};

// Every character is a token, nothing is changed. A character is one UTF-8 sequence; a byte that belongs to none stands
// alone, so the tokens always concatenate to the text.
struct characters {
    void operator()(std::string_view text, auto&& token) const {
        for (std::size_t at = 0; at < text.size();) {
            std::size_t const length = sequence_length(text.substr(at));
            token(text.substr(at, length));
            at += length;
        }
    }

  private:
    // By the lead byte, and 1 where the continuation bytes it announces do not follow.
    static constexpr std::size_t sequence_length(std::string_view text) {
        auto const lead = static_cast<unsigned char>(text.front());
        std::size_t const length = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (length > text.size()) return 1;
        for (std::size_t at = 1; at < length; ++at)
            if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) return 1;
        return length;
    }
};

}  // namespace sequent
