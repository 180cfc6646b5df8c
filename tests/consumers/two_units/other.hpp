#pragma once

#if __has_include(<sequent/sequent.hpp>)
#include <sequent/sequent.hpp>
#else
#include <sequent/core/random.hpp>
#endif

std::uint32_t first_word_of_the_other_unit();
