// Two translation units include the whole library and link; both see the same random numbers.
#include "other.hpp"

int main() { return sequent::random_stream{.seed = 1}.word(0) == first_word_of_the_other_unit() ? 0 : 1; }
