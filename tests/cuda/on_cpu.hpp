// What the tests on a GPU compare with the CPU: on_cpu.cpp makes these numbers, as the CPU's headers need Eigen, which
// is kept out of what nvcc compiles for a GPU.
#pragma once

#include "backend/cuda/on_device.hpp"

namespace sequent {
struct cpu;
}
namespace sequent_tests {
std::vector<double> lesson_on_cpu(int steps);
}

// With EXTERN the compiler is told that these stand elsewhere.
#define ON_CPU(EXTERN, T)                                                                                              \
    EXTERN template std::vector<double> sequent_tests::rows_by_index<T, sequent::cpu>();                               \
    EXTERN template std::vector<double> sequent_tests::affine_maps<T, sequent::cpu>(int);                              \
    EXTERN template std::vector<double> sequent_tests::poolings<T, sequent::cpu>(std::vector<int> const&, bool);       \
    EXTERN template std::vector<double> sequent_tests::small_change<T, sequent::cpu>(std::size_t);                     \
    EXTERN template std::vector<double> sequent_tests::optimizer_steps<T, sequent::cpu>(                               \
        sequent::adam_constants const&, sequent::sgd_constants const&);                                                \
    EXTERN template std::vector<double> sequent_tests::cross_entropies<T, sequent::cpu>(                               \
        sequent::cross_entropy_request const&, std::vector<int> const&)
