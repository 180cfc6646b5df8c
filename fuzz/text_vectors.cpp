// The readers of word vectors and vocabularies: the first byte of the input chooses. What they accept must be whole.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "sequent/text/vectors.hpp"
#include "sequent/text/vocabulary.hpp"

namespace {

void check(sequent::word_vectors const& vectors) {
    auto const numbers = static_cast<std::size_t>(vectors.words.size()) * static_cast<std::size_t>(vectors.dimension);
    if (vectors.values.size() != numbers) std::abort();
    for (float const value : vectors.values)
        if (!std::isfinite(value)) std::abort();
    for (int id = 0; id < vectors.words.size(); ++id)
        if (vectors.words.find(vectors.words[id]) != id) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size == 0) return 0;
    std::istringstream in(std::string(reinterpret_cast<char const*>(data) + 1, size - 1));
    sequent::text_source const from(in, "input");
    sequent::vector_options const options{
        .max_dimension = 1000, .max_word_bytes = 16, .lines = {.max_line = 512, .max_file = 1 << 16}};
    try {
        switch (data[0] % 4) {
        case 0:
            check(sequent::read_glove(from, options));
            break;
        case 1:
            check(sequent::read_word2vec_text(from, options));
            break;
        case 2:
            check(sequent::read_word2vec_binary(from, options));
            break;
        default:
            (void)sequent::vocabulary::load(from, options.lines).fingerprint();
        }
    } catch (sequent::file_error const&) {}
    return 0;
}
