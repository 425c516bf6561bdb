//! The frame codec against RFC 6455, said a second time; what is read from
//! each prefix; masking, text and close bodies however they are cut.

use wsembed::legacy::kind::Kind;
use wsembed::legacy::package;
use wsembed::proto::error::Error;
use wsembed::proto::frame::{self, Decoded, Header};
use wsembed::proto::{close, mask, utf8};

use super::reference::{self, Told};
use super::source::Source;

pub fn run(input: &[u8]) {
    prefixes(input);
    if let &[first, second, ..] = input {
        for reserved in [0, 0x40, 0x70] {
            judged(first, second, reserved);
        }
    }
    if let Some(whole) = reference::header(input) {
        encoded(whole);
    }
    masks(input);
    text(input.get(..300).unwrap_or(input));
    body(input.get(..125).unwrap_or(input));
    looked_at(input);
    packed(input);
}

fn as_decoded(header: reference::Header) -> Header {
    Header {
        first: header.first,
        mask: header.key,
        length: header.length,
        size: header.size as u8,
        minimal: header.minimal,
    }
}

/// Every prefix says the same as the whole, or how much more is needed.
fn prefixes(input: &[u8]) {
    let whole = reference::header(input);
    let mut needed = 0;
    for end in 0..=input.len().min(20) {
        let seen = &input[..end];
        match (frame::decode(seen), reference::header(seen)) {
            (Decoded::Header(found), Some(wanted)) => assert_eq!(found, as_decoded(wanted)),
            (Decoded::Need(need), None) => {
                assert!(need > end && need >= needed && need <= frame::MAX_HEADER);
                assert!(whole.is_none_or(|whole| need <= whole.size));
                needed = need;
            }
            (found, wanted) => panic!("{found:?} where {wanted:?} was due"),
        }
        announced(seen, whole);
    }
    match (frame::decode(input), whole) {
        (Decoded::Header(found), Some(whole)) => assert_eq!(found, as_decoded(whole)),
        (Decoded::Need(_), None) => {}
        (found, _) => panic!("{found:?}"),
    }
}

/// The length is known as soon as its own bytes are there.
fn announced(seen: &[u8], whole: Option<reference::Header>) {
    let found = frame::announced(seen);
    if let Some(whole) = whole {
        let key = if whole.key.is_some() { 4 } else { 0 };
        let due = seen.len() >= whole.size - key;
        assert_eq!(found, due.then_some((whole.length, whole.size)));
    } else if let Some((_, size)) = found {
        assert!(size > seen.len(), "a whole header that is not whole");
    }
}

/// The rules of RFC 6455 5.2 and 5.5 on the first two bytes.
fn judged(first: u8, second: u8, reserved: u8) {
    let opcode = first % 16;
    let known = opcode <= 2 || (8..=10).contains(&opcode);
    let control = opcode >= 8;
    let bits = first & 0x70;
    let bits_broken = bits != 0 && (control || bits | reserved != reserved);
    let shape_broken = control && (first < 0x80 || second % 128 > 125);
    match frame::judge(first, second, reserved) {
        Ok(found) => {
            assert!(known && !bits_broken && !shape_broken);
            assert_eq!(found as u8, opcode);
            assert_eq!(found.is_control(), control);
        }
        Err(Error::Opcode) => assert!(!known),
        Err(Error::ReservedBits) => assert!(bits_broken),
        Err(Error::ControlFrame) => assert!(shape_broken),
        Err(other) => panic!("{other:?}"),
    }
}

/// What is encoded is the shortest form, and decodes to the same.
fn encoded(whole: reference::Header) {
    let (bytes, size) = frame::encode(whole.first, whole.key, whole.length);
    let again = reference::header(&bytes[..size]).expect("a whole header");
    assert!(again.minimal && again.size == size);
    assert_eq!(
        (again.first, again.key, again.length),
        (whole.first, whole.key, whole.length)
    );
    assert!(size <= whole.size && (size == whole.size) == whole.minimal);
    let Decoded::Header(found) = frame::decode(&bytes[..size]) else {
        panic!("an encoded header does not decode");
    };
    assert_eq!(found, as_decoded(again));
    assert_eq!(found.fin(), whole.first >= 0x80);
    let valid = whole.minimal && whole.length <= i64::MAX as u64;
    assert_eq!(as_decoded(whole).judge_length().is_ok(), valid);
}

