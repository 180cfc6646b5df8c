// basic_english against the substitutions it stands for; characters must concatenate to the text.
#include <cstdint>
#include <cstdlib>

#include "../tests/text/basic_english_rules.hpp"
#include "sequent/text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (sequent_tests::tokens_of(sequent::basic_english(), text) != sequent_tests::basic_english_rules(text))
        std::abort();
    std::string joined;
    for (std::string const& character : sequent_tests::tokens_of(sequent::characters(), text)) joined += character;
    if (joined != text) std::abort();
    return 0;
}
