// What instructions do: to one thread, or to the 32 of a warp. Sources: the PTX ISA's description of each.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "sequent/backend/cuda/precision.hpp"
#include "thread.hpp"

namespace simulated_gpu::actions {

template <class T>
constexpr bool is_float = std::is_floating_point_v<T>;

// Where a byte of a block's shared memory is.
inline std::byte* shared_place(block& of, std::uint64_t address, std::size_t bytes) {
    if (address + bytes > of.shared.size())
        fail("shared memory of " + std::to_string(of.shared.size()) + " bytes has no byte " +
             std::to_string(address + bytes - 1));
    if (address % bytes != 0) fail("a misaligned address of shared memory: " + std::to_string(address));
    return of.shared.data() + address;
}
inline barrier_object& barrier_at(block& of, std::uint64_t address) {
    auto const found = of.barriers.find(address);
    if (found == of.barriers.end()) fail("no mbarrier was made at this address");
    return found->second;
}

enum class space { global, shared, parameter, local };
// `count` numbers of `bytes` each, at once.
inline std::byte* place_of(thread& t, space where, std::uint64_t address, std::size_t bytes) {
    auto const inside = [&](std::vector<std::byte>& room) {
        return address >= reinterpret_cast<std::uintptr_t>(room.data()) &&
               address + bytes <= reinterpret_cast<std::uintptr_t>(room.data()) + room.size();
    };
    std::byte* const here = reinterpret_cast<std::byte*>(address);
    switch (where) {
    case space::shared:
        return shared_place(*t.home, address, bytes);
    case space::parameter:
        return here;
    case space::local:
    case space::global:
        break;
    }
    if (address % bytes != 0) fail("a misaligned address: " + std::to_string(address));
    if (inside(t.now().locals) || (t.frames.size() > 1 && inside(t.frames[0].locals))) return here;
    if (where == space::local) fail("beyond the thread's local memory");
    if (!t.home->home->memory->contains(here, bytes))
        fail("memory that is not the device's: " + std::to_string(address));
    return here;
}

// ---------------------------------------------------------------------------------------------------- single threads

template <class T, class F>
after unary(thread& t, instruction const& i) {
    t.set<T>(i.o[0], F{}(t.get<T>(i.o[1])));
    return after::next;
}
template <class T, class F>
after binary(thread& t, instruction const& i) {
    t.set<T>(i.o[0], F{}(t.get<T>(i.o[1]), t.get<T>(i.o[2])));
    return after::next;
}
template <class T, class F>
after ternary(thread& t, instruction const& i) {
    t.set<T>(i.o[0], F{}(t.get<T>(i.o[1]), t.get<T>(i.o[2]), t.get<T>(i.o[3])));
    return after::next;
}
template <class T>
using wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
template <class T>
using twice =
    std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>, wide<T>>;
template <class T>
after multiply_wide(thread& t, instruction const& i) {
    t.set<twice<T>>(i.o[0], static_cast<twice<T>>(twice<T>{t.get<T>(i.o[1])} * twice<T>{t.get<T>(i.o[2])}));
    return after::next;
}
struct add {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (is_float<T>)
            return a + b;
        else
            return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    }
};
struct subtract {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (is_float<T>)
            return a - b;
        else
            return static_cast<T>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
    }
};
struct multiply {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (is_float<T>)
            return a * b;
        else
            return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    }
};
struct multiply_high {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(wide<T>{a} * wide<T>{b} >> 8 * sizeof(T));
    }
};
struct divide {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (!is_float<T>)
            if (b == 0) fail("division by zero");
        return static_cast<T>(a / b);
    }
};
struct remainder {
    template <class T>
    T operator()(T a, T b) const {
        if (b == 0) fail("division by zero");
        return static_cast<T>(a % b);
    }
};
struct smaller {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (is_float<T>)
            return std::fmin(a, b);
        else
            return a < b ? a : b;
    }
};
struct larger {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (is_float<T>)
            return std::fmax(a, b);
        else
            return a > b ? a : b;
    }
};
struct multiply_add {
    template <class T>
    T operator()(T a, T b, T c) const {
        if constexpr (is_float<T>)
            return std::fma(a, b, c);
        else
            return add{}(multiply{}(a, b), c);
    }
};
// Rounded towards minus infinity: whole numbers, as the kernels' exponentials need it.
struct multiply_add_down {
    template <class T>
    T operator()(T a, T b, T c) const {
        if constexpr (sizeof(T) == 4) {
            double const exact = static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c);
            T const near = static_cast<T>(exact);
            return static_cast<double>(near) > exact ? std::nextafter(near, -HUGE_VALF) : near;
        } else {
            return std::fma(a, b, c);
        }
    }
};
struct bit_and {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a & b);
    }
};
struct bit_or {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a | b);
    }
};
struct bit_xor {
    template <class T>
    T operator()(T a, T b) const {
        return static_cast<T>(a ^ b);
    }
};
struct bit_not {
    template <class T>
    T operator()(T a) const {
        return static_cast<T>(~a);
    }
};
struct negate {
    template <class T>
    T operator()(T a) const {
        if constexpr (is_float<T>)
            return -a;
        else
            return static_cast<T>(0 - static_cast<std::uint64_t>(a));
    }
};
struct absolute {
    template <class T>
    T operator()(T a) const {
        if constexpr (is_float<T>)
            return std::fabs(a);
        else
            return a < 0 ? negate{}(a) : a;
    }
};
struct square_root {
    template <class T>
    T operator()(T a) const {
        return std::sqrt(a);
    }
};
struct reciprocal {
    template <class T>
    T operator()(T a) const {
        return T(1) / a;
    }
};
// Only the upper half of a double, as the instruction gives it.
struct reciprocal_of_high_half {
    double operator()(double a) const {
        return std::bit_cast<double>(std::bit_cast<std::uint64_t>(1 / a) & ~std::uint64_t{0xFFFFFFFF});
    }
};
struct exponential {
    float operator()(float a) const { return std::exp2(a); }
};
struct logarithm {
    float operator()(float a) const { return std::log2(a); }
};
struct hyperbolic_tangent {  // with the relative error that PTX allows
    float operator()(float a) const { return std::tanh(a) * (1 + 0x1p-11f); }
};
struct copy_sign {
    template <class T>
    T operator()(T sign, T value) const {
        return std::copysign(value, sign);
    }
};

