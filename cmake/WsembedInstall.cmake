# PREFIX/include/wsembed/*.h, the libraries, lib/cmake/wsembed, lib/pkgconfig.
# Both packages find everything from their own place: the prefix may be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/wsembed" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h")
install(PROGRAMS "${wsembed_shared_file}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES
  "${wsembed_lib_dir}/libwsembed.so.${wsembed_soversion}"
  "${wsembed_lib_dir}/libwsembed.so"
  "${wsembed_static_file}"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}")

set(wsembed_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wsembed")
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/wsembedConfig.cmake.in" "${CMAKE_CURRENT_BINARY_DIR}/package/wsembedConfig.cmake"
  INSTALL_DESTINATION "${wsembed_package_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/package/wsembedConfigVersion.cmake"
  VERSION ${wsembed_version} COMPATIBILITY SameMinorVersion)
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/package/wsembedConfig.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/package/wsembedConfigVersion.cmake"
  DESTINATION "${wsembed_package_dir}")

# An absolute libdir or includedir (as Nix and some distributions give) is
# taken as it is; otherwise paths are relative to the .pc file.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(wsembed_pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(wsembed_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
else()
  file(RELATIVE_PATH wsembed_pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" wsembed_pc_up "${wsembed_pc_up}")
  set(wsembed_pc_prefix "\${pcfiledir}/${wsembed_pc_up}")
  set(wsembed_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(wsembed_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
else()
  set(wsembed_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/wsembed.pc.in" "${CMAKE_CURRENT_BINARY_DIR}/package/wsembed.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/package/wsembed.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE-MIT" "${PROJECT_SOURCE_DIR}/LICENSE-APACHE"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}")
