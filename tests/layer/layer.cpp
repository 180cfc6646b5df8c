#include "sequent/layer/layer.hpp"

#include "catch.hpp"
#include "random_data.hpp"
#include "sequent/sequent.hpp"

using namespace sequent;
using namespace sequent_tests;

TEST_CASE("layer: the concept") {
    STATIC_REQUIRE(layer<linear<3, 4>>);
    STATIC_REQUIRE(layer<recurrent<lstm<3, 4>>>);
    STATIC_REQUIRE(layer<last_state>);
    STATIC_REQUIRE(layer<sequential<embedding<9, 3>, mean_state>>);
    STATIC_REQUIRE_FALSE(layer<lstm<3, 4>>);
    STATIC_REQUIRE_FALSE(layer<int>);
}

TEST_CASE("tensor_name: PyTorch's names from the scopes around a layer") {
    scope const top;
    scope named{&top}, placed{&named}, deep{&placed};
    named.name = "rnn", placed.place = 2, deep.depth = 1;
    using ending = tensor_name::ending;
    CHECK(tensor_name{top, "weight"}.text() == "weight");
    CHECK(tensor_name{named, "weight"}.text() == "rnn.weight");
    CHECK(tensor_name{placed, "bias"}.text() == "rnn.2.bias");
    CHECK(tensor_name{deep, "weight_ih", ending::depth}.text() == "rnn.2.weight_ih_l1");
    CHECK(tensor_name{deep, "h", ending::depth_reverse}.text() == "rnn.2.h_l1_reverse");
}

TEST_CASE("materialise: rows by index written out, their gradients gathered") {
    packing const shape(std::vector{2, 1});
    std::vector<float> const rows{1, 2, 3, 4}, gradient{1, 1, 2, 2, 4, 4};
    std::vector<int> const index{1, 0, 1};
    cpu_buffer<float> room, sum;
    sequence_flow<cpu, float> const by_index{&shape, {{rows.data(), 2, 2}, index}, {}};
    CHECK(numbers_of(materialise(cpu{}, by_index, room)) == std::vector<float>{3, 4, 1, 2, 3, 4});
    matrix_view<float const> const d(gradient.data(), 3, 2);
    CHECK(numbers_of(dematerialise<cpu, float>(cpu{}, by_index, d, sum)) == std::vector<float>{2, 2, 5, 5});

    sequence_flow<cpu, float> const plain{&shape, {{rows.data(), 2, 2}, {}}, {}};  // nothing to do, nothing copied
    CHECK(materialise(cpu{}, plain, room).data == rows.data());
    CHECK(dematerialise<cpu, float>(cpu{}, plain, d, sum).data == gradient.data());
}
