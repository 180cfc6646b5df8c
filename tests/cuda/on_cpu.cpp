// The CPU's numbers that on_cpu.hpp names.
#include "sequent/sequent.hpp"

#include "lesson.hpp"
#include "on_cpu.hpp"

ON_CPU(, float);
ON_CPU(, double);

std::vector<double> sequent_tests::lesson_on_cpu(int steps) { return lesson_curve<sequent::cpu>(steps); }
