# IBM Z, glibc: 64-bit, big-endian.
#
#   cmake -S . -B build-s390x -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/s390x.cmake
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR s390x)
set(wsembed_gnu s390x-linux-gnu)
set(wsembed_rust s390x-unknown-linux-gnu)
set(wsembed_qemu qemu-s390x)
include("${CMAKE_CURRENT_LIST_DIR}/gnu.cmake")