/// Masking in two pieces, from any phase, is masking at once; twice is never.
fn masks(input: &[u8]) {
    let mut source = Source::new(input);
    let key = [(); 4].map(|()| source.byte());
    let phase = usize::from(source.byte() % 4);
    let cut = usize::from(source.byte());
    let plain = source.rest();
    let wanted: Vec<u8> = (0..plain.len())
        .map(|at| plain[at] ^ key[(at + phase) % 4])
        .collect();
    let mut whole = plain.to_vec();
    mask::apply(&mut whole, key, phase);
    assert_eq!(whole, wanted);
    let cut = cut.min(whole.len());
    let (head, tail) = whole.split_at_mut(cut);
    mask::apply(head, key, phase);
    mask::apply(tail, key, (phase + cut) % 4);
    assert_eq!(whole, plain);
}

/// The validator refuses the very byte with which no text can begin any more
/// (RFC 6455 8.1), however the bytes are cut.
fn text(input: &[u8]) {
    let hopeless = |end: usize| {
        let error = std::str::from_utf8(&input[..end]).err();
        error.is_some_and(|error| error.error_len().is_some())
    };
    let first_bad = (1..=input.len()).find(|end| hopeless(*end));
    let whole = std::str::from_utf8(input).is_ok();
    let mut bytewise = utf8::Validator::default();
    let refused = (0..input.len()).find(|at| bytewise.feed(&input[*at..=*at]).is_err());
    assert_eq!(refused.map(|at| at + 1), first_bad);
    if refused.is_none() {
        assert_eq!(bytewise.finish().is_ok(), whole);
    }
    for cut in 0..=input.len().min(64) {
        let mut validator = utf8::Validator::default();
        let (head, tail) = input.split_at(cut);
        let head = validator.feed(head);
        assert_eq!(head.is_err(), first_bad.is_some_and(|end| end <= cut));
        if head.is_err() {
            continue;
        }
        let tail = validator.feed(tail);
        assert_eq!(tail.is_err(), first_bad.is_some());
        if tail.is_ok() {
            assert_eq!(validator.finish().is_ok(), whole);
        }
    }
}

/// A close frame's body.
fn body(input: &[u8]) {
    match (close::parse(input), reference::closed(input)) {
        (Ok((code, reason)), Told::Closed(wanted, text)) => {
            assert_eq!((code, reason), (wanted, text.as_str()));
        }
        (Err(error), Told::Failed(code)) => assert_eq!(error.close_code(), code),
        (found, wanted) => panic!("{found:?} where {wanted:?} was due"),
    }
}

/// The drop-in's look at a frame in memory.
fn looked_at(input: &[u8]) {
    let Some(found) = package::look(input) else {
        let Some(header) = reference::header(input) else {
            return;
        };
        let valid = frame::judge(header.first, input[1], 0).is_ok();
        let total = u128::from(header.length) + header.size as u128;
        assert!(!valid || total > u128::from(u32::MAX));
        return;
    };
    assert_eq!(found.kind.is_control(), input[0] & 0x08 != 0);
    assert!(found.header_length <= frame::MAX_HEADER as u32);
    let Some(header) = reference::header(input) else {
        assert_eq!(found.whole, None);
        return;
    };
    assert_eq!(u64::from(found.length), header.length);
    assert_eq!(found.header_length as usize, header.size);
    let total = header.size as u64 + header.length;
    let whole = (input.len() as u64 >= total).then_some(header.key);
    assert_eq!(found.whole, whole);
}

/// The drop-in's frames in memory: packed, looked at, unpacked.
fn packed(input: &[u8]) {
    const KINDS: [Kind; 9] = [
        Kind::Middle,
        Kind::Last,
        Kind::Text,
        Kind::TextStart,
        Kind::Binary,
        Kind::BinaryStart,
        Kind::Close,
        Kind::Ping,
        Kind::Pong,
    ];
    let mut source = Source::new(input);
    let kind = source.choice(&KINDS);
    let masked = source.byte() & 1 == 1;
    let room = usize::from(source.short());
    let payload = source.rest();
    let Some(plan) = package::plan(payload.len(), room, masked, kind) else {
        let least = payload.len() + 2 + if masked { 4 } else { 0 };
        let too_long = kind.is_control() && payload.len() > 125;
        assert!(too_long || room < least + 8);
        return;
    };
    let mut bytes = vec![0; plan.header_length];
    bytes.extend_from_slice(payload);
    assert!(bytes.len() <= room);
    plan.complete(&mut bytes);
    let found = package::look(&bytes).expect("what was packed is a frame");
    assert_eq!((found.kind, found.length as usize), (kind, payload.len()));
    assert_eq!(found.header_length as usize, plan.header_length);
    let key = found.whole.expect("a whole frame");
    assert_eq!(key.is_some(), masked);
    package::unmask(&mut bytes[plan.header_length..], key);
    assert_eq!(&bytes[plan.header_length..], payload);
}
