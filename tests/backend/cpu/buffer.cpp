#include "sequent/backend/cpu/buffer.hpp"

#include <cstdint>
#include <numeric>

#include "catch.hpp"

using namespace sequent;

namespace {
cpu_buffer<int> counted(std::size_t n) {
    cpu_buffer<int> buffer;
    int* const first = buffer.reserve(n);
    std::iota(first, first + n, 0);
    return buffer;
}
bool is_counted(cpu_buffer<int> const& buffer, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j)
        if (buffer[j] != static_cast<int>(j)) return false;
    return buffer.size() >= n;
}
}  // namespace

TEST_CASE("cpu_buffer: reserve grows, never shrinks, and aligns to 64 bytes") {
    cpu_buffer<float> buffer;
    CHECK(buffer.size() == 0);
    CHECK(buffer.data() == nullptr);
    float const* const memory = buffer.reserve(100);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % 64 == 0);
    CHECK(buffer.size() == 100);
    CHECK(buffer.reserve(3) == memory);
    CHECK(buffer.size() == 3);
    CHECK(buffer.reserve(100) == memory);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.reserve(101)) % 64 == 0);
    CHECK(buffer.reserve(0) == buffer.data());
    CHECK(buffer.size() == 0);

    float const* const roomy = buffer.reserve(200, 1000);  // as many now, more to come
    CHECK(buffer.size() == 200);
    CHECK(buffer.reserve(1000) == roomy);
}

TEST_CASE("cpu_buffer: resize keeps what was there and sets the rest") {
    cpu_buffer<int> buffer = counted(5);
    buffer.resize(8, 7);
    CHECK(is_counted(buffer, 5));
    CHECK(buffer[5] + buffer[6] + buffer[7] == 21);
    buffer.resize(2, 9);
    CHECK(buffer.size() == 2);
    buffer.resize(4, 9);  // the former contents are gone
    CHECK(buffer[1] == 1);
    CHECK(buffer[2] + buffer[3] == 18);

    cpu_buffer<int> growing;
    for (int n = 1; n <= 1000; ++n) growing.resize(static_cast<std::size_t>(n), n - 1);
    CHECK(is_counted(growing, 1000));
}

TEST_CASE("cpu_buffer: copies are deep, moves leave an empty one") {
    cpu_buffer<int> first = counted(10);
    cpu_buffer<int> copy = first;
    first[3] = 99;
    CHECK(is_counted(copy, 10));
    CHECK(copy.data() != first.data());

    cpu_buffer<int> assigned = counted(200);
    assigned = copy;
    CHECK(assigned.size() == 10);
    CHECK(is_counted(assigned, 10));
    cpu_buffer<int> const& itself = assigned;
    assigned = itself;
    CHECK(is_counted(assigned, 10));

    int const* const memory = copy.data();
    cpu_buffer<int> const moved = std::move(copy);
    CHECK(moved.data() == memory);
    CHECK(copy.size() == 0);  // NOLINT(bugprone-use-after-move)
    CHECK(is_counted(moved, 10));
    copy.reserve(4);
    CHECK(copy.size() == 4);

    cpu_buffer<int> const nothing{cpu_buffer<int>{}};
    CHECK(nothing.size() == 0);
}
