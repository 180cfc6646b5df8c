// Words and their numbers, with the semantics of torchtext 0.9's legacy Vocab; counting tokens.
#pragma once

#include <algorithm>
#include <ios>
#include <limits>
#include <span>
#include <vector>

#include "line_reader.hpp"

namespace sequent {

// Distinct words numbered 0, 1, 2, ... as they come: what counting, vocabularies and pretrained vectors stand on. A
// hash table with open addressing, for millions of look-ups: words are compared only where their hashes agree.
class word_table {
  public:
    [[nodiscard]] int size() const { return static_cast<int>(words_.size()); }

    // The number of the word, if it has one.
    [[nodiscard]] std::optional<int> find(std::string_view word) const {
        int const id = slots_.empty() ? -1 : slots_[slot_of(word, hash(word))].id;
        return id < 0 ? std::nullopt : std::optional(id);
    }

    // The number of the word; a new one gets the number size() had before the call.
    int insert(std::string_view word) {
        if (2 * words_.size() >= slots_.size()) grow();
        slot& place = slots_[slot_of(word, hash(word))];
        if (place.id >= 0) return place.id;
        if (size() == std::numeric_limits<int>::max()) throw argument_error("word_table: more than 2^31 - 1 words");
        place = {hash(word), size()};
        words_.emplace_back(word);
        return place.id;
    }

    // Valid until the next insert; 0 <= id < size().
    [[nodiscard]] std::string_view operator[](int id) const { return words_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] std::vector<std::string> const& words() const { return words_; }

  private:
    struct slot {
        std::size_t hash = 0;
        int id = -1;  // none
    };
    std::vector<std::string> words_;
    std::vector<slot> slots_;  // a power of two of them, at most half in use

    static std::size_t hash(std::string_view word) { return std::hash<std::string_view>{}(word); }

    // The slot that holds the word, or the empty one where it belongs.
    [[nodiscard]] std::size_t slot_of(std::string_view word, std::size_t hashed) const {
        for (std::size_t at = hashed;; ++at) {
            slot const& here = slots_[at &= slots_.size() - 1];
            if (here.id < 0 || (here.hash == hashed && (*this)[here.id] == word)) return at;
        }
    }

    void grow() {
        std::size_t const doubled = slots_.empty() ? 16 : 2 * slots_.size();
        for (slot const& used : std::exchange(slots_, std::vector<slot>(doubled)))
            if (used.id >= 0) slots_[slot_of((*this)[used.id], used.hash)] = used;
    }
};

// How often each token occurs.
class token_counts {
  public:
    void add(std::string_view token) {
        auto const id = static_cast<std::size_t>(words_.insert(token));
        if (id == counts_.size()) counts_.push_back(0);
        ++counts_[id];
        ++total_;
    }

    // Counts the tokens of a text; a tokenizer calls back with each, as basic_english does.
    void add(std::string_view text, auto&& tokenizer) {
        tokenizer(text, [this](std::string_view token) { add(token); });
    }

    [[nodiscard]] std::int64_t total() const { return total_; }
    [[nodiscard]] int distinct() const { return words_.size(); }
    [[nodiscard]] std::string_view word(int id) const { return words_[id]; }  // in order of first occurrence
    [[nodiscard]] std::int64_t count(int id) const { return counts_[static_cast<std::size_t>(id)]; }
    [[nodiscard]] std::int64_t count(std::string_view token) const {
        auto const id = words_.find(token);
        return id ? count(*id) : 0;
    }

  private:
    word_table words_;
    std::vector<std::int64_t> counts_;  // [distinct()]
    std::int64_t total_ = 0;
};

struct vocabulary_options {
    std::int64_t min_freq = 1;                       // rarer words are left out
    int max_size = std::numeric_limits<int>::max();  // without the specials
    std::vector<std::string> specials = {"<unk>", "<pad>"};
};

// The specials come first in their order; then the words by falling frequency, equal ones by the bytes of their UTF-8
// (which is the order of code points). A word that is not there has the number of "<unk>".
class vocabulary {
  public:
    explicit vocabulary(token_counts const& counts, vocabulary_options const& options = {}) {
        if (options.max_size < 0) throw argument_error("vocabulary: max_size is ", options.max_size);
        for (std::string const& special : options.specials) add(special);
        std::vector<int> order;  // ids of counts; a special's own count does not matter
        for (int id = 0; id < counts.distinct(); ++id)
            if (counts.count(id) >= options.min_freq && !find(counts.word(id))) order.push_back(id);
        std::ranges::sort(order, {}, [&](int id) { return std::pair(-counts.count(id), counts.word(id)); });
        order.resize(std::min(order.size(), static_cast<std::size_t>(options.max_size)));
        for (int const id : order) add(counts.word(id));
    }

