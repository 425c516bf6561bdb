# 64-bit ARM, glibc.
#
#   cmake -S . -B build-aarch64 -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/aarch64.cmake
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(wsembed_gnu aarch64-linux-gnu)
set(wsembed_rust aarch64-unknown-linux-gnu)
set(wsembed_qemu qemu-aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/gnu.cmake")
