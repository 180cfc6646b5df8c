#include "sequent/backend/cuda/optimizers.hpp"

#include "golden.hpp"
#include "on_device.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent_tests;

TEMPLATE_TEST_CASE("cuda: Adam and descent over blocks and rows, as on the CPU", "", float, double) {
    double const tolerance = sizeof(TestType) == 4 ? 1e-6 : 1e-14;
    for (adam_constants const& adam : {adam_constants{}, adam_constants{0.8, 0.95, 1e-3, 0},
                                       adam_constants{0, 0.9, 1e-8, 0.1}, adam_constants{0.9999, 0.9, 1e-8, 0}})
        for (sgd_constants const& descent :
             {sgd_constants{}, sgd_constants{0.9, 0, 0.01, true}, sgd_constants{0.5, 0.3, 0, false}})
            CHECK(relative_error(optimizer_steps<TestType, emulated>(adam, descent),
                                 optimizer_steps<TestType, cpu>(adam, descent)) < tolerance);
}
