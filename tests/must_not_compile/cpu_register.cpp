// expect: sequent::cpu: a SIMD register must hold a part of 64 bytes; choose another Isa
#include "sequent/backend/cpu/recurrent_layout.hpp"
#include "sequent/cell/lstm.hpp"

struct wide_isa {};
namespace xsimd {
template <>
class batch<float, wide_isa> {
  public:
    using batch_bool_type = bool;
    static constexpr std::size_t size = 32;  // 128 bytes
};
}  // namespace xsimd

constexpr int width = sequent::cpu_unit_groups<sequent::lstm<3, 4>, float, wide_isa>::width;
