//! `webSocket_parser`: frames told, for tools and tests.

use std::mem::{offset_of, size_of};
use std::ptr;

use super::boundary::call;
use super::convert::write;
use super::event::{WEBSOCKET_FINAL, WEBSOCKET_FIRST};
use super::failure::remember;
use super::handle::{Door, Kind};
use super::result::webSocket_result;
use crate::proto::Error;
use crate::proto::conn::Role;
use crate::proto::incoming::Input;
use crate::proto::parser::{self, Piece, Rules};

static PARSERS: Door<Parser> = Door::new(Kind::Parser);

/// The frames come from a client: each must be masked.
pub const WEBSOCKET_PARSER_FROM_CLIENT: u32 = 1;
/// The frames come from a server: none may be masked.
pub const WEBSOCKET_PARSER_FROM_SERVER: u32 = 2;
/// permessage-deflate was agreed on: RSV1 on the first frame of a message says
/// that it is compressed (RFC 7692 6). Nothing is decompressed.
pub const WEBSOCKET_PARSER_COMPRESSED: u32 = 4;

/// A parser of frames; an opaque token, not an address.
pub struct webSocket_parser {
    _opaque: [u8; 0],
}

/// A piece of a frame.
///
/// A frame comes in one piece, or in several where what was fed ends inside
/// it. All fields but `flags`, `problems`, `closeCode` and those of the piece
/// (`data`, `length`, `pieceOffset`, `remaining`) are the same in all of them.
#[repr(C)]
#[derive(Debug)]
pub struct webSocket_frame {
    /// `sizeof` this struct, set by whoever provides it:
    /// `webSocket_frame frame = WEBSOCKET_FRAME_INIT;`
    pub size: usize,
    /// Payload of this piece, unmasked, never NULL; borrowed until the next
    /// call of `webSocket_parser_next`, `_feed` or `_free` on the handle. It
    /// stands in what was fed.
    pub data: *const u8,
    /// How many bytes `data` has. 0 in the first piece where no payload has
    /// come with the header, and in the last of a frame that was cut off.
    pub length: usize,
    /// Bytes of the frame's header, 2 to 14; fewer than its form needs where
    /// the stream ended inside it (`WEBSOCKET_PROBLEM_HEADER_CUT`): what has not
    /// come is then 0 in the fields below.
    pub headerLength: usize,
    /// Where the frame begins in the stream, in bytes.
    pub offset: u64,
    /// Bytes of the whole payload, as the header announces it.
    pub payloadLength: u64,
    /// Where `data` begins in the payload, in bytes.
    pub pieceOffset: u64,
    /// Payload bytes behind this piece; with `WEBSOCKET_FINAL`, those that will
    /// not come.
    pub remaining: u64,
    /// `WEBSOCKET_FIRST`, `WEBSOCKET_FINAL`: the first and the last piece of the
    /// frame. Each frame has both.
    pub flags: u32,
    /// What is wrong with the frame: a set of `WEBSOCKET_PROBLEM_...`, 0 for
    /// nothing. Only ever grows from piece to piece.
    pub problems: u32,
    /// 0 to 15.
    pub opcode: u32,
    /// The code of a close frame, once it has come; else 0.
    pub closeCode: u32,
    /// The form of the length: 7, 16 or 64 bits.
    pub lengthBits: u32,
    /// 1: `maskKey` was applied to the payload.
    pub masked: u32,
    /// The mask key.
    pub maskKey: [u8; 4],
    /// The last frame of its message: 0 or 1.
    pub fin: u8,
    /// The first reserved bit: 0 or 1.
    pub rsv1: u8,
    /// The second reserved bit: 0 or 1.
    pub rsv2: u8,
    /// The third reserved bit: 0 or 1.
    pub rsv3: u8,
}

// On every target: neither a hole nor a padded tail, as in webSocket_event.
const _: () = {
    assert!(size_of::<webSocket_frame>() == 4 * size_of::<usize>() + 64);
    assert!(offset_of!(webSocket_frame, offset) == 4 * size_of::<usize>());
    assert!(offset_of!(webSocket_frame, flags) == 4 * size_of::<usize>() + 32);
    assert!(offset_of!(webSocket_frame, maskKey) == 4 * size_of::<usize>() + 56);
};

