// expect: sequent::sequential: two layers have the same name; give each its own
#include "sequent/sequent.hpp"

using twice = sequent::sequential<sequent::named<"fc", sequent::linear<3, 4>>, sequent::dropout,
                                  sequent::named<"fc", sequent::linear<4, 5>>>;
constexpr auto size = twice::parameter_size;
