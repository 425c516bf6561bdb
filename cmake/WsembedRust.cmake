# Finds cargo and rustc, and asks rustc what a static library of its own needs.
# Sets WSEMBED_CARGO, WSEMBED_RUSTC, wsembed_native_libs (a list of -l flags).

set(wsembed_rust_hints "$ENV{CARGO_HOME}/bin" "$ENV{HOME}/.cargo/bin")
find_program(WSEMBED_CARGO cargo HINTS ENV WSEMBED_RUST_DIR PATHS ${wsembed_rust_hints})
if(WSEMBED_CARGO)
  get_filename_component(wsembed_cargo_dir "${WSEMBED_CARGO}" DIRECTORY)
  find_program(WSEMBED_RUSTC rustc HINTS "${wsembed_cargo_dir}")
endif()
if(NOT WSEMBED_CARGO OR NOT WSEMBED_RUSTC)
  message(FATAL_ERROR "cargo and rustc (at least 1.85) were not found: run scripts/setup, or set WSEMBED_CARGO and WSEMBED_RUSTC")
endif()

execute_process(COMMAND "${WSEMBED_RUSTC}" --version OUTPUT_VARIABLE wsembed_rustc_version
  ERROR_VARIABLE wsembed_rustc_error RESULT_VARIABLE wsembed_rustc_result OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT wsembed_rustc_result EQUAL 0 OR NOT wsembed_rustc_version MATCHES "^rustc ([0-9]+\\.[0-9]+\\.[0-9]+)")
  message(FATAL_ERROR "${WSEMBED_RUSTC} --version failed: ${wsembed_rustc_error}")
endif()
if(CMAKE_MATCH_1 VERSION_LESS 1.85)
  message(FATAL_ERROR "${WSEMBED_RUSTC} is ${CMAKE_MATCH_1}; at least 1.85 is needed: run scripts/setup")
endif()

if(CMAKE_CROSSCOMPILING AND NOT WSEMBED_RUST_TARGET)
  message(FATAL_ERROR "A cross build needs -DWSEMBED_RUST_TARGET=TRIPLE, for example armv7-unknown-linux-gnueabihf")
endif()
set(wsembed_rust_target_args)
if(WSEMBED_RUST_TARGET)
  set(wsembed_rust_target_args --target "${WSEMBED_RUST_TARGET}")
endif()

# An empty crate is enough: it asks for what std needs, and no crate of ours
# links anything else. If one did, the tests static.* would not link.
# RUSTFLAGS belong to the build as well (a sysroot of a cross toolchain).
separate_arguments(wsembed_rustflags UNIX_COMMAND "$ENV{RUSTFLAGS}")
set(wsembed_probe "${CMAKE_CURRENT_BINARY_DIR}/probe")
file(MAKE_DIRECTORY "${wsembed_probe}")
file(WRITE "${wsembed_probe}/empty.rs" "")
execute_process(
  COMMAND "${WSEMBED_RUSTC}" ${wsembed_rustflags} ${wsembed_rust_target_args} --edition 2021 --crate-type staticlib
    --print native-static-libs=native-static-libs.txt empty.rs
  WORKING_DIRECTORY "${wsembed_probe}"
  OUTPUT_QUIET ERROR_VARIABLE wsembed_rustc_error RESULT_VARIABLE wsembed_rustc_result)
if(NOT wsembed_rustc_result EQUAL 0)
  message(FATAL_ERROR "${WSEMBED_RUSTC} cannot compile for the target '${WSEMBED_RUST_TARGET}'. If it is rustup's: "
    "rustup target add ${WSEMBED_RUST_TARGET}. It said:\n${wsembed_rustc_error}")
endif()
file(READ "${wsembed_probe}/native-static-libs.txt" wsembed_native_libs_text)
string(STRIP "${wsembed_native_libs_text}" wsembed_native_libs_text)
separate_arguments(wsembed_native_libs UNIX_COMMAND "${wsembed_native_libs_text}")