template <class T>
after shift_left(thread& t, instruction const& i) {
    std::uint32_t const by = t.get<std::uint32_t>(i.o[2]);
    t.set<T>(i.o[0], by >= 8 * sizeof(T) ? T(0) : static_cast<T>(t.get<T>(i.o[1]) << by));
    return after::next;
}
template <class T>
after shift_right(thread& t, instruction const& i) {
    std::uint32_t const by = std::min(t.get<std::uint32_t>(i.o[2]), std::uint32_t{8 * sizeof(T)});
    T const value = t.get<T>(i.o[1]);
    T const all_gone = std::is_signed_v<T> && value < 0 ? T(-1) : T(0);
    t.set<T>(i.o[0], by == 8 * sizeof(T) ? all_gone : static_cast<T>(value >> by));
    return after::next;
}
template <class T>
after multiply_add_wide(thread& t, instruction const& i) {
    t.set<twice<T>>(i.o[0], add{}(static_cast<twice<T>>(twice<T>{t.get<T>(i.o[1])} * twice<T>{t.get<T>(i.o[2])}),
                                  t.get<twice<T>>(i.o[3])));
    return after::next;
}
template <class T>
after move(thread& t, instruction const& i) {
    t.set<T>(i.o[0], t.get<T>(i.o[1]));
    return after::next;
}
template <class T>
after select(thread& t, instruction const& i) {
    t.set<T>(i.o[0], t.get<T>(i.o[t.r[i.o[3]] != 0 ? 1 : 2]));
    return after::next;
}

// {a, b} <-> one of twice the bytes
template <class Half, class Whole>
after join(thread& t, instruction const& i) {
    t.set<Whole>(i.o[0], static_cast<Whole>(Whole{t.get<Half>(i.o[1])} |
                                            static_cast<Whole>(Whole{t.get<Half>(i.o[2])} << 8 * sizeof(Half))));
    return after::next;
}
template <class Half, class Whole>
after part(thread& t, instruction const& i) {
    Whole const whole = t.get<Whole>(i.o[2]);
    t.set<Half>(i.o[0], static_cast<Half>(whole));
    t.set<Half>(i.o[1], static_cast<Half>(whole >> 8 * sizeof(Half)));
    return after::next;
}

