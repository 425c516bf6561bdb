//! UTF-8: the validator against the standard library's, and in messages.

use wsembed::proto::Error;
use wsembed::proto::utf8::Validator;

use crate::support::*;

/// The verdict over pieces: how many bytes were taken before the refusal.
fn verdict(pieces: &[&[u8]]) -> Result<(), usize> {
    let mut validator = Validator::default();
    let mut taken = 0;
    for piece in pieces {
        validator.feed(piece).map_err(|_| taken)?;
        taken += piece.len();
    }
    validator.finish().map_err(|_| taken)
}

const BAD: &[&[u8]] = &[
    b"\xc0\xaf",
    b"\xc1\x80",
    b"\xf5\x80\x80\x80",
    b"\xff",
    b"\xfe",
    b"\x80",
    b"\xbf",
    b"a\x80b",
    b"\xe0\x80\x80",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xc2",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xc2a",
    b"\xe2\x82a",
    b"\xf0\x9f\x98a",
    b"\xc2\xc2\x80",
    b"\xe1\x80\xe1\x80\x80",
];

#[test]
fn u801_u802_u803_u804_bad_bytes_fail_in_every_cut() {
    for bad in BAD {
        assert!(std::str::from_utf8(bad).is_err());
        for cut in 0..=bad.len() {
            let (head, tail) = bad.split_at(cut);
            assert!(verdict(&[head, tail]).is_err(), "{bad:x?} cut at {cut}");
        }
        let bytes: Vec<&[u8]> = bad.chunks(1).collect();
        assert!(verdict(&bytes).is_err(), "{bad:x?} byte by byte");
        for case in both(&[(FIN | TEXT, bad)]) {
            case.expect(&[failed(Error::Utf8)]);
        }
    }
}

#[test]
fn u805_u806_u807_noncharacters_nul_and_bom_pass() {
    for good in [
        "\u{FFFE}\u{FFFF}\u{1FFFE}\u{10FFFF}",
        "a\0b",
        "\u{FEFF}bom",
        "κόσμε",
        "😀",
    ] {
        for case in both(&[(FIN | TEXT, good.as_bytes())]) {
            case.expect(&[text(good)]);
        }
    }
}

#[test]
fn u808_u809_a_code_point_cut_anywhere() {
    let good = "aé€😀z".as_bytes();
    for cut in 0..=good.len() {
        let (head, tail) = good.split_at(cut);
        assert_eq!(verdict(&[head, tail]), Ok(()));
        for case in both(&[(TEXT, head), (FIN | PING, b""), (FIN | CONT, tail)]) {
            case.expect(&[Seen::Ping(vec![]), text("aé€😀z")]);
        }
    }
}

#[test]
fn u810_a_message_that_ends_inside_a_code_point() {
    for bad in [&b"abc\xc3"[..], b"\xe2\x82", b"\xf0\x9f\x98"] {
        for case in both(&[(FIN | TEXT, bad), (FIN | TEXT, b"\x80")]) {
            case.expect(&[failed(Error::Utf8)]);
        }
        for case in both(&[(TEXT, bad), (FIN | CONT, b"")]) {
            case.expect(&[failed(Error::Utf8)]);
        }
    }
}

#[test]
fn u811_a_bad_byte_in_the_second_fragment_fails_before_the_third() {
    for case in both(&[(TEXT, b"good"), (CONT, b"b\xffd")]) {
        case.expect(&[failed(Error::Utf8)]);
    }
}

#[test]
fn u812_a_bad_byte_inside_a_frame_fails_before_the_frame_ends() {
    for bad in [&b"\xff"[..], b"\xed\xa0", b"\xf4\x90", b"\xc0", b"\xe0\x80"] {
        let mut payload = vec![b'a'; 5000];
        payload[100..100 + bad.len()].copy_from_slice(bad);
        let frame = masked(FIN | TEXT, &payload);
        let mut connection = server([]).connection();
        // The header is 8 bytes; the fault is whole with the byte before the cut.
        let cut = 8 + 100 + bad.len();
        assert_eq!(feed(&mut connection, &frame[..cut - 1]), []);
        assert_eq!(
            feed(&mut connection, &frame[cut - 1..cut]),
            [failed(Error::Utf8)],
            "{bad:x?}"
        );
    }
}

#[test]
fn u812_text_in_chunks_fails_at_the_bad_byte_too() {
    let case = server(masked(FIN | TEXT, b"0123456789\xff123")).with(|s| s.chunk_above = 0);
    let mut connection = case.connection();
    let header = 6;
    let good = feed(&mut connection, &case.input[..header + 10]);
    assert!(matches!(&good[..], [Seen::Chunk { last: false, .. }]));
    assert_eq!(
        feed(&mut connection, &case.input[header + 10..]),
        [failed(Error::Utf8)]
    );
}

#[test]
fn u813_every_code_point_byte_by_byte() {
    let mut validator = Validator::default();
    let mut bytes = [0; 4];
    for point in ('\0'..=char::MAX).chain(['a']) {
        for byte in point.encode_utf8(&mut bytes).bytes() {
            validator.feed(&[byte]).unwrap();
        }
    }
    validator.finish().unwrap();
}

#[test]
fn u813_every_sequence_of_two_and_three_bytes_agrees_with_the_standard_library() {
    for first in 0..=255_u8 {
        for second in 0..=255_u8 {
            let two = [first, second];
            let want = std::str::from_utf8(&two).is_ok();
            assert_eq!(verdict(&[&two[..1], &two[1..]]).is_ok(), want, "{two:x?}");
            for third in [
                0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xFF,
            ] {
                let three = [first, second, third];
                let want = std::str::from_utf8(&three).is_ok();
                assert_eq!(
                    verdict(&[&three[..1], &three[1..2], &three[2..]]).is_ok(),
                    want
                );
                assert_eq!(
                    verdict(&[&three[..2], &three[2..]]).is_ok(),
                    want,
                    "{three:x?}"
                );
                assert_eq!(verdict(&[&three]).is_ok(), want, "{three:x?}");
            }
        }
    }
}

#[test]
fn u815_a_bad_byte_at_every_place_of_a_run() {
    for length in [1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200] {
        for place in 0..length {
            for bad in [0xFF, 0x80, 0xC0] {
                let mut run = vec![b'a'; length];
                run[place] = bad;
                assert!(verdict(&[&run]).is_err());
                let (head, tail) = run.split_at(length / 2);
                assert!(verdict(&[head, tail]).is_err());
            }
            let mut run = vec![b'a'; length];
            run.splice(place..place, "é€😀".bytes());
            assert_eq!(verdict(&[&run]), Ok(()));
            for cut in place..place + 9 {
                let (head, tail) = run.split_at(cut);
                assert_eq!(verdict(&[head, tail]), Ok(()), "{length} {place} {cut}");
            }
        }
    }
}
