// A product whose right side stays with the warp for a whole sequence: [Rows, Depth] [Depth, Tiles of 8 columns]. The
// left side, the exchanged state of a tile of the batch, lies in shared memory. On the tensor cores the weights are
// fragments in registers; in f32 they lie in shared memory and each lane makes its own sums.
//
// f32x3 keeps both factors as high and low bf16 parts. The low parts of 8 batch rows lie in rows 8 to 15 of the left
// side, so one mma multiplies both by a weight's high (or low) part.
#pragma once

#include "../../core/number.hpp"
#include "warp.hpp"

namespace sequent {

// Lane l holds the sums of rows l / 4 (and 8 + l / 4) and columns 2 (l % 4) and the one after of every tile:
// sums(lane, (tile * slots + slot) * 2 + column).
//
// Chains: independent sums per tile, so that an mma seldom waits for the one before. Registers: how many may hold
// weights; the fragments for which there are none lie in shared memory.
template <class Warp, precision Format, int Tiles, int Depth, int Rows, int Chains, int Registers = 255>
class stationary_product {
    static constexpr bool words = Format == precision::tf32, split = Format == precision::f32x3;
    static constexpr int k_step = words ? 8 : 16;  // 32 bytes of a row
    static constexpr int k_steps = Depth / k_step, terms = split ? 2 : 1;
    static constexpr int fragments = k_steps * terms;  // of a tile: those of a weight's high part, then of its low part
    static constexpr int kept = Registers / (2 * Tiles) < fragments ? Registers / (2 * Tiles) : fragments;
    static constexpr int chains = Chains < fragments ? Chains : fragments;
    static constexpr int stored = kept > 0 ? kept : 1;
    using fragment_type = typename Warp::template reg<std::uint32_t, 2>;
    static_assert(
        Depth % 16 == 0 && (Rows == 8 || (Rows == 16 && !split)),
        "sequent::stationary_product: the depth must be a multiple of 16 and the rows 8, or 16 without f32x3");

  public:
    static constexpr int slots = Rows / 8;
    static constexpr int weight_registers = Tiles * kept * 2;
    static constexpr int number_bytes = words ? 4 : 2, operand_rows = split ? 16 : Rows;
    static constexpr int row_bytes = Depth * number_bytes + 16;  // an odd multiple of 16: rows in unlike banks
    static constexpr int operand_bytes = operand_rows * row_bytes;
    static constexpr int weight_bytes = Tiles * (fragments - kept) * 32 * 8;  // of shared memory
    using sums = typename Warp::template reg<float, Tiles * slots * 2>;

    // weight(tile, n, k): the number in row k of column n of a tile. own: the byte where the weights in shared memory
    // begin.
    template <class F>
    SEQUENT_DEVICE void load(Warp& warp, int own, F const& weight) {
        SEQUENT_UNROLL for (int tile = 0; tile < Tiles; ++tile) {
            warp.lanes([&](int lane) {
                int const n = lane / 4, place = lane % 4;
                SEQUENT_UNROLL for (int k = 0; k < k_steps; ++k) SEQUENT_UNROLL for (int half = 0; half < 2; ++half) {
                    if constexpr (words) {
                        set(warp, own, tile, k, lane, half, Warp::pack_tf32(weight(tile, n, k * 8 + place + half * 4)));
                    } else {
                        int const row = k * 16 + 2 * place + half * 8;
                        float_pair const pair{weight(tile, n, row), weight(tile, n, row + 1)};
                        std::uint32_t const high = pack(pair);
                        set(warp, own, tile, k, lane, half, high);
                        if constexpr (split) set(warp, own, tile, k_steps + k, lane, half, pack(rest(pair, high)));
                    }
                }
            });
            warp.sync();  // no more loads in flight than one tile's: they would need registers
        }
    }

    // Columns k and k + 1 of a row of the operand at byte `buffer`, k even.
    SEQUENT_DEVICE static void put(Warp& warp, int lane, int buffer, int row, int k, float_pair const& pair) {
        int const at = buffer + row * row_bytes + k * number_bytes;
        if constexpr (words) {
            warp.store(lane, at, Warp::pack_tf32(pair.first));
            warp.store(lane, at + 4, Warp::pack_tf32(pair.second));
        } else {
            std::uint32_t const high = pack(pair);
            warp.store(lane, at, high);
            if constexpr (split) warp.store(lane, at + 8 * row_bytes, pack(rest(pair, high)));
        }
    }

