#include "sequent/core/text.hpp"

#include <cmath>
#include <cstdint>

#include "catch.hpp"

using namespace sequent;

TEST_CASE("text: numbers as text read back as they were, and nothing else does") {
    for (double const value : {0.1, -1e300, 5e-324, 1.0 / 3}) CHECK(parse_number<double>(number_text(value)) == value);
    CHECK(std::isnan(*parse_number<double>(number_text(std::nan("")))));
    CHECK(parse_number<float>(number_text(0.1f)) == 0.1f);
    CHECK(parse_number<std::uint64_t>(number_text(~std::uint64_t{0})) == ~std::uint64_t{0});
    for (std::string_view const text : {"", " 1", "1 ", "1x", "+1", "1.5", "99999999999", "0x10"})
        CHECK_FALSE(parse_number<int>(text));
}