    // Exactly these words, numbered from 0.
    explicit vocabulary(std::span<std::string const> words) {
        for (std::string const& word : words) add(word);
    }

    [[nodiscard]] int size() const { return words_.size(); }

    // The number of the word, or of "<unk>"; argument_error where neither is in the vocabulary.
    [[nodiscard]] int operator[](std::string_view word) const {
        for (std::string_view const one : {word, std::string_view("<unk>")})
            if (auto const id = words_.find(one)) return *id;
        throw argument_error("vocabulary: '", word, "' is not in it, and there is no <unk>");
    }

    [[nodiscard]] std::optional<int> find(std::string_view word) const { return words_.find(word); }

    // Both live as long as the vocabulary.
    [[nodiscard]] std::string_view word(int id) const& {
        if (id < 0 || id >= size()) throw argument_error("vocabulary: no word ", id, " among ", size());
        return words_[id];
    }
    [[nodiscard]] std::vector<std::string> const& words() const& { return words_.words(); }
    void word(int id) const&& = delete;
    void words() const&& = delete;

    // Tells vocabularies apart cheaply: FNV-1a, 64 bits, over the lines that save() writes after the first.
    [[nodiscard]] std::uint64_t fingerprint() const {
        std::uint64_t state = 0xCBF29CE484222325u;
        for (std::string const& word : words())
            for (char const byte : escaped(word) + '\n')
                state = (state ^ static_cast<unsigned char>(byte)) * 0x100000001B3u;
        return state;
    }

    // A text file: a line that names the format, the number of words and the fingerprint, then one word a line, where
    // `\\`, `\n` and `\r` stand for a backslash, LF and CR. Damage is noticed when it is loaded.
    void save(std::filesystem::path const& path) const {
        std::ofstream out(path, std::ios::binary);
        out << heading() << '\n';
        for (std::string const& word : words()) out << escaped(word) << '\n';
        if (!out.flush()) throw file_error(path.string(), "", "cannot be written");
    }

    // Throws file_error, with the line, when anything of it was changed.
    [[nodiscard]] static vocabulary load(text_source const& from, line_limits limits = {}) {
        line_reader lines(from, limits);
        std::string_view line;
        if (!lines.next(line)) throw file_error(from.name, "", "is empty");
        std::string const heading(line);
        if (!heading.starts_with(format)) lines.reject("not a vocabulary of this library");
        vocabulary result{std::span<std::string const>()};
        while (lines.next(line)) {
            std::string const word = unescaped(line);
            if (escaped(word) != line)
                lines.reject("a carriage return, or a backslash followed by none of \\, n and r");
            if (result.find(word)) lines.reject("the word '", word, "' stands there twice");
            result.add(word);
        }
        if (heading != result.heading()) lines.reject("the words give '", result.heading(), "', unlike line 1");
        return result;
    }

  private:
    static constexpr std::string_view format = "sequent vocabulary 1: ";

    word_table words_;

    void add(std::string_view word) {
        int const next = size();
        if (words_.insert(word) != next) throw argument_error("vocabulary: the word '", word, "' is given twice");
    }

    [[nodiscard]] std::string heading() const {
        return message(format, size(), " words, fingerprint ", std::hex, fingerprint());
    }

    static std::string escaped(std::string_view word) {
        std::string result;
        for (char const byte : word) {
            char const code = byte == '\n' ? 'n' : byte == '\r' ? 'r' : byte;
            if (code != byte || byte == '\\') result += '\\';
            result += code;
        }
        return result;
    }

    // Of a line that is none of escaped()'s, any text.
    static std::string unescaped(std::string_view line) {
        std::string result;
        for (std::size_t at = 0; at < line.size(); ++at) {
            bool const escape = line[at] == '\\' && at + 1 < line.size();
            char const code = line[at += escape];
            result += escape && code == 'n' ? '\n' : escape && code == 'r' ? '\r' : code;
        }
        return result;
    }
};

}  // namespace sequent
