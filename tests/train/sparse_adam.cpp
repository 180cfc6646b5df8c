#include "sequent/train/sparse_adam.hpp"

#include "optimizer_golden.hpp"

using namespace sequent_tests;

TEST_CASE("SparseAdam moves touched rows of a table as PyTorch's", "[sparse_adam]") {
    check_table("sparse_adam", sparse_adam{.rate = 1e-2});
}

TEST_CASE("SparseAdam is Adam for dense parameters", "[sparse_adam]") {
    check_case("adam", sparse_adam{.rate = 1e-2});
    check_case("adam.betas_eps", sparse_adam{.rate = 1e-2, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3});
}

TEST_CASE("SparseAdam leaves rows without a gradient and frozen tables alone", "[sparse_adam]") {
    golden const file("optimizers");
    auto const initial = file.values("table/initial");
    six_rows net = make_six_rows(initial);
    optimizer run{net, sparse_adam{.rate = 1e-2}};
    give_gradient(net, {4}, {1, 2, 3});
    run.step();
    auto const moved = net.values("weight");
    for (std::size_t j = 0; j < 18; ++j) CHECK((moved[j] != initial[j]) == (j / 3 == 4));
    net.zero_gradients();
    run.step();
    CHECK(net.values("weight") == moved);
    give_gradient(net, {4}, {1, 2, 3});
    net.freeze("weight");
    run.step();
    CHECK(net.values("weight") == moved);
}

TEST_CASE("SparseAdam checks its options as PyTorch does", "[sparse_adam]") {
    CHECK_NOTHROW(sparse_adam{}.check());
    CHECK_THROWS_WITH(sparse_adam{.rate = 0}.check(), Catch::Contains("invalid learning rate: 0"));
    CHECK_THROWS_WITH(sparse_adam{.epsilon = 0}.check(), Catch::Contains("invalid epsilon value: 0"));
    CHECK_THROWS_WITH(sparse_adam{.beta1 = 1}.check(), Catch::Contains("invalid beta parameter at index 0: 1"));
    CHECK_THROWS_WITH(sparse_adam{.beta2 = -0.1}.check(), Catch::Contains("invalid beta parameter at index 1: -0.1"));
}
