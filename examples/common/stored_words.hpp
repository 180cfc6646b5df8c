// The words beside a file of weights: FILE.vocab. The weights carry the words' fingerprint and the name of the model in
// their metadata, so that what does not belong together is noticed.
#pragma once

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

#include "model_choice.hpp"
#include "sequent/core/error.hpp"
#include "sequent/io/safetensors.hpp"
#include "sequent/text/vocabulary.hpp"

namespace news {

inline constexpr std::string_view words_key = "sequent.vocabulary";

[[nodiscard]] inline std::filesystem::path words_file(std::filesystem::path weights) { return weights += ".vocab"; }

[[nodiscard]] inline std::string fingerprint_text(sequent::vocabulary const& words) {
    char digits[16];
    return {digits, std::to_chars(digits, digits + sizeof digits, words.fingerprint(), 16).ptr};
}

// Replaces FILE.vocab as a whole.
inline void save_words(sequent::vocabulary const& words, std::filesystem::path const& weights) {
    std::filesystem::path const file = words_file(weights), part = words_file(weights) += ".part";
    words.save(part);
    std::error_code failure;
    std::filesystem::rename(part, file, failure);
    if (failure) throw sequent::file_error(file.string(), "", "cannot be replaced: " + failure.message());
}

struct stored_model {
    std::string name;  // empty where the weights do not say
    sequent::vocabulary words;
};

// Throws file_error: a file that is missing or damaged, or words that are not those of the weights.
[[nodiscard]] inline stored_model load_words(std::filesystem::path const& weights) {
    auto const metadata = sequent::safetensors::read(weights).metadata();
    stored_model stored{{}, sequent::vocabulary::load(words_file(weights))};
    if (auto const found = metadata.find(model_key); found != metadata.end()) stored.name = found->second;
    if (auto const found = metadata.find(words_key);
        found != metadata.end() && found->second != fingerprint_text(stored.words))
        throw sequent::file_error(words_file(weights).string(), "",
                                  sequent::message("has fingerprint ", fingerprint_text(stored.words), ", but ",
                                                   weights.string(), " was trained with the words of fingerprint ",
                                                   found->second));
    return stored;
}

}  // namespace news
