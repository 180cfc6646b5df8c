// How the rows and columns of a matrix fall to the threads of a device.
#pragma once

#include <algorithm>

#include "../../config.hpp"

namespace sequent {

// A grid of blocks of threads: neighbours in x work on neighbouring columns, those in y on rows. Few rows have wide
// blocks. Where a thread is too few for what is left, it works on every so many rows and columns.
struct row_grid {
    static constexpr int threads = 256;  // of a block
    int threads_x, threads_y, row_blocks, column_blocks;

    static constexpr row_grid of(int rows, int columns, int most_blocks) {
        int y = 1;
        while (y < 8 && y < rows) y *= 2;
        int const x = threads / y;
        auto const blocks = [](int n, int of_each, int most) {
            return std::clamp(n / of_each + (n % of_each > 0), 1, std::max(most, 1));
        };
        int const row_blocks = blocks(rows, y, most_blocks);
        return {x, y, row_blocks, blocks(columns, x, most_blocks / row_blocks)};
    }
    [[nodiscard]] SEQUENT_HD constexpr int row_step() const { return row_blocks * threads_y; }
    [[nodiscard]] SEQUENT_HD constexpr int column_step() const { return column_blocks * threads_x; }

    // The work of the thread whose first row and column these are.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable  // the emulated machine's f is the host's alone
#endif
    template <class F>
    SEQUENT_HD void visit(int rows, int columns, int first_row, int first_column, F const& f) const {
        for (int r = first_row; r < rows; r += row_step())
            for (int c = first_column; c < columns; c += column_step()) f(r, c);
    }
};

}  // namespace sequent
