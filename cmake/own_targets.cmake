# Flags and tools of the programs in this repository: link sequent_own, privately. Not installed, not seen by users.
if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
    endif()
    set(default_march native)
    find_program(CCACHE ccache)
    if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
        set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
    endif()
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
option(SEQUENT_WARNINGS_AS_ERRORS "Warnings in our own programs are errors" OFF)
set(SEQUENT_MARCH "${default_march}" CACHE STRING
    "Instruction set of our own programs (-march): native, x86-64-v2, -v3, -v4, or empty for the compiler's default")

add_library(sequent_own INTERFACE)
if(SEQUENT_IO)
    target_link_libraries(sequent_own INTERFACE sequent::io)
else()
    target_link_libraries(sequent_own INTERFACE sequent::sequent)
endif()
# g++ 12 calls variables of its own headers uninitialized: of AVX-512, and of <regex> under the sanitizers.
target_compile_options(sequent_own INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
    "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized;-Wno-uninitialized>"
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${SEQUENT_WARNINGS_AS_ERRORS}>>:-Werror>
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${SEQUENT_MARCH}>>:-march=${SEQUENT_MARCH}>)

set(CMAKE_CXX_EXTENSIONS OFF)
