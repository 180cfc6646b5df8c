// What PyTorch's optimizers make of given gradients (tests/fixtures/optimizers), and ours on models just large enough.
#pragma once

#include <string>
#include <vector>

#include "golden.hpp"
#include "sequent/sequent.hpp"

namespace sequent_tests {

using namespace sequent;

using ten_numbers = model<linear<4, 2>, cpu, double>;  // a weight of 8 and a bias of 2
using six_rows = model<embedding<6, 3>, cpu, double>;

inline six_rows make_six_rows(std::vector<double> const& initial) {
    six_rows net{embedding<6, 3>{{}}};
    net.assign("weight", initial);
    return net;
}

// The gradients of the given rows: gradient [rows.size(), 3].
inline void give_gradient(six_rows& net, std::vector<int> const& rows, std::vector<double> const& gradient) {
    net.zero_gradients();
    net.each_table([&](auto& table) {
        table.add_gradient(net.device(), rows,
                           matrix_view<double const>(gradient.data(), static_cast<int>(rows.size()), 3));
    });
}

// Twelve steps over ten numbers: all to rounding.
template <class Rule>
void check_case(std::string const& name, Rule const& rule) {
    INFO(name);
    golden const file("optimizers");
    auto const initial = file.values("initial"), gradients = file.values("gradients"),
               expected = file.values(name + "/parameters");
    ten_numbers net;
    net.assign("weight", std::span(initial).first(8));
    net.assign("bias", std::span(initial).subspan(8));
    optimizer run{net, rule};
    for (int step = 0; step < 12; ++step) {
        double const* const gradient = gradients.data() + step * 10;
        for (auto const& parameter : net.parameters())
            std::copy_n(gradient + (parameter.name == "bias" ? 8 : 0), parameter.size(),
                        net.gradient_block() + parameter.offset);
        run.step();
        std::vector<double> now = net.values("weight");
        for (double const value : net.values("bias")) now.push_back(value);
        INFO("step " << step);
        REQUIRE(largest_error(now, std::span(expected).subspan(static_cast<std::size_t>(step) * 10, 10)) < 1e-14);
    }
}

// Twelve steps over a table of which each touches some rows.
template <class Rule>
void check_table(std::string const& name, Rule const& rule) {
    golden const file("optimizers");
    auto const touched = file.values<int>("table/touched");
    auto const gradients = file.values("table/gradients"), expected = file.values("table/" + name + "/parameters");
    six_rows net = make_six_rows(file.values("table/initial"));
    optimizer run{net, rule};
    for (int step = 0; step < 12; ++step) {
        std::vector<int> rows;
        std::vector<double> gradient;
        for (int row = 0; row < 6; ++row) {
            if (touched[static_cast<std::size_t>(step * 6 + row)] == 0) continue;
            rows.push_back(row);
            double const* const of_row = gradients.data() + (step * 6 + row) * 3;
            gradient.insert(gradient.end(), of_row, of_row + 3);
        }
        give_gradient(net, rows, gradient);
        run.step();
        if (step % 4 != 3) continue;  // reading seldom lets rows owe steps
        INFO("step " << step);
        REQUIRE(largest_error(net.values("weight"),
                              std::span(expected).subspan(static_cast<std::size_t>(step) * 18, 18)) < 1e-14);
    }
}

// The same gradients for a dense tensor and a table of 6 rows and 3 columns: what an optimizer makes of both, which
// differ in nothing but that the table is told which rows have none: within `rounding`, or to the bit. Rates change,
// and rest at zero for a while.
template <class Rule>
void check_table_is_dense(Rule const& rule, double rounding = 0) {
    model<linear<3, 6>, cpu, double> dense{linear<3, 6>{}, {.seed = 4}};
    dense.freeze("bias");
    six_rows table = make_six_rows(dense.values("weight"));
    optimizer dense_run{dense, rule};
    optimizer table_run{table, rule};
    random_stream const random{7, 1};
    std::uint64_t drawn = 0;
    for (int step = 0; step < 300; ++step) {
        std::vector<int> rows;
        std::vector<double> gradient;
        dense.zero_gradients();
        for (int row = 0; row < 6; ++row) {
            if (random.below(drawn++, 4u << row) > 1) continue;  // row 5 every 64th step, the last rows seldom
            rows.push_back(row);
            for (int j = 0; j < 3; ++j) {
                gradient.push_back(random.normal(drawn++));
                dense.gradient_block()[row * 3 + j] = gradient.back();
            }
        }
        double const rate = step / 20 % 3 == 2 ? 0 : rule.rate * (1 + step % 7);
        dense_run.rate(rate), table_run.rate(rate);
        give_gradient(table, rows, gradient);
        dense_run.step(), table_run.step();
        INFO("step " << step);
        if (step % 9 == 0 || step == 299)
            REQUIRE(largest_error(table.values("weight"), dense.values("weight")) <= rounding);
    }
}

}  // namespace sequent_tests
