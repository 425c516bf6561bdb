# Included by the toolchain files beside it; none by itself. What the machine's
# owner may set on the command line of cmake:
#
#   WSEMBED_CROSS_PREFIX   what stands before gcc, ar, nm, objcopy of the
#                          toolchain, with its folder if that is not in PATH
#   CMAKE_C_COMPILER       the compiler, if its name is another one
#   CMAKE_SYSROOT          the root that it compiles and links against
#   WSEMBED_RUST_TARGET    Rust's name of the machine
#   CMAKE_CROSSCOMPILING_EMULATOR   what runs the tests; else qemu-user, if found
set(WSEMBED_CROSS_PREFIX "${wsembed_gnu}-" CACHE STRING "What stands before gcc, ar, nm and objcopy of the cross toolchain")
set(WSEMBED_RUST_TARGET "${wsembed_rust}" CACHE STRING "Rust target triple")
# CMake's trials include this file again, without the cache.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WSEMBED_CROSS_PREFIX)

# CC of the environment is most often this machine's compiler: it is not asked.
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER "${WSEMBED_CROSS_PREFIX}gcc")
endif()

# The distribution's cross gcc knows its own root: it has no CMAKE_SYSROOT.
set(wsembed_root "${CMAKE_SYSROOT}")
if(NOT wsembed_root)
  set(wsembed_root "/usr/${wsembed_gnu}")
  list(APPEND CMAKE_FIND_ROOT_PATH "${wsembed_root}")
endif()
# Programs are this machine's, libraries and headers the other one's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

if(NOT CMAKE_CROSSCOMPILING_EMULATOR)
  find_program(WSEMBED_QEMU NAMES ${wsembed_qemu} ${wsembed_qemu}-static)
  if(WSEMBED_QEMU)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${WSEMBED_QEMU}" -L "${wsembed_root}")
  endif()
endif()
