#pragma once

#include <sequent/io/safetensors.hpp>
#include <sequent/sequent.hpp>

std::uint32_t first_word_of_the_other_unit();
