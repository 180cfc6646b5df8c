#include "sequent/backend/cuda/activation.hpp"

#include <algorithm>

#include "catch.hpp"

using namespace sequent;

namespace {

struct errors {
    double tanh = 0, sigmoid = 0, relative_tanh = 0;
    float largest = 0;
};

template <class Activations>
errors errors_over_floats() {
    errors worst;
    for (std::uint32_t bits = 0; bits < 0x42000000; bits += 0x1003)  // to 32
        for (float const x : {std::bit_cast<float>(bits), -std::bit_cast<float>(bits)}) {
            double const tanh = std::tanh(static_cast<double>(x)),
                         sigmoid = 1 / (1 + std::exp(-static_cast<double>(x)));
            float const y = Activations::tanh(x);
            double const off = std::abs(static_cast<double>(y) - tanh);
            worst.tanh = std::max(worst.tanh, off);
            if (std::abs(tanh) > 1e-30) worst.relative_tanh = std::max(worst.relative_tanh, off / std::abs(tanh));
            worst.sigmoid = std::max(worst.sigmoid, std::abs(static_cast<double>(Activations::sigmoid(x)) - sigmoid));
            worst.largest = std::max(worst.largest, std::abs(y));
        }
    return worst;
}

}  // namespace

TEST_CASE("cuda activations: fast is within 2e-7, and relatively so near 0") {
    errors const e = errors_over_floats<device_fast>();
    CHECK(e.tanh < 2e-7);
    CHECK(e.sigmoid < 2e-7);
    CHECK(e.relative_tanh < 1e-6);
    CHECK(e.largest <= 1);
}

TEST_CASE("cuda activations: approximate has the error of the device's instruction, and no more") {
    errors const e = errors_over_floats<device_approximate>();
    CHECK(e.relative_tanh < 0x1.1p-11);
    CHECK(e.relative_tanh > 0x1p-12);  // the emulation is not kinder than the device
    CHECK(e.sigmoid < 0x1.1p-12);
    CHECK(e.largest <= 1);
}

TEST_CASE("cuda activations: each format has the policy that its products deserve") {
    CHECK(std::is_same_v<activations<precision::f32>, precise>);
    CHECK(std::is_same_v<activations<precision::f32x3>, device_fast>);
    CHECK(std::is_same_v<activations<precision::tf32>, device_fast>);
    CHECK(std::is_same_v<activations<precision::bf16>, device_approximate>);
    CHECK(std::is_same_v<activations<precision::f16>, device_approximate>);
}
