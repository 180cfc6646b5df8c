#include "sequent/backend/cuda/device_buffer.hpp"

#include "catch.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

namespace {
std::vector<float> numbers_in(device_buffer<emulated_machine, float> const& buffer) {
    std::vector<float> numbers(buffer.size());
    copy_to_host(emulated{}, buffer.data(), numbers.size(), numbers.data());
    return numbers;
}
}  // namespace

TEST_CASE("device_buffer: grows, keeps and copies") {
    device_buffer<emulated_machine, float> buffer;
    CHECK(buffer.data() == nullptr);
    buffer.resize(2, 5.0f);
    buffer.resize(4, 6.0f);
    CHECK(numbers_in(buffer) == std::vector<float>{5, 5, 6, 6});
    float* const before = buffer.data();
    CHECK(buffer.reserve(3) == before);  // room enough
    auto copy = buffer;
    CHECK(numbers_in(copy) == std::vector<float>{5, 5, 6});
    CHECK(copy.data() != buffer.data());
    auto const moved = std::move(copy);
    CHECK(copy.data() == nullptr);
    CHECK(copy.size() == 0);
    buffer.resize(1, 0.0f);
    CHECK(numbers_in(buffer) == std::vector<float>{5});
    buffer = moved;
    CHECK(numbers_in(buffer) == std::vector<float>{5, 5, 6});
    auto again = buffer;
    float* const kept = again.data();
    CHECK(again.reserve(3) == kept);  // a copy has room for as much
    buffer.reserve(4, 100);
    CHECK(buffer.size() == 4);
    float* const roomy = buffer.data();
    CHECK(buffer.reserve(100) == roomy);
}

TEST_CASE("round_up: few numbers, none far above") {
    CHECK(round_up(0) == 0);
    int numbers = 0, last = -1;
    for (int n = 0; n <= 4096; ++n) {
        int const round = round_up(n), fine = round_up(n, 8);
        CHECK((n <= fine && fine <= round && 4 * round <= 5 * n && 8 * fine <= 9 * n));
        if (round != last) ++numbers, last = round;
    }
    CHECK(numbers == 45);
}

TEST_CASE("device_buffer: behind a matrix there is room for a round number of rows") {
    emulated_machine machine;
    for (int const rows : {9, 33, 1025}) {
        device_buffer<emulated_machine, float> buffer;
        matrix_view<float> const all = reserve_rows(buffer, rows, 3);
        int const round = round_up(rows);
        machine.each(round, 3, detail::repeat_row<float>{nullptr, {all.data, round, 3}});
        float last = 1;
        machine.to_host(all.row(round) - 1, sizeof last, &last);
        CHECK(last == 0);
    }
}
