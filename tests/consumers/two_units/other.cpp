#include "other.hpp"

std::uint32_t first_word_of_the_other_unit() { return sequent::random_stream{.seed = 1}.word(0); }
