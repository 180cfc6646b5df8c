// expect: sequent::stationary_product: the depth must be a multiple of 16 and the rows 8, or 16 without f32x3
#include "sequent/backend/cuda/stationary_product.hpp"
#include "sequent/backend/cuda/warp_emulated.hpp"

using product = sequent::stationary_product<sequent::emulated_warp, sequent::precision::bf16, 1, 24, 8, 1>;
constexpr int slots = product::slots;
