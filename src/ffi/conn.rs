//! `webSocket_conn`: one connection, for any transport and any loop.

mod fed;
pub mod request;
pub mod send;

use std::ffi::c_char;
use std::mem::size_of;
use std::ptr;
use std::sync::{Arc, LazyLock};

use fed::Conn;

use super::boundary::call;
use super::config::{CONFIGS, webSocket_config};
use super::convert::{text, write};
use super::event::webSocket_event;
use super::failure::{remember, webSocket_failure};
use super::handle::{Door, Kind};
use super::log::{WEBSOCKET_LOG_WARNING, log};
use super::result::webSocket_result;
use crate::net::sys;
use crate::proto::Error;
use crate::proto::conn::{Connection, Event, Role};
use crate::proto::incoming::Input;
use crate::proto::settings::Settings;
use crate::proto::url::Url;

static CONNS: Door<Conn> = Door::new(Kind::Conn);

/// A connection; an opaque token, not an address.
pub struct webSocket_conn {
    _opaque: [u8; 0],
}

/// Runs a call on a connection.
fn with<T>(
    conn: *mut webSocket_conn,
    body: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    body(CONNS.enter(conn as usize)?.value()?)
}

/// As [`with`], for the calls that are made for every message.
#[inline(always)]
fn with_fast<T>(
    conn: *mut webSocket_conn,
    body: impl FnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, Error> {
    body(CONNS.enter_fast(conn as usize)?.value()?)
}

/// The settings of a config, or the defaults; shared, not copied.
fn settings_of(config: *const webSocket_config, role: Role) -> Result<Arc<Settings>, Error> {
    static DEFAULTS: LazyLock<Arc<Settings>> = LazyLock::new(Arc::default);
    if config.is_null() {
        return Ok(Arc::clone(&DEFAULTS));
    }
    CONFIGS.enter(config as usize)?.value()?.settings(role)
}

/// # Safety
/// `out` is NULL or may be written.
unsafe fn put(connection: Connection, out: *mut *mut webSocket_conn) -> Result<(), Error> {
    let token = CONNS.insert(Conn {
        connection,
        fed: ptr::null_mut(),
        length: 0,
        room: ptr::null_mut(),
        room_length: 0,
    })?;
    // SAFETY: the caller's promise.
    unsafe { write(out, token as *mut webSocket_conn) }
}

/// Makes the client's end of a connection over a transport that the program
/// brings. Its first output is the opening request.
///
/// `config` may be NULL (defaults) and is copied. `url`: `ws://host[:port]/path?query`
/// or `wss://...`; used for the request only, nothing is connected. Writes the
/// token to `*conn`, on success only; the caller frees it with
/// `webSocket_conn_free`. Any thread. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_URL`, `WEBSOCKET_E_OPTION`
/// (an option is set that is for servers), `WEBSOCKET_E_LIMITS`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG` (a URL over 64 KiB),
/// `WEBSOCKET_E_RANDOM`, `WEBSOCKET_E_MEMORY`, `WEBSOCKET_E_HANDLES`,
/// `WEBSOCKET_GONE` or `WEBSOCKET_E_BUSY` (the config);
/// `webSocket_lastFailure` has a sentence. Since 0.1.
///
/// # Safety
/// `url` is NULL or a NUL-terminated string; `conn` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_newClient(
    config: *const webSocket_config,
    url: *const c_char,
    conn: *mut *mut webSocket_conn,
) -> webSocket_result {
    call(|| {
        remember((|| {
            if conn.is_null() {
                return Err(Error::Null);
            }
            let settings = settings_of(config, Role::Client)?;
            // SAFETY: the caller's promise.
            let url = Url::parse(unsafe { text(url) }?)?;
            let connection = Connection::client(settings, sys::random, &url)?;
            // SAFETY: the caller's promise.
            unsafe { put(connection, conn) }
        })())
    })
}

/// Makes the server's end of a connection over a transport that the program
/// brings, such as a socket that it accepted.
///
/// `config` may be NULL (defaults) and is copied. Writes the token to `*conn`,
/// on success only; the caller frees it with `webSocket_conn_free`. Any thread. Results:
/// `WEBSOCKET_OK`, `WEBSOCKET_E_LIMITS` (they do not fit
/// `WEBSOCKET_MEMORY_BYTES`), `WEBSOCKET_E_OPTION` (one is set that is for
/// `webSocket_server`), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_HANDLES`,
/// `WEBSOCKET_GONE` or `WEBSOCKET_E_BUSY` (the config);
/// `webSocket_lastFailure` has a sentence. Since 0.1.
///
/// # Safety
/// `conn` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_newServer(
    config: *const webSocket_config,
    conn: *mut *mut webSocket_conn,
) -> webSocket_result {
    call(|| {
        remember((|| {
            if conn.is_null() {
                return Err(Error::Null);
            }
            let settings = settings_of(config, Role::Server)?;
            // SAFETY: the caller's promise.
            unsafe { put(Connection::server(settings, sys::random), conn) }
        })())
    })
}