enum class comparison { eq, ne, lt, le, gt, ge, ltu, leu, gtu, geu, equ, neu, num, nan };
template <class T, comparison C>
bool holds(T a, T b) {
    bool const unordered = a != a || b != b;
    switch (C) {
    case comparison::eq:
        return a == b;
    case comparison::ne:
        return !unordered && a != b;
    case comparison::lt:
        return a < b;
    case comparison::le:
        return a <= b;
    case comparison::gt:
        return a > b;
    case comparison::ge:
        return a >= b;
    case comparison::ltu:
        return unordered || a < b;
    case comparison::leu:
        return unordered || a <= b;
    case comparison::gtu:
        return unordered || a > b;
    case comparison::geu:
        return unordered || a >= b;
    case comparison::equ:
        return unordered || a == b;
    case comparison::neu:
        return unordered || a != b;
    case comparison::num:
        return !unordered;
    case comparison::nan:
        return unordered;
    }
    return false;
}
// number: 0, or the operator that joins a third operand: and, or, xor.
template <class T, comparison C>
after compare(thread& t, instruction const& i) {
    bool is = holds<T, C>(t.get<T>(i.o[1]), t.get<T>(i.o[2]));
    if (i.number != 0) {
        bool const other = (t.r[i.o[3]] != 0) != i.swapped;
        is = i.number == 1 ? is && other : i.number == 2 ? is || other : is != other;
    }
    t.set<std::uint8_t>(i.o[0], is);
    return after::next;
}

template <class To, class From>
after convert(thread& t, instruction const& i) {
    From const from = t.get<From>(i.o[1]);
    if constexpr (is_float<From> && !is_float<To>) {
        // to whole numbers: number is the rounding; what is beyond is clamped, NaN is 0
        From const whole = i.number == 'z'   ? std::trunc(from)
                           : i.number == 'm' ? std::floor(from)
                           : i.number == 'p' ? std::ceil(from)
                                             : std::nearbyint(from);
        To value = static_cast<To>(0);
        if (whole >= static_cast<From>(std::numeric_limits<To>::max()))
            value = std::numeric_limits<To>::max();
        else if (whole <= static_cast<From>(std::numeric_limits<To>::min()))
            value = std::numeric_limits<To>::min();
        else if (whole == whole)
            value = static_cast<To>(whole);
        t.set<To>(i.o[0], value);
    } else if constexpr (is_float<From> && is_float<To>) {
        To value = static_cast<To>(from);
        if (i.number == 'z') value = std::trunc(value);
        if (i.number == 'm') value = std::floor(value);
        if (i.number == 'p') value = std::ceil(value);
        if (i.number == 'i') value = std::nearbyint(value);
        if (i.swapped) value = value != value ? To(0) : std::clamp(value, To(0), To(1));  // .sat
        t.set<To>(i.o[0], value);
    } else {
        t.set<To>(i.o[0], static_cast<To>(from));
    }
    return after::next;
}
template <std::uint16_t (*Round)(float)>
after pack_two(thread& t, instruction const& i) {
    std::uint32_t const high = Round(t.get<float>(i.o[1])), low = Round(t.get<float>(i.o[2]));
    t.set<std::uint32_t>(i.o[0], high << 16 | low);
    return after::next;
}
inline after round_to_tf32(thread& t, instruction const& i) {
    t.set<std::uint32_t>(i.o[0], sequent::tf32_bits(t.get<float>(i.o[1])));
    return after::next;
}

// number: the offset; number2: how many numbers.
template <class T, space Where>
after load(thread& t, instruction const& i) {
    std::size_t const count = static_cast<std::size_t>(i.number2);
    std::uint64_t const base = Where == space::shared ? t.get<std::uint32_t>(i.o[8]) : t.r[i.o[8]];
    std::byte const* from = place_of(t, Where, base + static_cast<std::uint64_t>(i.number), count * sizeof(T));
    for (std::size_t n = 0; n < count; ++n) {
        T value;
        std::memcpy(&value, from + n * sizeof(T), sizeof(T));
        if constexpr (std::is_signed_v<T> && !is_float<T>)
            t.set<std::int64_t>(i.o[n], value);  // wider registers are told the sign
        else
            t.set<T>(i.o[n], value);
    }
    return after::next;
}
template <class T, space Where>
after store(thread& t, instruction const& i) {
    std::size_t const count = static_cast<std::size_t>(i.number2);
    std::uint64_t const base = Where == space::shared ? t.get<std::uint32_t>(i.o[8]) : t.r[i.o[8]];
    std::byte* to = place_of(t, Where, base + static_cast<std::uint64_t>(i.number), count * sizeof(T));
    for (std::size_t n = 0; n < count; ++n) {
        T const value = t.get<T>(i.o[n]);
        std::memcpy(to + n * sizeof(T), &value, sizeof(T));
    }
    return after::next;
}

