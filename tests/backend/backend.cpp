#include "sequent/backend/backend.hpp"

#include "catch.hpp"
#include "cell/coupled_lstm.hpp"
#include "sequent/backend/cpu/cpu.hpp"

using namespace sequent;

namespace {
struct no_operations {
    template <class T>
    using buffer = cpu_buffer<T>;
};
struct no_buffer {};
}  // namespace

TEST_CASE("backend: the concept") {
    STATIC_REQUIRE(backend<cpu>);
    STATIC_REQUIRE_FALSE(backend<no_operations>);
    STATIC_REQUIRE_FALSE(backend<no_buffer>);
    STATIC_REQUIRE_FALSE(backend<float>);
}

TEST_CASE("recurrent_layout: tensors one behind the other, each on a multiple of 64 bytes of float") {
    using layout = recurrent_layout<sequent_tests::coupled_lstm<3, 5>>;
    struct tensor {
        std::ptrdiff_t begin, size;
    };
    tensor const tensors[] = {{layout::weight_ih, 15 * 3}, {layout::weight_hh, 15 * 5},
                              {layout::bias_ih, 15},       {layout::bias_hh, 15},
                              {layout::unit, 5},           {layout::unit + layout::unit_stride, 5}};
    std::ptrdiff_t end = 0;
    for (tensor const& one : tensors) {
        CHECK(one.begin >= end);
        CHECK(one.begin < end + 16);
        CHECK(one.begin % 16 == 0);
        end = one.begin + one.size;
    }
    CHECK(layout::size >= end);
    CHECK(layout::size % 16 == 0);
}
