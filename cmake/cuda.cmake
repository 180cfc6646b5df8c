# The CUDA compiler, and flags of our own .cu files: link cuda_own, privately. Host code in them has our warnings too.
find_program(NVCC nvcc HINTS /usr/local/cuda/bin ENV CUDA_PATH)
if(NVCC AND NOT CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${NVCC})
endif()
# For the GPU that is here; else for sm_90, and what programs take from there with them runs on others too: drivers compile
# PTX of 8.0 and 9.0 for theirs. Tests are not taken along: they, and the programs, run on a simulated GPU.
set(SEQUENT_SIMULATED_GPU OFF)
if(NOT CMAKE_CUDA_ARCHITECTURES)
    execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
        RESULT_VARIABLE no_gpu OUTPUT_VARIABLE found ERROR_QUIET)
    if("${no_gpu}" STREQUAL "0" AND found MATCHES "^[0-9]+\\.[0-9]")
        set(CMAKE_CUDA_ARCHITECTURES native)
    elseif(SEQUENT_BUILD_TESTS)
        set(CMAKE_CUDA_ARCHITECTURES 90)
        set(SEQUENT_SIMULATED_GPU ON)
    else()
        set(CMAKE_CUDA_ARCHITECTURES 80-virtual 90)
    endif()
endif()
message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER} for ${CMAKE_CUDA_ARCHITECTURES}; tests on a simulated GPU: ${SEQUENT_SIMULATED_GPU}")
if(CCACHE AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()
enable_language(CUDA)
find_package(CUDAToolkit 12.8 REQUIRED)
set(CMAKE_CUDA_STANDARD 20)

add_library(cuda_own INTERFACE)
target_include_directories(cuda_own INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_link_libraries(cuda_own INTERFACE CUDA::cublasLt)
# The standard by hand too: CMake 3.25 takes C++20 for the default of nvcc 13.
target_compile_options(cuda_own INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>
    $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${SEQUENT_SIMULATED_GPU}>>:--no-compress>
    $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${SEQUENT_WARNINGS_AS_ERRORS}>>:-Werror=all-warnings>)