/// Frees a connection; nothing is sent.
///
/// NULL is fine. From within a callback of the same handle it takes effect
/// when the call returns. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_conn_free(conn: *mut webSocket_conn) -> webSocket_result {
    call(|| {
        if conn.is_null() {
            return Ok(());
        }
        CONNS.free(conn as usize)
    })
}

/// Hands over bytes that came from the peer, in any cut.
///
/// `data` (`length` bytes) is lent until `webSocket_conn_next` has said
/// `WEBSOCKET_AGAIN` or `WEBSOCKET_CLOSED` or the handle was freed, and is
/// unmasked in place meanwhile; what was cut off at its end is copied then.
/// Bytes at the start of `webSocket_conn_room` are taken where they are.
/// One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE` (what
/// was fed before is not read yet: call `webSocket_conn_next`),
/// `WEBSOCKET_E_USAGE` (more than the room has, or not from its start),
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_SEND_TOO_BIG` (a negative length in
/// disguise), `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `data` may be read and written until it is given back as above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_feed(
    conn: *mut webSocket_conn,
    data: *mut u8,
    length: usize,
) -> webSocket_result {
    call(|| {
        with_fast(conn, |conn| {
            conn.may_feed()?;
            if isize::try_from(length).is_err() {
                return Err(Error::SendTooBig);
            }
            if length > 0 && data.is_null() {
                return Err(Error::Null);
            }
            match conn.place_in_room(data) {
                None => (conn.fed, conn.length) = (data, length),
                Some(0) if length <= conn.room_length => conn.connection.read_into_room(length),
                Some(_) => return Err(Error::Usage),
            }
            Ok(())
        })
    })
}

/// Gives room to read the rest of a long frame into, so that it is not copied.
///
/// Writes `*data` and `*length`; NULL and 0 where there is none, as before
/// `webSocket_conn_next` has said `WEBSOCKET_AGAIN`: read into memory of the
/// program's then. Read up to `length` bytes to `data` and hand them over with
/// `webSocket_conn_feed(conn, data, count)`. The room is the connection's own,
/// there until the next call of `webSocket_conn_next`, `_room` or `_free` on the
/// handle. One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_STATE`
/// (what was fed before is not read yet), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `data` and `length` are NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_room(
    conn: *mut webSocket_conn,
    data: *mut *mut u8,
    length: *mut usize,
) -> webSocket_result {
    call(|| {
        if data.is_null() || length.is_null() {
            return Err(Error::Null);
        }
        with_fast(conn, |conn| {
            conn.may_feed()?;
            let room = conn.connection.room();
            (conn.room, conn.room_length) = match room {
                Some(room) => (room.as_mut_ptr(), room.len()),
                None => (ptr::null_mut(), 0),
            };
            // SAFETY: the caller's promise.
            unsafe {
                write(data, conn.room)?;
                write(length, conn.room_length)
            }
        })
    })
}

/// Tells that the peer will send no more bytes (`recv` returned 0, or failed
/// for good). `webSocket_conn_next` still gives what was fed before, then
/// `WEBSOCKET_CLOSE`.
///
/// One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_conn_feedEof(conn: *mut webSocket_conn) -> webSocket_result {
    call(|| {
        with(conn, |conn| {
            conn.connection.feed_eof();
            Ok(())
        })
    })
}

