#include "sequent/backend/cuda/stationary_product.hpp"

#include <cmath>
#include <vector>

#include "catch.hpp"

using namespace sequent;

namespace {

// One warp multiplies an operand [Rows, Depth] by its weights [Depth, 8 Tiles], and adds what stood there.
template <precision Format, int Tiles, int Depth, int Rows, int Chains, int Registers>
struct product_body {
    using product = stationary_product<emulated_warp, Format, Tiles, Depth, Rows, Chains, Registers>;
    static_assert(product::weight_registers <= Registers);
    static constexpr int warps = 1, shared_bytes = product::operand_bytes + product::weight_bytes;
    struct result {
        std::vector<double>* values;  // [Rows, 8 Tiles]
    };
    static float weight(int column, int k) { return std::sin(static_cast<float>(1 + 3 * column + 7 * k)); }
    static float operand(int row, int k) { return std::cos(static_cast<float>(2 + 5 * row + 11 * k)); }

    [[nodiscard]] int steps() const { return 1; }
    void start(emulated_warp& warp, result const&) {
        product_.load(warp, product::operand_bytes, [](int tile, int n, int k) { return weight(8 * tile + n, k); });
        warp.lanes([&](int lane) {
            for (int n = lane; n < Rows * Depth / 2; n += 32) {
                int const row = 2 * n / Depth, k = 2 * n % Depth;
                product::put(warp, lane, 0, row, k, {operand(row, k), operand(row, k + 1)});
            }
        });
    }
    void step(emulated_warp& warp, result const& out, int) {
        typename product::sums sums;
        warp.lanes([&](int lane) {
            for (int n = 0; n < Tiles * product::slots * 2; ++n) sums(lane, n) = 0.25f;
        });
        product_.multiply(warp, 0, product::operand_bytes, sums);
        warp.lanes([&](int lane) {
            for (int tile = 0; tile < Tiles; ++tile)
                for (int slot = 0; slot < product::slots; ++slot)
                    for (int n = 0; n < 2; ++n) {
                        int const row = slot * 8 + lane / 4, column = tile * 8 + 2 * (lane % 4) + n;
                        (*out.values)[static_cast<std::size_t>(row * 8 * Tiles + column)] =
                            static_cast<double>(sums(lane, (tile * product::slots + slot) * 2 + n));
                    }
        });
    }
    void finish(emulated_warp&, result const&) {}

    product product_;
};

template <precision Format, int Tiles, int Depth, int Rows, int Chains, int Registers = 255>
void check() {
    using body = product_body<Format, Tiles, Depth, Rows, Chains, Registers>;
    std::vector<double> values(static_cast<std::size_t>(Rows * 8 * Tiles), std::nan(""));
    emulate<body>(1, 1, typename body::result{&values}, 1);
    INFO(name(Format) << " [" << Rows << ", " << Depth << "] [" << Depth << ", " << 8 * Tiles << "]");
    for (int row = 0; row < Rows; ++row)
        for (int column = 0; column < 8 * Tiles; ++column) {
            double sum = 0.25, size = 1;
            for (int k = 0; k < Depth; ++k) {
                double const left = static_cast<double>(rounded(Format, body::operand(row, k)));
                double const right = static_cast<double>(rounded(Format, body::weight(column, k)));
                sum += left * right, size += std::abs(left * right);
            }
            // f32x3 leaves out the product of both low parts.
            double const error = Format == precision::f32x3 ? 0x1p-15 : 1e-6;
            REQUIRE(values[static_cast<std::size_t>(row * 8 * Tiles + column)] == Approx(sum).margin(error * size));
        }
}

}  // namespace

TEST_CASE("stationary product: equals the product of the rounded factors in every format") {
    check<precision::f32, 3, 32, 8, 2>();
    check<precision::f32, 1, 16, 16, 1>();
    check<precision::f32x3, 3, 32, 8, 2>();
    check<precision::f32x3, 1, 48, 8, 4>();
    check<precision::tf32, 4, 32, 8, 2>();
    check<precision::tf32, 1, 16, 16, 4>();
    check<precision::bf16, 4, 64, 8, 2>();
    check<precision::bf16, 2, 16, 16, 1>();
    check<precision::f16, 4, 32, 16, 2>();
}

TEST_CASE("stationary product: the same, where registers hold few of the weights or none") {
    check<precision::f32x3, 3, 32, 8, 2, 12>();  // all high parts of a weight, no low ones
    check<precision::f32x3, 1, 48, 8, 1, 9>();   // one low part of three
    check<precision::bf16, 4, 64, 8, 2, 17>();
    check<precision::tf32, 4, 32, 8, 2, 7>();
    check<precision::f32, 3, 32, 8, 2, 0>();
}
