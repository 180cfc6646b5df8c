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
    buffer.reserve(4, 100);
    CHECK(buffer.size() == 4);
    float* const roomy = buffer.data();
    CHECK(buffer.reserve(100) == roomy);
}
