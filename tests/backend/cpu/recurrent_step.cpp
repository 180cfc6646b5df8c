// One step after the other gives the bits of the whole-sequence kernel, for every cell and for narrow, odd and wide
// layers.
#include "sequent/backend/cpu/recurrent_step.hpp"

#include <cstring>

#include "catch.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;

namespace {

template <class Cell, class T>
void check() {
    using layout = cpu_recurrent_layout<Cell, T>;
    model<Cell, cpu, T> net{Cell{}, {.seed = 4}};
    int const steps = 6;
    packed_sequence<T> x{packing(std::vector<int>{steps}), {}, Cell::input_size};
    random_stream const random{1, 2};
    for (int j = 0; j < steps * Cell::input_size; ++j)
        x.values.push_back(static_cast<T>(random.normal(static_cast<std::uint64_t>(j))));
    auto const whole = net.predict(x);

    T const* const parameters = static_cast<model<Cell, cpu, T> const&>(net).block();
    cpu_recurrent_weights<Cell, T> weights;
    weights.update(parameters, 0);
    alignas(64) T states[2][layout::states * layout::padded] = {};
    for (int t = 0; t < steps; ++t) {
        T* const after = states[(t + 1) % 2];
        cpu_recurrent_step<Cell, T, default_isa, accurate>::run(weights, parameters, x.rows().row(t), states[t % 2],
                                                                after);
        INFO("step " << t);
        CHECK(std::memcmp(after, whole.values.rows.row(t), Cell::hidden_size * sizeof(T)) == 0);
    }
}

}  // namespace

TEST_CASE("recurrent_step: the bits of the whole sequence, float") {
    check<lstm<3, 1>, float>();
    check<lstm<5, 32>, float>();
    check<lstm<64, 32>, float>();  // more weights than a cache holds: taken in turns from both ends
    check<gru<70, 40>, float>();
    check<gru<4, 19>, float>();
    check<elman<2, 7>, float>();
}
TEST_CASE("recurrent_step: the bits of the whole sequence, double") {
    check<lstm<3, 9>, double>();
    check<gru<3, 16>, double>();
}
