// One cell in one number format at every size of the planner's table, on the kernels that it plans: compiled once for
// each, with -DCELL=lstm -DFORMAT=f32x3, as their kernels take ptxas minutes together.
#include <iostream>

#include "check_layer.hpp"

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

using namespace sequent_tests;

namespace {

constexpr precision format = precision::FORMAT;

constexpr double tolerance = format == precision::f32     ? 3e-6
                             : format == precision::f32x3 ? 1e-4
                             : format == precision::tf32  ? 5e-3
                             : format == precision::bf16  ? 3e-2
                                                          : 1e-2;

template <int... Hidden>
void check_planned() {
    auto const one = [&]<int H>(std::integral_constant<int, H>) {
        using cell = CELL<inputs, H>;
        constexpr strategy planned = planned_strategy<cell, float, format>;
        if constexpr (planned != strategy::general) {
            INFO(H << " units, " << name(planned));
            try {
                check_layer<bidirectional<cell>, cuda_with<format, planned>>(tolerance);
            } catch (error const& cannot) {
                if (std::string_view(cannot.what()).find("cannot run clusters") == std::string_view::npos) throw;
                std::cout << "skipped: " << H << " units: " << cannot.what() << std::endl;
            }
        }
    };
    (one(std::integral_constant<int, Hidden>{}), ...);
}

}  // namespace

TEST_CASE("gpu: the planner's table, " TEXT(CELL) " in " TEXT(FORMAT), "[table]") {
    NEEDS_GPU();
    check_planned<16, 32, 64, 96, 128, 192, 256, 384, 512>();
}