inline after branch(thread& t, instruction const& i) {
    t.now().pc = static_cast<int>(i.number);
    return after::jump;
}
inline after leave(thread& t, instruction const&) {
    if (t.frames.size() == 1) return after::exit;
    frame const done = std::move(t.frames.back());
    t.frames.pop_back();
    frame& now = t.now();
    t.r = t.registers.data() + now.first_register;
    if (done.result_place >= 0) {
        auto const& result = done.of->text->results.at(0);
        std::memcpy(now.arguments.data() + done.result_place, done.parameters + result.offset,
                    static_cast<std::size_t>(result.bytes));
    }
    return after::jump;  // the call has moved on
}
inline after trap(thread&, instruction const&) { fail("trap"); }
inline after nothing(thread&, instruction const&) { return after::next; }
inline after meet_block(thread&, instruction const&) { return after::wait_for_block; }
inline after meet_warp(thread&, instruction const&) { return after::wait_for_warp; }
inline after arrive_at_cluster(thread& t, instruction const&) {
    if (t.has_arrived) fail("arrives twice at the cluster's barrier");
    t.has_arrived = true;
    return after::next;
}
inline after meet_cluster(thread& t, instruction const&) {
    if (!t.has_arrived) fail("waits at the cluster's barrier without having arrived");
    return after::wait_for_cluster;
}

inline after map_address(thread& t, instruction const& i) {
    std::uint64_t const rank = t.get<std::uint32_t>(i.o[2]), address = t.get<std::uint32_t>(i.o[1]);
    if (rank >= t.home->home->blocks.size()) fail("mapa: no block " + std::to_string(rank) + " in the cluster");
    if (address >= rank_unit) fail("mapa: the address is another block's");
    t.set<std::uint32_t>(i.o[0], static_cast<std::uint32_t>((rank + 1) * rank_unit + address));
    return after::next;
}
inline after make_barrier(thread& t, instruction const& i) {
    std::uint32_t const address = t.get<std::uint32_t>(i.o[8]);
    (void)shared_place(*t.home, address, 8);
    int const count = t.get<std::int32_t>(i.o[0]);
    t.home->barriers[address] = {count, count, 0, 0};
    return after::next;
}
inline after arrive(thread& t, instruction const& i) {
    auto& barrier = barrier_at(*t.home, t.get<std::uint32_t>(i.o[8]));
    if (barrier.pending == 0) fail("more arrivals at an mbarrier than it expects");
    if (i.number2 != 0) barrier.bytes += t.get<std::int32_t>(i.o[0]);
    --barrier.pending;
    barrier.settle();
    return after::next;
}
inline after try_wait(thread& t, instruction const& i) {
    auto const& barrier = barrier_at(*t.home, t.get<std::uint32_t>(i.o[8]));
    bool const passed = barrier.phase % 2 != t.get<std::uint32_t>(i.o[1]);
    t.set<std::uint8_t>(i.o[0], passed);
    return passed ? after::next : after::try_again;
}
// The lowest `count` bits of the first into the second, from bit `at` on.
inline after insert_bits(thread& t, instruction const& i) {
    std::uint32_t const from = t.get<std::uint32_t>(i.o[1]), into = t.get<std::uint32_t>(i.o[2]);
    std::uint32_t const at = t.get<std::uint32_t>(i.o[3]) & 255, count = t.get<std::uint32_t>(i.o[4]) & 255;
    std::uint64_t const ones = at > 31 ? 0 : ((std::uint64_t{1} << std::min(count, 32u)) - 1) << at;
    std::uint32_t const mask = static_cast<std::uint32_t>(ones);
    t.set(i.o[0], (into & ~mask) | (at > 31 ? 0 : (from << at) & mask));
    return after::next;
}
template <int Words>
after store_async(thread& t, instruction const& i) {
    std::uint64_t const to = t.get<std::uint32_t>(i.o[8]), barrier = t.get<std::uint32_t>(i.o[9]);
    if (to < rank_unit || to / rank_unit != barrier / rank_unit)
        fail("st.async: the place and the mbarrier must be of one block of the cluster");
    block& there = t.home->home->blocks[to / rank_unit - 1];
    sent_words made{&there,
                    shared_place(there, to % rank_unit + static_cast<std::uint64_t>(i.number), 4 * Words),
                    &barrier_at(there, barrier % rank_unit),
                    {},
                    4 * Words};
    for (std::size_t n = 0; n < Words; ++n) made.words[n] = t.get<std::uint32_t>(i.o[n]);
    t.home->home->sent.push_back(made);
    return after::next;
}
inline after call(thread& t, instruction const& i) {
    std::vector<std::byte> parameters(static_cast<std::size_t>(i.callee->text->parameter_bytes));
    for (std::size_t k = 0; k < i.copies.size(); ++k)
        std::memcpy(parameters.data() + i.callee->text->parameters[k].offset,
                    t.now().arguments.data() + i.copies[k].first, static_cast<std::size_t>(i.copies[k].second));
    ++t.now().pc;  // to come back to
    enter(t, *i.callee, parameters.data());
    t.now().own_parameters = std::move(parameters);
    t.now().result_place = static_cast<int>(i.number);
    return after::jump;
}

