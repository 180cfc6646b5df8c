// The only header with macros: the version, and the mark for functions that also compile as device code.
#pragma once

#define SEQUENT_VERSION_MAJOR 0
#define SEQUENT_VERSION_MINOR 1
#define SEQUENT_VERSION_PATCH 0

#if defined(__CUDACC__)
#define SEQUENT_HD __host__ __device__ __forceinline__
#else
#define SEQUENT_HD [[gnu::always_inline]] inline
#endif