    // sum += operand weights
    SEQUENT_DEVICE void multiply(Warp& warp, int buffer, int own, sums& sum) const {
        typename Warp::template reg<float, 4> part[chains][Tiles];
        warp.lanes([&](int lane) {
            SEQUENT_UNROLL for (int tile = 0; tile < Tiles; ++tile) SEQUENT_UNROLL for (int n = 0; n < 4; ++n) {
                part[0][tile](lane, n) = n < 2 * slots ? sum(lane, tile * slots * 2 + n) : 0.0f;
                SEQUENT_UNROLL for (int chain = 1; chain < chains; ++chain) part[chain][tile](lane, n) = 0.0f;
            }
        });
        SEQUENT_UNROLL for (int k = 0; k < k_steps; ++k) {
            typename Warp::template reg<std::uint32_t, 4> a;
            if constexpr (split || Rows == 16)
                warp.ldmatrix4(a, [&](int lane) { return buffer + lane % 16 * row_bytes + k * 32 + lane / 16 * 16; });
            else
                warp.ldmatrix2(a, [&](int lane) { return buffer + lane % 8 * row_bytes + k * 32 + lane / 8 % 2 * 16; });
            SEQUENT_UNROLL for (int term = 0; term < terms; ++term)
                SEQUENT_UNROLL for (int tile = 0; tile < Tiles; ++tile) {
                int const fragment = term * k_steps + k;
                auto& to = part[(k * terms + term) % chains][tile];
                if (fragment < kept)
                    Warp::template mma<Format>(to, a, weights_[tile][fragment % stored]);
                else
                    Warp::template mma<Format>(to, a, from_memory(warp, own, tile, fragment));
            }
        }
        warp.lanes([&](int lane) {
            SEQUENT_UNROLL for (int tile = 0; tile < Tiles; ++tile) SEQUENT_UNROLL for (int n = 0; n < 2 * slots; ++n) {
                float total = 0;
                SEQUENT_UNROLL for (int chain = 0; chain < chains; ++chain) {
                    total += part[chain][tile](lane, n);
                    if constexpr (split) total += part[chain][tile](lane, n + 2);
                }
                sum(lane, tile * slots * 2 + n) = total;
            }
        });
    }

  private:
    SEQUENT_DEVICE static std::uint32_t pack(float_pair const& pair) {
        return Format == precision::f16 ? Warp::pack_f16(pair.first, pair.second)
                                        : Warp::pack_bf16(pair.first, pair.second);
    }
    SEQUENT_DEVICE static float_pair rest(float_pair const& pair, std::uint32_t high) {
        return {pair.first - Warp::as_float(high << 16), pair.second - Warp::as_float(high & 0xFFFF0000)};
    }

    SEQUENT_DEVICE static int in_memory(int own, int tile, int fragment, int lane) {
        return own + ((tile * (fragments - kept) + fragment - kept) * 32 + lane) * 8;
    }
    SEQUENT_DEVICE void set(Warp& warp, int own, int tile, int fragment, int lane, int half, std::uint32_t word) {
        if (fragment < kept)
            weights_[tile][fragment % stored](lane, half) = word;
        else
            warp.store(lane, in_memory(own, tile, fragment, lane) + 4 * half, word);
    }
    SEQUENT_DEVICE static fragment_type from_memory(Warp& warp, int own, int tile, int fragment) {
        fragment_type to;
        warp.lanes([&](int lane) {
            auto const pair = warp.template load<word_pair>(lane, in_memory(own, tile, fragment, lane));
            to(lane, 0) = pair.words[0], to(lane, 1) = pair.words[1];
        });
        return to;
    }

    fragment_type weights_[Tiles][stored];
};

// f32: sums over k upwards, as the CPU's.
template <class Warp, int Tiles, int Depth, int Rows, int Chains, int Registers>
class stationary_product<Warp, precision::f32, Tiles, Depth, Rows, Chains, Registers> {
  public:
    static constexpr int slots = Rows / 8;
    static constexpr int weight_registers = 0;
    static constexpr int number_bytes = 4, operand_rows = Rows, row_bytes = Depth * number_bytes + 16;
    static constexpr int operand_bytes = Rows * row_bytes;
    static constexpr int weight_bytes = Tiles * Depth * 32;  // [k][tile][column]
    using sums = typename Warp::template reg<float, Tiles * slots * 2>;

    // own: the byte of shared memory where these weights start.
    template <class F>
    SEQUENT_DEVICE void load(Warp& warp, int own, F const& weight) {
        warp.lanes([&](int lane) {
            for (int n = lane; n < Tiles * Depth * 8; n += 32)
                warp.store(lane, own + 4 * n, weight(n / 8 % Tiles, n % 8, n / (8 * Tiles)));
        });
    }

    SEQUENT_DEVICE static void put(Warp& warp, int lane, int buffer, int row, int k, float_pair const& pair) {
        warp.store(lane, buffer + row * row_bytes + k * 4, pair);
    }

    SEQUENT_DEVICE void multiply(Warp& warp, int buffer, int own, sums& sum) const {
        warp.lanes([&](int lane) {
            for (int k = 0; k < Depth; ++k) SEQUENT_UNROLL for (int slot = 0; slot < slots; ++slot) {
                    float const left =
                        warp.template load<float>(lane, buffer + (slot * 8 + lane / 4) * row_bytes + k * 4);
                    SEQUENT_UNROLL for (int tile = 0; tile < Tiles; ++tile) {
                        auto const right =
                            warp.template load<float_pair>(lane, own + (k * Tiles + tile) * 32 + lane % 4 * 8);
                        float& first = sum(lane, (tile * slots + slot) * 2);
                        float& second = sum(lane, (tile * slots + slot) * 2 + 1);
                        first = fma(left, right.first, first), second = fma(left, right.second, second);
                    }
                }
        });
    }
};

}  // namespace sequent
