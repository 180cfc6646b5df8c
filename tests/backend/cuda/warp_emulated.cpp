#include "sequent/backend/cuda/warp_emulated.hpp"

#include <array>

#include "catch.hpp"

using namespace sequent;
using Catch::Matchers::Contains;

namespace {

// A body of two warps whose step does what a test asks for.
template <class Step>
struct body {
    static constexpr int warps = 2, shared_bytes = 1024;
    [[nodiscard]] int steps() const { return 2; }
    void start(emulated_warp& warp, Step const&) {
        warp.lanes([&](int lane) { warp.store(lane, (warp.index() * 32 + lane) * 4, 1.0f); });
    }
    void step(emulated_warp& warp, Step const& step, int n) { step(warp, n); }
    void finish(emulated_warp&, Step const&) {}
};

template <class Step>
void run(Step const& step) {
    emulate<body<Step>>(1, 1, step, 3);
}

}  // namespace

TEST_CASE("emulated warp: a barrier lets another warp's numbers be read") {
    float sum = 0;
    run([&](emulated_warp& warp, int step) {
        if (step != 0) return;
        warp.lanes([&](int lane) { sum += warp.load<float>(lane, ((1 - warp.index()) * 32 + lane) * 4); });
    });
    CHECK(sum == 64);
}

TEST_CASE("emulated warp: races between barriers are errors, whoever comes first") {
    auto const neighbour = [](emulated_warp& warp, int step) {
        if (step != 0) return;
        warp.lanes([&](int lane) {
            warp.store(lane, (warp.index() * 32 + lane) * 4, 2.0f);
            (void)warp.load<float>(lane, ((1 - warp.index()) * 32 + lane) * 4);
        });
    };
    CHECK_THROWS_WITH(run(neighbour), Contains("reads what another writes") || Contains("writes what another touches"));
    auto const both_write = [](emulated_warp& warp, int) {
        warp.lanes([&](int lane) { warp.store(lane, lane * 4, static_cast<float>(lane)); });
    };
    CHECK_THROWS_WITH(run(both_write), Contains("writes what another touches"));
}

TEST_CASE("emulated warp: memory that nobody has written, lies beyond the block or is misaligned is an error") {
    auto const load = [](int at) { return [at](emulated_warp& warp, int) { (void)warp.load<float>(0, at); }; };
    CHECK_THROWS_WITH(run(load(512)), Contains("reads what nobody has written"));
    CHECK_THROWS_WITH(run(load(1024)), Contains("beyond"));
    CHECK_THROWS_WITH(run(load(2)), Contains("misaligned"));
    auto const matrix = [](emulated_warp& warp, int) {
        emulated_warp::reg<std::uint32_t, 4> to;
        warp.ldmatrix4(to, [](int lane) { return lane * 4; });
    };
    CHECK_THROWS_WITH(run(matrix), Contains("not a multiple of 16"));
}

TEST_CASE("emulated warp: registers start as NaN") {
    emulated_warp::reg<float, 2> r;
    for (int lane = 0; lane < 32; ++lane) CHECK(std::isnan(r(lane, 1)));
}

TEST_CASE("emulated warp: mma multiplies matrices in the layout of the PTX ISA") {
    // a[i][k] = 16 i + k and the unit matrix's column k0 in b: the product is column k0 of a.
    for (int const chosen : {0, 1, 6, 9, 15}) {
        emulated_warp::reg<std::uint32_t, 4> a;
        emulated_warp::reg<std::uint32_t, 2> b;
        emulated_warp::reg<float, 4> sum;
        auto const element = [](int row, int k) { return static_cast<float>(16 * row + k); };
        auto const unit = [&](int k, int column) { return k == chosen && column == 3 ? 1.0f : 0.0f; };
        for (int lane = 0; lane < 32; ++lane) {
            int const row = lane / 4, k = lane % 4 * 2;
            a(lane, 0) = emulated_warp::pack_bf16(element(row, k), element(row, k + 1));
            a(lane, 1) = emulated_warp::pack_bf16(element(row + 8, k), element(row + 8, k + 1));
            a(lane, 2) = emulated_warp::pack_bf16(element(row, k + 8), element(row, k + 9));
            a(lane, 3) = emulated_warp::pack_bf16(element(row + 8, k + 8), element(row + 8, k + 9));
            b(lane, 0) = emulated_warp::pack_bf16(unit(k, row), unit(k + 1, row));
            b(lane, 1) = emulated_warp::pack_bf16(unit(k + 8, row), unit(k + 9, row));
            for (int n = 0; n < 4; ++n) sum(lane, n) = 0.5f;
        }
        emulated_warp::mma<precision::bf16>(sum, a, b);
        for (int lane = 0; lane < 32; ++lane)
            for (int n = 0; n < 4; ++n) {
                int const row = lane / 4 + n / 2 * 8, column = lane % 4 * 2 + n % 2;
                REQUIRE(sum(lane, n) == 0.5f + (column == 3 ? element(row, chosen) : 0));
            }
    }
}

TEST_CASE("emulated warp: shuffles exchange lanes") {
    emulated_warp::reg<float, 1> r;
    for (int lane = 0; lane < 32; ++lane) r(lane, 0) = static_cast<float>(lane);
    emulated_warp::shfl_xor(r, 5);
    for (int lane = 0; lane < 32; ++lane) CHECK(r(lane, 0) == static_cast<float>(lane ^ 5));
}

TEST_CASE("emulated warp: every block of the grid runs once, in an order that the seed decides") {
    auto const order_of = [](std::uint64_t seed) {
        std::vector<int> order;
        auto const note = [&](emulated_warp& warp, int step) {
            if (step == 0 && warp.index() == 0) order.push_back(warp.block_y() * 3 + warp.block_x());
        };
        emulate<body<decltype(note)>>(3, 2, note, seed);
        return order;
    };
    std::vector<std::vector<int>> orders;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        orders.push_back(order_of(seed));
        std::vector<int> sorted = orders.back();
        std::sort(sorted.begin(), sorted.end());
        CHECK(sorted == std::vector<int>{0, 1, 2, 3, 4, 5});
    }
    CHECK(orders[0] == order_of(0));
    CHECK((orders[1] != orders[0] || orders[2] != orders[0] || orders[3] != orders[0]));
}
