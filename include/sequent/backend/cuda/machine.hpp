// What the policy `cuda` stands on: a machine that owns device memory and runs functions there. `gpu` (gpu.cuh) is a
// CUDA stream; `emulated_machine` runs the same operations on the host, for tests.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "../../core/matrix.hpp"
#include "precision.hpp"

namespace sequent {

inline constexpr std::size_t answer_bytes = 32;

// How a factor of a product is read.
enum class factor { plain, transposed };

// What it costs to split a product's factors, in multiplications: so many for each of their numbers and for each
// product.
struct split_cost {
    std::int64_t number = 128, product = std::int64_t{1} << 26;
};

// A machine M has these members. All but the first three lines belong to one stream: they are done in the order of the
// calls, and only to_host waits, and whoever reads an answer. Functions are objects with a const operator() that is
// also device code; they run for all of their arguments in any order and at once.
//
//   M::allocate(bytes) -> void*, M::release(pointer)     memory of the device, aligned to 256 bytes
//   M::spare(pointer, bytes)        new memory that products may read, though nothing comes of it: to be made harmless
//   M::copy(from, bytes, to), M::set(pointer, n, value)  on the device, after all work so far, before all later work
//   m.to_host(from, bytes, to), m.from_host(from, bytes, to)       bytes: a multiple of 4
//   m.upload(span) -> pointer       numbers of the host where functions can read them, until the next 16 uploads
//   m.ask() -> std::shared_ptr<M::answer>      room for a few numbers that the host may want to read
//     answer->on_device() -> pointer           to answer_bytes bytes, for functions that write them
//     m.send(*answer)                          their way to the host; once
//     answer->on_host() -> pointer             waits until they are there; makes what is noted before
//   m.room<T>(n) -> pointer         for n numbers, until the next call of room
//   m.each(n, f)                    f(j), 0 <= j < n
//   m.each(rows, columns, f)        f(row, column); neighbouring columns run side by side
//   m.multiply(format, fa, a, fb, b, c, accumulate)      c = a b, or c += a b; row-major; a and b: numbers of c's type,
//                                   or bf16_number where c is float, whose products are exact and whose sums are float
//   m.is_fast_in_bf16() -> bool     whether that is so much faster that a large product is split (split_product.hpp)
//   m.cost_of_split                 from which size on
//   m.split_room(n) -> bf16_number*        for n numbers of the factors, always the same n and place
//   m.together(f)                   f(), whose calls may be made later, as one: see launch_list.hpp
//   m.is_noting()                   whether they may
//   m.run_blocks<Body>(x, y, arguments)                  a kernel of tile.hpp, on x times y blocks
//   m.run_clusters<Body>(x, y, arguments)                the same on x times y clusters of Body::blocks blocks
//   m.can_run_clusters<Body>() -> bool                   whether it can
template <class M>
concept machine = requires(M& m, void* memory, std::span<int const> numbers) {
    { M::allocate(std::size_t{1}) } -> std::same_as<void*>;
    M::release(memory);
    M::spare(memory, std::size_t{1});
    M::copy(static_cast<void const*>(memory), std::size_t{1}, memory);
    m.to_host(static_cast<void const*>(memory), std::size_t{1}, memory);
    m.from_host(static_cast<void const*>(memory), std::size_t{1}, memory);
    { m.upload(numbers) } -> std::same_as<int const*>;
    { m.template room<float>(std::size_t{1}) } -> std::same_as<float*>;
    { m.ask()->on_device() } -> std::same_as<void*>;
    m.send(*m.ask());
    { m.ask()->on_host() } -> std::same_as<void const*>;
    { m.is_fast_in_bf16() } -> std::same_as<bool>;
    { m.cost_of_split } -> std::convertible_to<split_cost>;
    { m.split_room(std::size_t{1}) } -> std::same_as<bf16_number*>;
};

// A policy whose operations run on a machine.
template <class Device>
concept on_machine = machine<typename Device::machine_type> && requires(Device& device) {
    { *device.machine } -> std::same_as<typename Device::machine_type&>;
    { Device::format } -> std::convertible_to<precision>;
};

}  // namespace sequent
