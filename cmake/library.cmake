# The targets that users link: sequent::sequent, and sequent::io for files.

# Finds a package unless the embedding project already brings its target.
macro(sequent_find target)
    if(NOT TARGET ${target})
        find_package(${ARGN} REQUIRED)
    endif()
endmacro()

sequent_find(Eigen3::Eigen Eigen3 3.4)
sequent_find(xtensor xtensor 0.24)
sequent_find(xsimd xsimd 8.1)

# Headers for nvcc alone, and those of sequent::io, stand in sets of their own.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/*.hpp ${PROJECT_SOURCE_DIR}/include/*.cuh)
set(cuda_headers ${headers})
list(FILTER cuda_headers INCLUDE REGEX "/include/sequent/(cuda\\.hpp|.*/cuda[/.].*)$")
list(REMOVE_ITEM headers ${cuda_headers})
set(io_headers ${headers})
list(FILTER io_headers INCLUDE REGEX "/include/sequent/(io/.*|(model|train)/checkpoint.*)$")
list(REMOVE_ITEM headers ${io_headers})

add_library(sequent INTERFACE)
add_library(sequent::sequent ALIAS sequent)
target_compile_features(sequent INTERFACE cxx_std_20)
target_link_libraries(sequent INTERFACE Eigen3::Eigen xtensor xsimd)
target_sources(sequent INTERFACE
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers}
    FILE_SET cuda_headers TYPE HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${cuda_headers})
# Every header compiles alone: target all_verify_interface_header_sets.
set_target_properties(sequent PROPERTIES
    VERIFY_INTERFACE_HEADER_SETS ON INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)

if(SEQUENT_IO)
    sequent_find(nlohmann_json::nlohmann_json nlohmann_json 3.11)
    add_library(sequent_io INTERFACE)
    add_library(sequent::io ALIAS sequent_io)
    set_target_properties(sequent_io PROPERTIES EXPORT_NAME io VERIFY_INTERFACE_HEADER_SETS ON)
    target_link_libraries(sequent_io INTERFACE sequent nlohmann_json::nlohmann_json)
    target_sources(sequent_io INTERFACE
        FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${io_headers})
endif()
