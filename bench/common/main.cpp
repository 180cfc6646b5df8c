// Google Benchmark with what must be known to read the numbers: the instruction set, the library of the peak, the data.
#include <benchmark/benchmark.h>

#include "peak.hpp"
#include "sequent/backend/cpu/simd.hpp"
#include "workload.hpp"

int main(int argc, char** argv) {
    benchmark::AddCustomContext("instruction_set", sequent::default_isa::name());
    benchmark::AddCustomContext("compiler", __VERSION__);
    benchmark::AddCustomContext("data", bench::news_folder() ? "AG News" : "made up");
#if SEQUENT_BENCH_OPENBLAS
    benchmark::AddCustomContext("openblas", openblas_get_config());
    benchmark::AddCustomContext("openblas_kernels", openblas_get_corename());
#else
    benchmark::AddCustomContext("openblas", "not there: the peak is Eigen's alone");
#endif
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
