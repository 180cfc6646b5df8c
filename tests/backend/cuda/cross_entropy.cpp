#include "sequent/backend/cuda/cross_entropy.hpp"

#include "golden.hpp"
#include "on_device.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent_tests;

TEMPLATE_TEST_CASE("cuda: softmax cross-entropy, as on the CPU", "", float, double) {
    std::vector<double> const weights{1, 0.5, 2, 0};
    for (cross_entropy_request const& request : {cross_entropy_request{}, cross_entropy_request{{}, -1, 0.1, true},
                                                 cross_entropy_request{weights, -1, 0.2, false}})
        for (std::vector<int> const& targets : {std::vector{0, 3, 1, -1, 2, 2}, std::vector{2}}) {
            if (request.ignore_index != -1 && targets.size() > 1) continue;
            CHECK(relative_error(cross_entropies<TestType, emulated>(request, targets),
                                 cross_entropies<TestType, cpu>(request, targets)) <
                  (sizeof(TestType) == 4 ? 1e-6 : 1e-13));
        }
    CHECK_THROWS_WITH((cross_entropies<TestType, emulated>({}, {0, 4})),
                      "sequent::cross_entropy: target 4 of row 1 is out of bounds; there are 4 classes");
}