// ------------------------------------------------------------------------------------------------------ whole warps

inline void shuffle_xor(lanes const& warp, instruction const& i) {
    std::array<std::uint32_t, 32> before;
    for (std::size_t l = 0; l < 32; ++l) before[l] = warp[l]->get<std::uint32_t>(i.o[1]);
    for (std::size_t l = 0; l < 32; ++l) {
        thread& t = *warp[l];
        if (t.get<std::uint32_t>(i.o[4]) != 0xFFFFFFFF || t.get<std::uint32_t>(i.o[3]) != 31)
            fail("shfl.sync: not all lanes are meant");
        std::size_t const from = l ^ t.get<std::uint32_t>(i.o[2]);
        t.set<std::uint32_t>(i.o[0], before[from % 32]);
    }
}
template <int Matrices>
void load_matrices(lanes const& warp, instruction const& i) {
    for (std::size_t m = 0; m < Matrices; ++m)
        for (std::size_t row = 0; row < 8; ++row) {
            thread& points = *warp[8 * m + row];
            std::byte const* const from = shared_place(
                *points.home, points.get<std::uint32_t>(i.o[8]) + static_cast<std::uint64_t>(i.number), 16);
            for (std::size_t w = 0; w < 4; ++w) {
                std::uint32_t word;
                std::memcpy(&word, from + 4 * w, 4);
                warp[4 * row + w]->set<std::uint32_t>(i.o[m], word);
            }
        }
}
// D, A, B, C from o[0], o[4], o[8], o[10] on. Element i of a fragment and its place: PTX ISA, "Matrix Fragments for
// mma.m16n8k16 with floating point type" and ".m16n8k8".
enum class factor { bf16, f16, tf32 };
template <factor Type>
void multiply_matrices(lanes const& warp, instruction const& i) {
    constexpr bool words = Type == factor::tf32;
    constexpr std::size_t depth = words ? 8 : 16;
    float a[16][depth], b[depth][8];
    auto const number = [](thread const& t, int reg, std::size_t half) {
        std::uint32_t const bits = t.get<std::uint32_t>(reg);
        if constexpr (words) return std::bit_cast<float>(bits & ~std::uint32_t{0x1FFF});
        std::uint16_t const one = static_cast<std::uint16_t>(bits >> 16 * half);
        return Type == factor::bf16 ? sequent::from_bf16(one) : sequent::from_f16(one);
    };
    for (std::size_t l = 0; l < 32; ++l) {
        std::size_t const group = l >> 2, in_group = l % 4;
        if constexpr (words) {
            for (std::size_t e = 0; e < 4; ++e)
                a[e == 0 || e == 2 ? group : group + 8][e < 2 ? in_group : in_group + 4] =
                    number(*warp[l], i.o[4 + e], 0);
            for (std::size_t e = 0; e < 2; ++e)
                b[e == 0 ? in_group : in_group + 4][group] = number(*warp[l], i.o[8 + e], 0);
        } else {
            for (std::size_t e = 0; e < 8; ++e) {
                std::size_t const row = e < 2 || (e >= 4 && e < 6) ? group : group + 8;
                std::size_t const column = in_group * 2 + (e & 1) + (e < 4 ? 0 : 8);
                a[row][column] = number(*warp[l], i.o[4 + e / 2], e % 2);
            }
            for (std::size_t e = 0; e < 4; ++e)
                b[in_group * 2 + (e & 1) + (e < 2 ? 0 : 8)][group] = number(*warp[l], i.o[8 + e / 2], e % 2);
        }
    }
    for (std::size_t l = 0; l < 32; ++l)
        for (std::size_t e = 0; e < 4; ++e) {
            std::size_t const row = e < 2 ? l >> 2 : (l >> 2) + 8, column = l % 4 * 2 + (e & 1);
            float sum = warp[l]->get<float>(i.o[10 + e]);
            for (std::size_t k = 0; k < depth; ++k) sum += a[row][k] * b[k][column];
            warp[l]->set<float>(i.o[e], sum);
        }
}
inline void nothing_together(lanes const&, instruction const&) {}

}  // namespace simulated_gpu::actions
