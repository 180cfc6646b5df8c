#include "sequent/train/sgd.hpp"

#include "optimizer_golden.hpp"

using namespace sequent_tests;

TEST_CASE("SGD is PyTorch's over twelve steps", "[sgd]") {
    check_case("sgd", sgd{.rate = 0.1});
    check_case("sgd.weight_decay", sgd{.rate = 0.1, .weight_decay = 0.05});
    check_case("sgd.momentum", sgd{.rate = 0.1, .momentum = 0.9});
    check_case("sgd.dampening", sgd{.rate = 0.1, .momentum = 0.9, .dampening = 0.3});
    check_case("sgd.nesterov", sgd{.rate = 0.1, .momentum = 0.9, .nesterov = true});
    check_case("sgd.nesterov_weight_decay", sgd{.rate = 0.1, .momentum = 0.8, .weight_decay = 0.05, .nesterov = true});
}

TEST_CASE("SGD moves a table as it moves a dense tensor", "[sgd]") {
    check_table_is_dense(sgd{.rate = 0.01});
    check_table_is_dense(sgd{.rate = 0.01, .weight_decay = 0.05});
    check_table_is_dense(sgd{.rate = 0.01, .momentum = 0.9});
    check_table_is_dense(sgd{.rate = 0.01, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.05});
    check_table_is_dense(sgd{.rate = 0.01, .momentum = 0.9, .nesterov = true});
}

TEST_CASE("SGD checks its options as PyTorch does", "[sgd]") {
    CHECK_NOTHROW(sgd{.rate = 0}.check());
    CHECK_THROWS_WITH(sgd{.rate = -1}.check(), Catch::Contains("invalid learning rate: -1"));
    CHECK_THROWS_WITH(sgd{.momentum = -0.5}.check(), Catch::Contains("invalid momentum value: -0.5"));
    CHECK_THROWS_WITH(sgd{.weight_decay = -1}.check(), Catch::Contains("invalid weight_decay value: -1"));
    std::string const nesterov = "Nesterov momentum requires a momentum and zero dampening";
    CHECK_THROWS_WITH(sgd{.nesterov = true}.check(), Catch::Contains(nesterov));
    CHECK_THROWS_WITH((sgd{.momentum = 0.9, .dampening = 0.1, .nesterov = true}.check()), Catch::Contains(nesterov));
    ten_numbers net;
    CHECK_THROWS_AS((optimizer{net, sgd{.rate = -1}}), argument_error);
}
