# 32-bit ARM with hardware floating point (Cortex-A), glibc.
#
#   cmake -S . -B build-armv7 -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/armv7.cmake
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(wsembed_gnu arm-linux-gnueabihf)
set(wsembed_rust armv7-unknown-linux-gnueabihf)
set(wsembed_qemu qemu-arm)
include("${CMAKE_CURRENT_LIST_DIR}/gnu.cmake")
