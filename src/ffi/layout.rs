//! What the public structs look like to C, on 32-bit and on 64-bit machines.
//!
//! The rows are checked when this is compiled, for whatever target that is;
//! tests/c/layout.h has the same ones for the C compiler.

use std::mem::{offset_of, size_of};

use super::event::webSocket_event;
use super::failure::webSocket_failure;
use super::parser::webSocket_frame;
use super::server::info::{webSocket_peerInfo, webSocket_statistics};

/// The promise for the target's width.
// Rust 1.85 does not count what only an unnamed constant uses.
#[allow(dead_code)]
const fn promised(on_32_bit: usize, on_64_bit: usize) -> usize {
    if size_of::<usize>() == 4 {
        on_32_bit
    } else {
        on_64_bit
    }
}

/// `layout!(STRUCT SIZE32 SIZE64; FIELD AT32 AT64, ...)`: all fields, in order.
macro_rules! layout {
    ($type:ident $size32:literal $size64:literal; $($field:ident $at32:literal $at64:literal,)+) => {
        const _: () = {
            assert!(size_of::<$type>() == promised($size32, $size64));
            $(assert!(offset_of!($type, $field) == promised($at32, $at64));)+
            // Does not compile while a field is missing above.
            const fn all_fields(of: &$type) {
                let $type { $($field: _,)+ } = of;
            }
            let _ = all_fields;
        };

        #[cfg(test)]
        impl $type {
            /// The rows as tests/c/layout.h writes them.
            const ROWS: &[&str] = &[
                concat!("SIZE(", stringify!($type), ", ", $size32, ", ", $size64, ")"),
                $(concat!(
                    "AT(", stringify!($type), ", ", stringify!($field), ", ", $at32, ", ", $at64, ")"
                ),)+
            ];
        }
    };
}

layout!(webSocket_event 56 72;
    size 0 0,
    kind 4 8,
    flags 8 12,
    data 12 16,
    length 16 24,
    peerUser 20 32,
    offset 24 40,
    frameRemaining 32 48,
    peer 40 56,
    closeCode 48 64,
    result 52 68,
);

layout!(webSocket_failure 444 448;
    size 0 0,
    stage 4 8,
    result 8 12,
    systemError 12 16,
    httpStatus 16 20,
    closeCode 20 24,
    answerLength 24 28,
    text 28 32,
    answer 188 192,
);

layout!(webSocket_frame 80 96;
    size 0 0,
    data 4 8,
    length 8 16,
    headerLength 12 24,
    offset 16 32,
    payloadLength 24 40,
    pieceOffset 32 48,
    remaining 40 56,
    flags 48 64,
    problems 52 68,
    opcode 56 72,
    closeCode 60 76,
    lengthBits 64 80,
    masked 68 84,
    maskKey 72 88,
    fin 76 92,
    rsv1 77 93,
    rsv2 78 94,
    rsv3 79 95,
);

layout!(webSocket_peerInfo 432 440;
    size 0 0,
    targetLength 4 8,
    messagesIn 8 16,
    messagesOut 16 24,
    bytesIn 24 32,
    bytesOut 32 40,
    roundTripMs 40 48,
    port 44 52,
    address 48 56,
    subprotocol 112 120,
    target 176 184,
);

layout!(webSocket_statistics 64 80;
    size 0 0,
    peers 4 8,
    handshakes 8 16,
    threads 12 24,
    accepted 16 32,
    refused 24 40,
    messagesIn 32 48,
    messagesOut 40 56,
    bytesIn 48 64,
    bytesOut 56 72,
);

#[cfg(test)]
mod tests {
    use super::*;

    /// A struct that is in neither list is found by tests/header.rs.
    const STRUCTS: &[&[&str]] = &[
        webSocket_event::ROWS,
        webSocket_failure::ROWS,
        webSocket_frame::ROWS,
        webSocket_peerInfo::ROWS,
        webSocket_statistics::ROWS,
    ];

    /// What no macro above covers: types that are plain numbers.
    const NUMBERS: &[&str] = &["SIZE(webSocket_result, 4, 4)", "SIZE(webSocket_peer, 8, 8)"];

    #[test]
    fn the_c_compiler_is_held_to_the_same_layout() {
        let header = include_str!("../../tests/c/layout.h");
        let rows = header
            .lines()
            .filter(|line| line.starts_with("SIZE(") || line.starts_with("AT("));
        let ours = NUMBERS.iter().chain(STRUCTS.iter().copied().flatten());
        assert!(
            rows.clone().eq(ours.copied()),
            "tests/c/layout.h has {:#?}",
            rows.collect::<Vec<_>>()
        );
    }
}
