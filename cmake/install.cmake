# The package that find_package(sequent) and pkg-config find. sequent::io has an export file of its own, so that a user
# of the rest needs no nlohmann_json.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/sequent)
install(TARGETS sequent EXPORT sequent-targets FILE_SET HEADERS FILE_SET cuda_headers)
install(EXPORT sequent-targets NAMESPACE sequent:: DESTINATION ${package_dir})
if(SEQUENT_IO)
    install(TARGETS sequent_io EXPORT sequent-io-targets FILE_SET HEADERS)
    install(EXPORT sequent-io-targets NAMESPACE sequent:: DESTINATION ${package_dir})
endif()

configure_package_config_file(cmake/sequent-config.cmake.in sequent-config.cmake
    INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(sequent-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/sequent-config.cmake ${PROJECT_BINARY_DIR}/sequent-config-version.cmake
        DESTINATION ${package_dir})

# Found from where it lies, so that the installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
    BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/pkgconfig OUTPUT_VARIABLE pc_to_prefix)
set(pc_requires "eigen3 >= 3.4 xtensor >= 0.24 xsimd >= 8.1")
if(SEQUENT_IO)
    string(APPEND pc_requires " nlohmann_json >= 3.11")
endif()
configure_file(cmake/sequent.pc.in sequent.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sequent.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
