# VERSION is that of include/sequent/config.hpp; Conan's recipe reads the same header.
file(READ ${SOURCE}/packaging/vcpkg/ports/sequent/vcpkg.json port)
string(JSON name GET "${port}" name)
string(JSON version GET "${port}" version)
if(NOT name STREQUAL sequent OR NOT version STREQUAL VERSION)
    message(FATAL_ERROR "the vcpkg port is of ${name} ${version}, the library is sequent ${VERSION}")
endif()