/// Gives the next event.
///
/// `event->size` must be set (`WEBSOCKET_EVENT_INIT`); `event->data` is
/// borrowed as its comment says. A request that the program neither accepts
/// nor refuses before the next call is accepted by that call. One thread at a
/// time. Results: `WEBSOCKET_OK` (an event), `WEBSOCKET_AGAIN` (none until
/// more is fed), `WEBSOCKET_CLOSED` (none ever again), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_STRUCT_SIZE`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`.
/// Since 0.1.
///
/// # Safety
/// `event` is NULL or points to a struct whose `size` is set; what was fed is
/// still lent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_next(
    conn: *mut webSocket_conn,
    event: *mut webSocket_event,
) -> webSocket_result {
    call(|| {
        if event.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        let size = unsafe { (*event).size };
        if size < size_of::<webSocket_event>() {
            return Err(Error::StructSize);
        }
        let mut entered = CONNS.enter_fast(conn as usize)?;
        let conn = entered.value()?;
        let fed: &mut [u8] = if conn.length == 0 {
            &mut []
        } else {
            // SAFETY: `feed` got this memory on loan until it is read to its
            // end, and nothing that was lent out of it is used any more.
            unsafe { std::slice::from_raw_parts_mut(conn.fed, conn.length) }
        };
        let mut input = Input::new(fed);
        conn.room = ptr::null_mut();
        let found = conn.connection.next(&mut input).map(|happened| {
            if let Event::Close(close) = &happened {
                if let Some(error) = close.error {
                    log(WEBSOCKET_LOG_WARNING, || {
                        format!("connection ended: {error}")
                    });
                }
            }
            webSocket_event::new(&happened)
        });
        let read = input.consumed();
        // SAFETY: `read` is at most the length of what was fed.
        conn.fed = unsafe { conn.fed.add(read) };
        conn.length -= read;
        let found = webSocket_event { size, ..found? };
        // SAFETY: the caller's promise; the struct is at least as large as ours.
        unsafe { write(event, found) }
    })
}

/// Gives what is to be written to the transport.
///
/// Writes `*data` and `*length`: borrowed until the next call on the handle,
/// but for `webSocket_conn_requestHeader`. Say with
/// `webSocket_conn_outputDone` how much was written. One thread at a time.
/// Results: `WEBSOCKET_OK` (length 0: nothing to write now),
/// `WEBSOCKET_CLOSED` (all is written and the connection is over: shut the
/// transport down and close it), `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `data` and `length` are NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_output(
    conn: *mut webSocket_conn,
    data: *mut *const u8,
    length: *mut usize,
) -> webSocket_result {
    call(|| {
        if data.is_null() || length.is_null() {
            return Err(Error::Null);
        }
        with_fast(conn, |conn| {
            let output = conn.connection.output()?;
            // SAFETY: the caller's promise.
            unsafe {
                write(data, output.as_ptr())?;
                write(length, output.len())
            }
        })
    })
}

/// Tells that the transport took the first `length` bytes of
/// `webSocket_conn_output`.
///
/// One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_USAGE` (more
/// than there were; nothing was changed), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_conn_outputDone(
    conn: *mut webSocket_conn,
    length: usize,
) -> webSocket_result {
    call(|| with_fast(conn, |conn| conn.connection.done(length)))
}

/// Tells the time, before reading and whenever the deadline that it wrote has
/// come. Deadlines (handshake, close, ping, idle) are acted on here; what they
/// cause is in `webSocket_conn_next` and `_output`. A peer that is silent for
/// too long is given one more turn of the loop: the call that finds it overdue
/// writes the present as the deadline, and the next one acts.
///
/// `nowMs`: milliseconds of a clock that never runs backwards
/// (`CLOCK_MONOTONIC`). Writes `*deadlineMs`, on the same clock; `UINT64_MAX`
/// where nothing is due; NULL is fine. Without any call there are no
/// deadlines. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_NULL` (the handle), `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`.
/// Since 0.1.
///
/// # Safety
/// `deadlineMs` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_tick(
    conn: *mut webSocket_conn,
    nowMs: u64,
    deadlineMs: *mut u64,
) -> webSocket_result {
    call(|| {
        with(conn, |conn| {
            let deadline = conn.connection.tick(nowMs);
            if deadlineMs.is_null() {
                return Ok(());
            }
            // SAFETY: the caller's promise.
            unsafe { write(deadlineMs, deadline) }
        })
    })
}

/// Tells how many bytes wait to be sent, so that a program can stop reading
/// from a peer that does not.
///
/// Writes `*length`. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `length` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_bufferedBytes(
    conn: *mut webSocket_conn,
    length: *mut usize,
) -> webSocket_result {
    call(|| {
        with(conn, |conn| {
            // SAFETY: the caller's promise.
            unsafe { write(length, conn.connection.queued()) }
        })
    })
}

/// Tells why the connection failed.
///
/// `failure->size` must be set (`WEBSOCKET_FAILURE_INIT`). One thread at a
/// time. Results: `WEBSOCKET_OK` (also where nothing failed: the stage is then
/// `WEBSOCKET_STAGE_NONE`), `WEBSOCKET_E_NULL`, `WEBSOCKET_E_STRUCT_SIZE`,
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `failure` is NULL or points to a struct whose `size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_conn_failure(
    conn: *mut webSocket_conn,
    failure: *mut webSocket_failure,
) -> webSocket_result {
    call(|| {
        with(conn, |conn| {
            let report = webSocket_failure::of_connection(&conn.connection);
            // SAFETY: the caller's promise.
            unsafe { report.give(failure) }
        })
    })
}
