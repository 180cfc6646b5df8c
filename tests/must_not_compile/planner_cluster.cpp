// expect: sequent::cuda: this cell does not fit a cluster in this number format; use strategy::automatic
#include "sequent/backend/cuda/planner.hpp"
#include "sequent/cell/lstm.hpp"

using namespace sequent;
constexpr strategy planned = planned_strategy<lstm<8, 600>, float, precision::bf16, strategy::cluster>;