impl webSocket_frame {
    fn new(piece: &Piece<'_>, size: usize) -> webSocket_frame {
        let head = &piece.head;
        let bit = |mask| u8::from(head.first() & mask != 0);
        let first = if piece.first { WEBSOCKET_FIRST } else { 0 };
        let last = if piece.last { WEBSOCKET_FINAL } else { 0 };
        webSocket_frame {
            size,
            data: piece.data.as_ptr(),
            length: piece.data.len(),
            headerLength: head.arrived().into(),
            offset: piece.offset,
            payloadLength: head.length().unwrap_or(0),
            pieceOffset: piece.at,
            remaining: piece.remaining,
            flags: first | last,
            problems: piece.problems.bits(),
            opcode: (head.first() & 0x0F).into(),
            closeCode: piece.close_code.map_or(0, u32::from),
            lengthBits: head.length_bits().map_or(0, u32::from),
            masked: head.masked().map_or(0, u32::from),
            maskKey: head.key().unwrap_or_default(),
            fin: bit(0x80),
            rsv1: bit(0x40),
            rsv2: bit(0x20),
            rsv3: bit(0x10),
        }
    }
}

/// A parser and the bytes that it was fed and has not read.
struct Parser {
    parser: parser::Parser,
    fed: *mut u8,
    length: usize,
}

// SAFETY: `fed` is memory that the program lent with `feed`; it is touched only
// in `next`, by the one thread that has the handle.
unsafe impl Send for Parser {}

/// What a parser's flags say.
fn rules(flags: u32) -> Result<Rules, Error> {
    let (client, server) = (WEBSOCKET_PARSER_FROM_CLIENT, WEBSOCKET_PARSER_FROM_SERVER);
    let sender = match flags & (client | server) {
        0 => None,
        one if one == client => Some(Role::Client),
        one if one == server => Some(Role::Server),
        _ => return Err(Error::Usage),
    };
    if flags & !(client | server | WEBSOCKET_PARSER_COMPRESSED) != 0 {
        return Err(Error::Usage);
    }
    Ok(Rules {
        sender,
        compression: flags & WEBSOCKET_PARSER_COMPRESSED != 0,
    })
}

/// Makes a parser of frames, which tells what stands in a stream and what is
/// wrong with it, and goes on. It refuses nothing and answers nothing; for a
/// connection take `webSocket_conn`.
///
/// ```c
/// webSocket_parser *parser;
/// webSocket_frame frame = WEBSOCKET_FRAME_INIT;
/// webSocket_parser_new(WEBSOCKET_PARSER_FROM_CLIENT, &parser);
/// while ((length = read(0, bytes, sizeof bytes)) > 0) {
///     webSocket_parser_feed(parser, bytes, (size_t)length);
///     while (webSocket_parser_next(parser, &frame) == WEBSOCKET_OK)
///         printf("opcode %u, problems %x\n", (unsigned)frame.opcode, (unsigned)frame.problems);
/// }
/// webSocket_parser_free(parser);
/// ```
///
/// One parser reads one direction of a connection, from behind the HTTP head.
/// `flags`: `WEBSOCKET_PARSER_FROM_CLIENT` or `WEBSOCKET_PARSER_FROM_SERVER` (with
/// neither, masked and unmasked frames are both right),
/// `WEBSOCKET_PARSER_COMPRESSED`; 0 is fine. Writes the token to `*parser`, on
/// success only; the caller frees it with `webSocket_parser_free`. Its memory is small and does
/// not depend on the stream. Any thread. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_USAGE` (no such flags), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_HANDLES`. Since 0.1.
///
/// # Safety
/// `parser` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_parser_new(
    flags: u32,
    parser: *mut *mut webSocket_parser,
) -> webSocket_result {
    call(|| {
        remember((|| {
            if parser.is_null() {
                return Err(Error::Null);
            }
            let token = PARSERS.insert(Parser {
                parser: parser::Parser::new(rules(flags)?),
                fed: ptr::null_mut(),
                length: 0,
            })?;
            // SAFETY: the caller's promise.
            unsafe { write(parser, token as *mut webSocket_parser) }
        })())
    })
}

