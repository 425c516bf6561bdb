# The targets: wsembed::shared, wsembed::static, and wsembed::wsembed (the
# shared one). Cargo alone decides what is fresh: it is asked in every build,
# and files are replaced only if they differ, so that nothing is linked anew.
# The crate types are named because cargo leaves link-time optimization out
# where an rlib is made in the same step, which costs 37 to 57 KB.

set(wsembed_cargo_out "${WSEMBED_CARGO_TARGET_DIR}")
set(wsembed_lib_dir "${CMAKE_CURRENT_BINARY_DIR}/lib")
set(wsembed_header_dir "${CMAKE_CURRENT_BINARY_DIR}/headers")
set(wsembed_shared_file "${wsembed_lib_dir}/libwsembed.so.${wsembed_version}")
set(wsembed_static_file "${wsembed_lib_dir}/libwsembed.a")
set(wsembed_static_raw "${CMAKE_CURRENT_BINARY_DIR}/libwsembed-raw.a")
file(MAKE_DIRECTORY "${wsembed_lib_dir}")

set(wsembed_cargo_env "RUSTC=${WSEMBED_RUSTC}" "CARGO_TARGET_DIR=${wsembed_cargo_out}"
  "WSEMBED_HEADER_DIR=${wsembed_header_dir}")
set(wsembed_cargo_release "${wsembed_cargo_out}/release")
if(WSEMBED_RUST_TARGET)
  set(wsembed_cargo_release "${wsembed_cargo_out}/${WSEMBED_RUST_TARGET}/release")
  string(TOUPPER "${WSEMBED_RUST_TARGET}" wsembed_linker_variable)
  string(REPLACE "-" "_" wsembed_linker_variable "CARGO_TARGET_${wsembed_linker_variable}_LINKER")
  list(APPEND wsembed_cargo_env "${wsembed_linker_variable}=${wsembed_cc}")
endif()

add_custom_target(wsembed_cargo ALL
  COMMAND "${CMAKE_COMMAND}" -E env ${wsembed_cargo_env}
    "${WSEMBED_CARGO}" rustc --release --locked --lib --crate-type cdylib,staticlib ${wsembed_rust_target_args}
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${wsembed_cargo_release}/libwsembed.so" "${wsembed_shared_file}"
  COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${wsembed_cargo_release}/libwsembed.a" "${wsembed_static_raw}"
  BYPRODUCTS "${wsembed_shared_file}" "${wsembed_static_raw}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  COMMENT "libwsembed (cargo)"
  VERBATIM)

# The links are made once; they name a file of the same folder.
foreach(link "libwsembed.so.${wsembed_soversion}|libwsembed.so.${wsembed_version}"
             "libwsembed.so|libwsembed.so.${wsembed_soversion}")
  string(REPLACE "|" ";" link "${link}")
  list(GET link 0 link_name)
  list(GET link 1 link_target)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E create_symlink "${link_target}" "${wsembed_lib_dir}/${link_name}")
endforeach()

add_custom_command(OUTPUT "${wsembed_static_file}"
  COMMAND "${CMAKE_COMMAND}" -E env "CC=${wsembed_cc}" "AR=${CMAKE_AR}" "NM=${CMAKE_NM}" "OBJCOPY=${CMAKE_OBJCOPY}"
    sh "${PROJECT_SOURCE_DIR}/scripts/one-object.sh"
    "${wsembed_static_raw}" "${wsembed_shared_file}" "${wsembed_static_file}"
  DEPENDS "${wsembed_static_raw}" "${wsembed_shared_file}" "${PROJECT_SOURCE_DIR}/scripts/one-object.sh"
  COMMENT "libwsembed.a (one object, only our names)"
  VERBATIM)
add_custom_target(wsembed_archive ALL DEPENDS "${wsembed_static_file}")
add_dependencies(wsembed_archive wsembed_cargo)

set(wsembed_includes "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/wsembed")
# The file, not a link to it: Ninja wants to know what makes each file.
add_library(wsembed::shared SHARED IMPORTED GLOBAL)
set_target_properties(wsembed::shared PROPERTIES
  IMPORTED_LOCATION "${wsembed_shared_file}"
  IMPORTED_SONAME "libwsembed.so.${wsembed_soversion}"
  INTERFACE_INCLUDE_DIRECTORIES "${wsembed_includes}")
add_dependencies(wsembed::shared wsembed_cargo)

add_library(wsembed::static STATIC IMPORTED GLOBAL)
set_target_properties(wsembed::static PROPERTIES
  IMPORTED_LOCATION "${wsembed_static_file}"
  INTERFACE_INCLUDE_DIRECTORIES "${wsembed_includes}"
  INTERFACE_LINK_LIBRARIES "${wsembed_native_libs}")
add_dependencies(wsembed::static wsembed_archive)

add_library(wsembed::wsembed ALIAS wsembed::shared)
