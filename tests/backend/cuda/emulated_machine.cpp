#include "sequent/backend/cuda/emulated_machine.hpp"

#include <sys/wait.h>

#include <csignal>

#include "catch.hpp"
#include "on_device.hpp"

using namespace sequent_tests;

namespace {

// Whether f, run in a process of its own, ends it by a signal.
template <class F>
bool dies(F const& f) {
    pid_t const child = fork();
    if (child == 0) {
        for (int const signal : {SIGSEGV, SIGBUS}) std::signal(signal, SIG_DFL);
        f();
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

struct write_at {
    float* to;
    void operator()(std::ptrdiff_t j) const { to[j] = 1; }
};
struct note_order {
    static constexpr bool reaches_host = true;
    std::vector<std::ptrdiff_t>* order;
    void operator()(std::ptrdiff_t j) const { order->push_back(j); }
    void operator()(int r, int c) const { order->push_back(r * 300 + c); }
};

}  // namespace

TEST_CASE("emulated_machine: host code cannot reach device memory, nor functions what lies behind it") {
    emulated_machine machine;
    float* const memory = static_cast<float*>(emulated_machine::allocate(64 * sizeof(float)));
    emulated_machine::close();
    CHECK(dies([&] { *static_cast<float volatile*>(memory) = 1; }));
    CHECK(dies([&] { (void)*static_cast<float volatile const*>(memory); }));
    CHECK(dies([&] { machine.each(65, write_at{memory}); }));
    CHECK_FALSE(dies([&] { machine.each(64, write_at{memory}); }));
    float first = 0;
    machine.to_host(memory, sizeof(float), &first);
    CHECK(std::isnan(first));  // nobody has written it
    emulated_machine::release(memory);
}

TEST_CASE("emulated_machine: memory of the host is refused where the device's is expected") {
    emulated_machine machine;
    on_device<emulated, float> here;
    std::string const why = "sequent::emulated_machine: memory of the host where memory of the device is expected";
    std::vector<float> host(4), other(4);
    float* const there = here.put(host);
    auto const multiply = [&](float const* a, float const* b, float* c) {
        machine.multiply(precision::f32, factor::plain, matrix_view<float const>(a, 2, 2), factor::plain,
                         matrix_view<float const>(b, 2, 2), matrix_view<float>(c, 2, 2), false);
    };
    CHECK_THROWS_WITH(multiply(host.data(), there, there), why);
    CHECK_THROWS_WITH(multiply(there, host.data(), there), why);
    CHECK_THROWS_WITH(multiply(there, there, host.data()), why);
    CHECK_THROWS_WITH(machine.to_host(host.data(), 4, other.data()), why);
    CHECK_THROWS_WITH(machine.from_host(host.data(), 4, other.data()), why);
    CHECK_THROWS_WITH(emulated_machine::copy(there, 4, host.data()), why);
    CHECK_THROWS_WITH(emulated_machine::set(host.data(), 1, 0.0f), why);
    CHECK_NOTHROW(machine.each(4, write_at{there}));
    if (!emulated_machine::finds_addresses) return;
    if (reinterpret_cast<std::uintptr_t>(host.data()) >> 45 != 0)  // not in a program of fixed addresses
        CHECK_THROWS_WITH(machine.each(4, write_at{host.data()}), why);
    float on_stack;
    CHECK_THROWS_WITH(machine.each(1, write_at{&on_stack}), why);
}

TEST_CASE("emulated_machine: each runs a function once for every argument, in changing order") {
    emulated_machine machine;
    std::vector<std::vector<std::ptrdiff_t>> orders;
    for (std::ptrdiff_t const n : {0, 1, 2, 9, 10, 10, 97}) {
        std::vector<std::ptrdiff_t> order;
        machine.each(n, note_order{&order});
        auto sorted = order;
        std::sort(sorted.begin(), sorted.end());
        std::vector<std::ptrdiff_t> all(static_cast<std::size_t>(n));
        std::iota(all.begin(), all.end(), 0);
        CHECK(sorted == all);
        orders.push_back(order);
    }
    std::vector<std::ptrdiff_t> order;
    machine.each(70, 300, note_order{&order});
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (std::size_t j = 0; j < order.size(); ++j) REQUIRE(order[j] == static_cast<std::ptrdiff_t>(j));
    CHECK(order.size() == 70 * 300);
    CHECK(orders[4] != orders[5]);
    CHECK_FALSE(std::is_sorted(orders[6].begin(), orders[6].end()));
}

TEST_CASE("emulated_machine: products in every format; factors that do not fit are an error") {
    emulated_machine machine;
    on_device<emulated, float> here;
    matrix_view<float> const a(here.put(std::vector<float>{1, 2, 3, 4, 5, 6}), 2, 3),
        b(here.put(std::vector<float>{1, 0, 2, 0, 1, 1.001f}), 2, 3),
        c(here.put(std::vector<float>{10, 10, 10, 10}), 2, 2);
    auto const product = [&](precision format) {
        machine.multiply(format, factor::plain, matrix_view<float const>(a), factor::transposed,
                         matrix_view<float const>(b), c, false);
        return here.get(c.data, 4);
    };
    CHECK(product(precision::f32x3) == std::vector<float>{7, 2 + 3 * 1.001f, 16, 5 + 6 * 1.001f});
    CHECK(product(precision::bf16) == std::vector<float>{7, 5, 16, 11});  // 1.001 is 1 in 8 bits
    device_buffer<emulated_machine, bf16_number> halves;  // which are multiplied as they are, and summed in float
    bf16_number const numbers[] = {{bf16_bits(1 + 0x1p-7f)}, {bf16_bits(3)}};
    machine.from_host(numbers, sizeof numbers, halves.reserve(2));
    matrix_view<bf16_number const> const half(halves.data(), 1, 2);
    machine.multiply(precision::f32x3, factor::plain, half, factor::transposed, half, matrix_view<float>(c.data, 1, 1),
                     false);
    CHECK(here.get(c.data, 1)[0] == 10 + 0x1p-6f + 0x1p-14f);
    machine.multiply(precision::f32, factor::transposed, matrix_view<float const>(a), factor::plain,
                     matrix_view<float const>(a), matrix_view<float>(here.put(std::vector<float>(9, 1)), 3, 3), true);
    CHECK_THROWS_WITH(machine.multiply(precision::f32, factor::plain, matrix_view<float const>(a), factor::plain,
                                       matrix_view<float const>(b), c, true),
                      "sequent::emulated_machine: [2, 3] times [2, 3] is not [2, 2]");
}
