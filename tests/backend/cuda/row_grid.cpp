#include "sequent/backend/cuda/row_grid.hpp"

#include <vector>

#include "catch.hpp"

using namespace sequent;

TEST_CASE("row_grid: its threads visit every row and column once, in columns side by side") {
    for (int const rows : {0, 1, 3, 8, 9, 70})
        for (int const columns : {0, 1, 31, 32, 33, 300})
            for (int const most : {1, 5, 65535}) {
                row_grid const grid = row_grid::of(rows, columns, most);
                INFO(rows << " rows, " << columns << " columns, " << most << " blocks");
                CHECK(grid.row_blocks * grid.column_blocks <= most);
                CHECK((grid.threads_x >= 32 && grid.threads_x * grid.threads_y == row_grid::threads));
                std::vector<int> visits(static_cast<std::size_t>(rows * columns));
                for (int r = 0; r < grid.row_step(); ++r)
                    for (int c = 0; c < grid.column_step(); ++c)
                        grid.visit(rows, columns, r, c, [&](int row, int column) {
                            ++visits[static_cast<std::size_t>(row * columns + column)];
                        });
                CHECK(visits == std::vector<int>(visits.size(), 1));
            }
}

TEST_CASE("row_grid: few rows of many columns have many threads, many rows as few as they may") {
    row_grid const row = row_grid::of(1, 4096, 65535);
    CHECK(row.row_step() * row.column_step() == 4096);
    row_grid const cells = row_grid::of(64, 512, 65535);
    CHECK(cells.row_blocks * cells.column_blocks == 128);
    CHECK(row_grid::of(1 << 30, 512, 65535).column_blocks == 1);
}
