//! Frames and bytes, by what they are an example of.

/// A frame: first byte, style, payload; or, where that is empty, so many bytes
/// of filling.
pub type Frame = (u8, u8, &'static [u8], u32);

/// Starts of frames, each in its edge cases.
pub const HEADERS: &[&[u8]] = &[
    // The examples of RFC 6455 5.7.
    b"\x81\x05Hello",
    b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    b"\x01\x03Hel",
    b"\x80\x02lo",
    b"\x89\x05Hello",
    b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    b"\x82\x7E\x01\x00",
    b"\x82\x7F\0\0\0\0\0\x01\0\0",
    // Lengths at the edges of their forms.
    b"\x82\x00",
    b"\x82\x7D",
    b"\x82\x7E\x00\x7D",
    b"\x82\x7E\x00\x7E",
    b"\x82\xFE\xFF\xFF\x01\x02\x03\x04",
    b"\x82\x7F\0\0\0\0\0\0\xFF\xFF",
    b"\x82\xFF\0\0\0\0\0\x01\0\0\x01\x02\x03\x04",
    b"\x82\x7F\0\0\0\0\xFF\xFF\xFF\xF5",
    b"\x82\x7F\0\0\0\x01\0\0\0\0",
    b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    b"\x82\x7F\x80\0\0\0\0\0\0\0",
    b"\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
    // Lengths seen on a real wire.
    b"\x81\xFE\x00\xA3\xC3\x6C\x78\x21",
    b"\x81\xFF\0\0\0\0\0\x01\0\0\xC3\x6C\x78\x21",
    // Reserved bits and opcodes, control frames out of shape.
    b"\xC1\x00",
    b"\xA1\x00",
    b"\x91\x00",
    b"\xC9\x00",
    b"\x83\x00",
    b"\x8B\x80\x01\x02\x03\x04",
    b"\x09\x00",
    b"\x89\x7E\x00\x7E",
    b"\x08\x80\0\0\0\0",
];

/// Text and close bodies.
pub const TEXTS: &[&[u8]] = &[
    b"",
    b"\x03\xE8",
    b"\x03\xE8bye",
    b"\x03\xED",
    b"\x03",
    b"\x0F\xA0\xE2\x82\xAC",
    b"\x03\xF0\xFF",
    "κόσμε".as_bytes(),
    "aé€😀\u{10FFFF}".as_bytes(),
    b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited",
    b"\xF4\x90\x80\x80",
    b"\xC0\xAF",
    b"\xE0\x80\x80",
    b"\xF0\x9F\x98",
    b"\xFE\xFF",
];

/// What a server and a client said to each other on a real wire.
pub const SERVER_WIRE: &[&[u8]] = &[
    b"\x81\x07Hello !",
    b"\x81\x10I am Server_Test",
    b"\x81\x14You are carefree ...\x81\x21\\O^O/  <-.<-  TAT  =.=#  -.-! ...",
    b"\x81\x14You are carefree ...",
];
/// The client's half.
pub const CLIENT_WIRE: [&[u8]; 4] = [
    b"\x81\x87\xc3\x6c\x78\x21\x8b\x09\x14\x4d\xac\x4c\x59",
    b"\x81\x90\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x2f\x14\x48\xa6\x02\x0c\x7e\x97\x09\x0b\x55",
    b"\x81\x8f\xc3\x6c\x78\x21\x8a\x4c\x19\x4c\xe3\x0f\x19\x53\xa6\x0a\x0a\x44\xa6\x4c\x59",
    b"\x81\x9a\x68\xb6\x52\x22\x4b\x93\x0c\x01\x28\xf6\x12\x66\x3c\xf1\x77\x7c\x4e\x90\x79\x7d\x41\x9d\x7a\x08\x36\x93\x73\x6a\x20\xff",
];

const LONG_TEXT: &[u8] = "Hello-µ@ßöäüàá-UTF-8!! and then some more of it".as_bytes();

/// A case of each class.
pub const CASES: &[(&str, &[Frame])] = &[
    // Whole messages of every length form.
    ("text-empty", &[(0x81, 4, b"", 0)]),
    ("text-125", &[(0x81, 4, b"", 125)]),
    ("text-126", &[(0x81, 8, b"", 126)]),
    ("text-127", &[(0x81, 12, b"", 127)]),
    ("text-65535", &[(0x81, 4, b"", 65_535)]),
    ("text-65536", &[(0x81, 4, b"", 65_536)]),
    ("binary-empty", &[(0x82, 4, b"", 0)]),
    ("binary-128", &[(0x82, 4, b"", 128)]),
    (
        "binary-65536",
        &[(0x82, 4, b"", 65_536), (0x81, 4, b"x", 0)],
    ),
    // Pings and pongs.
    ("ping-empty", &[(0x89, 4, b"", 0)]),
    (
        "ping-binary",
        &[(0x89, 4, b"\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF", 0)],
    ),
    ("ping-125", &[(0x89, 4, b"", 125)]),
    ("ping-126", &[(0x89, 4, b"", 126)]),
    (
        "pong-alone",
        &[(0x8A, 4, b"nobody asked", 0), (0x89, 4, b"now", 0)],
    ),
    (
        "pings-four",
        &[
            (0x89, 4, b"1", 0),
            (0x89, 8, b"2", 0),
            (0x89, 4, b"3", 0),
            (0x89, 4, b"4", 0),
        ],
    ),
    // Reserved bits.
    (
        "rsv1",
        &[(0x81, 4, b"a", 0), (0xC1, 4, b"b", 0), (0x89, 4, b"", 0)],
    ),
    ("rsv2-ping", &[(0xA9, 4, b"b", 0)]),
    ("rsv-all", &[(0xF1, 4, b"b", 0)]),
    // Reserved opcodes.
    ("opcode-3", &[(0x81, 4, b"a", 0), (0x83, 4, b"", 0)]),
    ("opcode-7", &[(0x87, 4, b"after", 0)]),
    ("opcode-11", &[(0x8B, 4, b"", 0), (0x89, 4, b"", 0)]),
    ("opcode-15", &[(0x8F, 4, b"after", 0)]),
    // Fragments.
    (
        "ping-in-two",
        &[(0x09, 4, b"frag", 0), (0x80, 4, b"ment", 0)],
    ),
    (
        "text-in-two",
        &[(0x01, 4, b"frag", 0), (0x80, 4, b"ment", 0)],
    ),
    (
        "text-around-ping",
        &[
            (0x01, 4, b"frag", 0),
            (0x89, 4, b"ping", 0),
            (0x80, 4, b"ment", 0),
        ],
    ),
    (
        "continuation-alone",
        &[(0x80, 4, b"alone", 0), (0x81, 4, b"text", 0)],
    ),
    (
        "middle-alone",
        &[(0x00, 4, b"alone", 0), (0x81, 4, b"text", 0)],
    ),
    (
        "text-in-text",
        &[(0x01, 4, b"one", 0), (0x81, 4, b"two", 0)],
    ),
    (
        "binary-in-four",
        &[
            (0x02, 4, b"", 0),
            (0x00, 4, b"\xFF", 0),
            (0x00, 4, b"", 0),
            (0x80, 4, b"", 200),
        ],
    ),
    (
        "binary-cut-off",
        &[(0x02, 4, b"one", 0), (0x00, 4, b"two", 0)],
    ),
    // Text.
    ("utf8", &[(0x81, 4, LONG_TEXT, 0)]),
    (
        "utf8-split",
        &[
            (0x01, 4, b"\xCE\xBA\xE1", 0),
            (0x00, 8, b"\xBD", 0),
            (0x80, 4, b"\xB9", 0),
        ],
    ),
    ("utf8-surrogate", &[(0x81, 4, b"ab\xED\xA0\x80edited", 0)]),
    (
        "utf8-too-high",
        &[(0x01, 4, b"\xF4", 0), (0x00, 4, b"\x90", 0)],
    ),
    ("utf8-overlong", &[(0x81, 4, b"\xC0\xAF", 0)]),
    ("utf8-cut-off", &[(0x81, 4, b"abc\xF0\x9F\x98", 0)]),
    // The close frame.
    (
        "close-empty",
        &[(0x81, 4, b"a", 0), (0x88, 4, b"", 0), (0x81, 4, b"late", 0)],
    ),
    ("close-1000", &[(0x88, 4, b"\x03\xE8", 0)]),
    ("close-reason", &[(0x88, 4, b"\x03\xE8Hello World!", 0)]),
    ("close-one-byte", &[(0x88, 4, b"\x03", 0)]),
    ("close-1005", &[(0x88, 4, b"\x03\xED", 0)]),
    ("close-1004", &[(0x88, 4, b"\x03\xEC", 0)]),
    ("close-2999", &[(0x88, 4, b"\x0B\xB7", 0)]),
    ("close-3000", &[(0x88, 4, b"\x0B\xB8", 0)]),
    ("close-4999", &[(0x88, 4, b"\x13\x87", 0)]),
    ("close-5000", &[(0x88, 4, b"\x13\x88", 0)]),
    (
        "close-not-utf8",
        &[(0x88, 4, b"\x03\xE8\xCE\xBA\xED\xA0\x80", 0)],
    ),
    ("close-126", &[(0x88, 4, b"", 126)]),
    (
        "close-twice",
        &[(0x88, 4, b"\x03\xE8", 0), (0x88, 4, b"\x03\xE9", 0)],
    ),
    (
        "close-in-message",
        &[(0x01, 4, b"frag", 0), (0x88, 4, b"\x03\xE9", 0)],
    ),
    // Lengths that are not in their shortest form.
    ("long-form", &[(0x82, 6, b"abc", 0)]),
];
