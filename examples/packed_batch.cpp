// Three sequences of unequal length as one packed batch, without padding. An LSTM gives each of them the states that it
// gives it alone, to the last bit.
#include <sequent/sequent.hpp>

#include <algorithm>
#include <cstdio>

using namespace sequent;

int main() {
    // Each sequence is [length, 2], row-major.
    std::vector<std::vector<float>> const sequences = {
        {1, 2, 3, 4},              // 2 steps
        {5, 6, 7, 8, 9, 1, 2, 3},  // 4 steps
        {4, 5},                    // 1 step
    };
    packed_sequence<float> const batch = pack(sequences, 2);
    std::printf("rows of each step:");
    for (int const rows : batch.shape.batch_sizes()) std::printf(" %d", rows);
    std::printf("\nlongest first:    ");
    for (int const place : batch.shape.sorted_indices()) std::printf(" %d", place);

    model<lstm<2, 3>, cpu> net({}, {.seed = 1});
    matrix_view<float const> const outputs = net.predict(batch).values.rows;
    std::printf("\noutputs:           %d rows of %d, none for padding\n\n", outputs.rows, outputs.columns);
    states<float> const together = net.final_states();

    bool same = true;
    for (int i = 0; i < 3; ++i) {
        std::printf("sequence %d  h", i);
        for (int j = 0; j < 3; ++j) std::printf(" %9.6f", together["h_l0"](i, j));  // in the user's order
        (void)net.predict(pack(std::span(sequences).subspan(static_cast<std::size_t>(i), 1), 2));
        states<float> const alone = net.final_states();
        bool equal = true;
        for (char const* const name : {"h_l0", "c_l0"})
            equal = equal && std::ranges::equal(std::span(together[name].row(i), 3), std::span(alone[name].row(0), 3));
        std::printf("  alone: %s\n", equal ? "the same bits" : "DIFFERENT");
        same = same && equal;
    }
    return same ? 0 : 1;
}