/// Frees a parser.
///
/// NULL is fine. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_parser_free(parser: *mut webSocket_parser) -> webSocket_result {
    call(|| {
        if parser.is_null() {
            return Ok(());
        }
        PARSERS.free(parser as usize)
    })
}

/// Hands over the next bytes of the stream, in any cut.
///
/// `data` (`length` bytes) is lent until `webSocket_parser_next` has given
/// another result than `WEBSOCKET_OK` or the handle was freed, and its payload
/// is unmasked in place meanwhile. One thread at a time. Results:
/// `WEBSOCKET_OK`; nothing is lent by `WEBSOCKET_E_STATE` (what was fed before is
/// not read yet, or the stream has ended), `WEBSOCKET_E_LENGTH` (behind
/// `WEBSOCKET_PROBLEM_LENGTH_TOP_BIT`), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_SEND_TOO_BIG` (a negative length in disguise),
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `data` may be read and written until it is given back as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_parser_feed(
    parser: *mut webSocket_parser,
    data: *mut u8,
    length: usize,
) -> webSocket_result {
    call(|| {
        let mut entered = PARSERS.enter(parser as usize)?;
        let parser = entered.value()?;
        parser.parser.may_feed()?;
        if parser.length > 0 {
            return Err(Error::State);
        }
        if isize::try_from(length).is_err() {
            return Err(Error::SendTooBig);
        }
        if length > 0 && data.is_null() {
            return Err(Error::Null);
        }
        (parser.fed, parser.length) = (data, length);
        Ok(())
    })
}

/// Tells that the stream ends behind what was fed: a frame that is not whole
/// then is told with `WEBSOCKET_PROBLEM_HEADER_CUT` or `_PAYLOAD_CUT`.
///
/// One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_parser_feedEof(parser: *mut webSocket_parser) -> webSocket_result {
    call(|| {
        PARSERS.enter(parser as usize)?.value()?.parser.feed_eof();
        Ok(())
    })
}

/// Gives the next frame, or the next piece of one.
///
/// `frame->size` must be set (`WEBSOCKET_FRAME_INIT`); `frame->data` is borrowed
/// as its comment says. A header is told as soon as it is whole. One thread at
/// a time. Results: `WEBSOCKET_OK` (a piece), `WEBSOCKET_AGAIN` (none until
/// more is fed), `WEBSOCKET_CLOSED` (the stream has ended and all was told),
/// `WEBSOCKET_E_LENGTH` (the last frame told had
/// `WEBSOCKET_PROBLEM_LENGTH_TOP_BIT`; what followed was dropped),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `frame` is NULL or points to a struct whose `size` is set; what was fed is
/// still lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_parser_next(
    parser: *mut webSocket_parser,
    frame: *mut webSocket_frame,
) -> webSocket_result {
    call(|| {
        let mut entered = PARSERS.enter(parser as usize)?;
        let parser = entered.value()?;
        if frame.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        let size = unsafe { (*frame).size };
        if size < size_of::<webSocket_frame>() {
            return Err(Error::StructSize);
        }
        let fed: &mut [u8] = if parser.length == 0 {
            &mut []
        } else {
            // SAFETY: `feed` got this memory on loan until it is read to its
            // end, and nothing that was lent out of it is used any more.
            unsafe { std::slice::from_raw_parts_mut(parser.fed, parser.length) }
        };
        let mut input = Input::new(fed);
        let found = parser.parser.next(&mut input);
        let found = found.map(|piece| webSocket_frame::new(&piece, size));
        let read = input.consumed();
        // SAFETY: `read` is at most the length of what was fed.
        parser.fed = unsafe { parser.fed.add(read) };
        parser.length -= read;
        // SAFETY: the caller's promise; the struct is at least as large as ours.
        unsafe { write(frame, found?) }
    })
}
