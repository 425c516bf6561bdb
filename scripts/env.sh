# Sourced by the other scripts: finds a Rust toolchain that is new enough and
# puts it first in PATH. Sets WSEMBED_RUST_DIR to its folder, or to nothing.
# shellcheck shell=sh

# The oldest Rust that builds the library.
WSEMBED_RUST_MIN=1.85

# version_at_least HAVE WANT: compares major and minor.
version_at_least() {
    have_major=${1%%.*} have_rest=${1#*.}
    want_major=${2%%.*} want_rest=${2#*.}
    have_minor=${have_rest%%[!0-9]*} want_minor=${want_rest%%[!0-9]*}
    case $have_major$have_minor in '' | *[!0-9]*) return 1 ;; esac
    [ "$have_major" -gt "$want_major" ] ||
        { [ "$have_major" -eq "$want_major" ] && [ "${have_minor:-0}" -ge "$want_minor" ]; }
}

# rust_in DIR: whether DIR has a cargo and a rustc that are new enough, and
# rustfmt and clippy where `tools` is yes.
rust_in() {
    [ -x "$1/cargo" ] && [ -x "$1/rustc" ] || return 1
    [ "$tools" = no ] || { [ -x "$1/cargo-fmt" ] && [ -x "$1/cargo-clippy" ]; } || return 1
    rust_version=$("$1/rustc" --version 2>/dev/null) || return 1
    rust_version=${rust_version#rustc }
    version_at_least "${rust_version%% *}" "$WSEMBED_RUST_MIN"
}

# Tries PATH, the place of rustup, that of the distribution, and rustup's
# "stable" where another toolchain is its default.
look_for_rust() {
    for rust_dir in "${rust_cargo%/*}" "$rust_home" /usr/bin /usr/local/bin; do
        if [ -n "$rust_dir" ] && rust_in "$rust_dir"; then
            WSEMBED_RUST_DIR=$rust_dir
            return 0
        fi
    done
    for rustup in "$(command -v rustup)" "$rust_home/rustup"; do
        [ -x "$rustup" ] || continue
        rust_dir=$("$rustup" which --toolchain stable rustc 2>/dev/null) || continue
        if rust_in "${rust_dir%/*}"; then
            WSEMBED_RUST_DIR=${rust_dir%/*}
            return 0
        fi
    done
    return 1
}

# With WSEMBED_RUST_TOOLS=yes a toolchain with rustfmt and clippy comes first.
find_rust() {
    WSEMBED_RUST_DIR=
    rust_home=${CARGO_HOME:-$HOME/.cargo}/bin
    rust_cargo=$(command -v cargo) || rust_cargo=
    tools=${WSEMBED_RUST_TOOLS:-no}
    look_for_rust || { [ "$tools" = yes ] && tools=no && look_for_rust; } || return 1
    case $PATH: in
        "$WSEMBED_RUST_DIR":*) ;;
        *) PATH=$WSEMBED_RUST_DIR:$PATH && export PATH ;;
    esac
}

HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export HOME
find_rust || true
