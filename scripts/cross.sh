# Sourced by cross-setup and cross (bash): what belongs to one of the machines,
# and where the toolchain lies. Needs scripts/env.sh. Some of what it sets is for the sourcer.
# shellcheck shell=bash disable=SC2034

cross_machines=(armv7 aarch64 s390x)
cross_home=$PWD/build/cross
cross_rust=$cross_home/rust-$WSEMBED_RUST_MIN

# cross_machine NAME: its names for gcc, qemu, the distribution and Rust.
cross_machine() {
    case $1 in
    armv7) cross_gnu=arm-linux-gnueabihf cross_qemu=qemu-arm cross_debian=armhf cross_target=armv7-unknown-linux-gnueabihf ;;
    aarch64) cross_gnu=aarch64-linux-gnu cross_qemu=qemu-aarch64 cross_debian=arm64 cross_target=aarch64-unknown-linux-gnu ;;
    s390x) cross_gnu=s390x-linux-gnu cross_qemu=qemu-s390x cross_debian=s390x cross_target=s390x-unknown-linux-gnu ;;
    *)
        echo "unknown machine '$1': there are ${cross_machines[*]}" >&2
        return 1
        ;;
    esac
}
