//! `webSocket_failure`: what went wrong, in detail.

use std::cell::Cell;
use std::ffi::c_char;
use std::mem::size_of;

use super::boundary::{call, take_panic};
use super::result::{WEBSOCKET_OK, webSocket_result};
use crate::net::sys::set_errno;
use crate::proto::Error;
use crate::proto::conn::Connection;

/// Nothing failed.
pub const WEBSOCKET_STAGE_NONE: u32 = 0;
/// A call was not understood, or its handle is gone; nothing was changed.
pub const WEBSOCKET_STAGE_USAGE: u32 = 1;
/// The opening handshake (HTTP).
pub const WEBSOCKET_STAGE_HANDSHAKE: u32 = 6;
/// The WebSocket protocol, after the handshake.
pub const WEBSOCKET_STAGE_PROTOCOL: u32 = 7;
/// The transport ended.
pub const WEBSOCKET_STAGE_CLOSED: u32 = 8;
/// A deadline passed.
pub const WEBSOCKET_STAGE_TIMEOUT: u32 = 9;
/// Memory, random bytes, handles; or a defect of the library.
pub const WEBSOCKET_STAGE_RESOURCES: u32 = 10;
/// The kernel refused a call, such as one to listen (`systemError` tells why).
pub const WEBSOCKET_STAGE_SYSTEM: u32 = 11;

/// What went wrong, at which stage.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct webSocket_failure {
    /// `sizeof` this struct, set by whoever provides it:
    /// `webSocket_failure failure = WEBSOCKET_FAILURE_INIT;`
    pub size: usize,
    /// `WEBSOCKET_STAGE_...`.
    pub stage: u32,
    /// The result that says why; `WEBSOCKET_OK` where nothing failed.
    pub result: webSocket_result,
    /// The `errno` behind it; 0 for none.
    pub systemError: i32,
    /// The HTTP status that was received or sent; 0 for none.
    pub httpStatus: u32,
    /// The `closeCode` of `WEBSOCKET_CLOSE` (1006: lost, or never open); 0
    /// where nothing failed, and where the handshake did.
    pub closeCode: u32,
    /// How many bytes of `answer` count.
    pub answerLength: u32,
    /// A sentence for a log, in English, with its NUL.
    pub text: [c_char; 160],
    /// The first bytes of the HTTP head that failed, as they came: not text,
    /// not trusted, no NUL.
    pub answer: [u8; 256],
}

impl webSocket_failure {
    const fn none() -> webSocket_failure {
        webSocket_failure {
            size: size_of::<webSocket_failure>(),
            stage: WEBSOCKET_STAGE_NONE,
            result: WEBSOCKET_OK,
            systemError: 0,
            httpStatus: 0,
            closeCode: 0,
            answerLength: 0,
            text: [0; 160],
            answer: [0; 256],
        }
    }

    fn of(error: Error, text: &str) -> webSocket_failure {
        let mut failure = webSocket_failure {
            stage: stage(error),
            result: error.into(),
            ..webSocket_failure::none()
        };
        // The last byte stays the NUL.
        let room = failure.text.len() - 1;
        for (to, from) in failure.text.iter_mut().take(room).zip(text.bytes()) {
            *to = from as c_char;
        }
        failure
    }

    /// Why a connection failed, if it did.
    pub(super) fn of_connection(connection: &Connection) -> webSocket_failure {
        let Some((code, Some(error))) = connection.ended() else {
            return webSocket_failure::none();
        };
        let detail = connection.failure();
        let status = detail.map_or(0, |detail| detail.status);
        let mut text = error.to_string();
        if error == Error::HttpStatus && status != 0 {
            text = format!("the server answered with HTTP status {status}, not 101");
        }
        let mut failure = webSocket_failure::of(error, &text);
        failure.httpStatus = status.into();
        if failure.stage != WEBSOCKET_STAGE_HANDSHAKE {
            failure.closeCode = code.into();
        }
        let answer = detail.map_or(&[][..], |detail| &detail.answer);
        for (to, from) in failure.answer.iter_mut().zip(answer) {
            *to = *from;
        }
        failure.answerLength = answer.len().min(failure.answer.len()) as u32;
        failure
    }

    /// Writes it to a caller's struct of a size that we know.
    ///
    /// # Safety
    /// `out` is NULL or points to a `webSocket_failure` whose `size` is set.
    pub(super) unsafe fn give(mut self, out: *mut webSocket_failure) -> Result<(), Error> {
        if out.is_null() {
            return Err(Error::Null);
        }
        // SAFETY: the caller's promise.
        self.size = unsafe { (*out).size };
        if self.size < size_of::<webSocket_failure>() {
            return Err(Error::StructSize);
        }
        // SAFETY: the caller's promise; the struct is at least as large as ours.
        unsafe { out.write(self) };
        Ok(())
    }
}

fn stage(error: Error) -> u32 {
    match webSocket_result::from(error) {
        code if code == Error::Timeout.into() => WEBSOCKET_STAGE_TIMEOUT,
        // A flow code, but the call that was given a freed handle has failed.
        code if code == Error::Gone.into() => WEBSOCKET_STAGE_USAGE,
        -199..=-100 => WEBSOCKET_STAGE_USAGE,
        -299..=-200 => WEBSOCKET_STAGE_PROTOCOL,
        -399..=-300 => WEBSOCKET_STAGE_HANDSHAKE,
        code if code == Error::Address.into() => WEBSOCKET_STAGE_SYSTEM,
        code if code == Error::System.into() => WEBSOCKET_STAGE_SYSTEM,
        -499..=-400 => WEBSOCKET_STAGE_CLOSED,
        -999..=-500 => WEBSOCKET_STAGE_RESOURCES,
        _ => WEBSOCKET_STAGE_NONE,
    }
}

thread_local! {
    static LAST: Cell<webSocket_failure> = const { Cell::new(webSocket_failure::none()) };
}

/// Keeps an error of a call that has no handle to keep it.
pub(super) fn remember<T>(outcome: Result<T, Error>) -> Result<T, Error> {
    remember_cause(outcome.map_err(|error| (error, 0)))
}

/// As [`remember`], of an error with the `errno` behind it; 0 for none. `errno`
/// is set to it as well.
pub(super) fn remember_cause<T>(outcome: Result<T, (Error, i32)>) -> Result<T, Error> {
    outcome.map_err(|(error, cause)| {
        // An older one is not the last failure any more.
        drop(take_panic());
        let mut text = error.to_string();
        if cause != 0 {
            text = format!("{text}: {}", std::io::Error::from_raw_os_error(cause));
            set_errno(cause);
        }
        LAST.set(webSocket_failure {
            systemError: cause,
            ..webSocket_failure::of(error, &text)
        });
        error
    })
}

/// Tells about the last failure, on this thread, of a call that made no
/// handle (`webSocket_conn_newClient` and the like), set an option, or had a
/// server listen.
///
/// `failure->size` must be set (`WEBSOCKET_FAILURE_INIT`). Where a defect of
/// the library was stopped at its boundary (`WEBSOCKET_E_INTERNAL`), `text`
/// says where. Any thread. Results: `WEBSOCKET_OK` (also where nothing has
/// failed: the stage is then `WEBSOCKET_STAGE_NONE`), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_STRUCT_SIZE`. Since 0.1.
///
/// # Safety
/// `failure` is NULL or points to a struct whose `size` is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_lastFailure(
    failure: *mut webSocket_failure,
) -> webSocket_result {
    call(|| {
        let panic = take_panic();
        if !panic.is_empty() {
            LAST.set(webSocket_failure::of(Error::Internal, &panic));
        }
        // SAFETY: the caller's promise.
        unsafe { LAST.get().give(failure) }
    })
}

#[cfg(test)]
mod tests {
    use std::ptr::null_mut;

    use super::*;
    use crate::config::WEBSOCKET_MAX_MESSAGE_BYTES;
    use crate::ffi::config::{
        webSocket_config_addText, webSocket_config_free, webSocket_config_new,
        webSocket_config_setNumber,
    };
    use crate::ffi::result::{
        WEBSOCKET_E_INTERNAL, WEBSOCKET_E_RANGE, WEBSOCKET_E_SEND_UTF8, WEBSOCKET_GONE,
        webSocket_result,
    };

    fn last() -> (webSocket_result, String) {
        let mut failure = webSocket_failure::none();
        // SAFETY: a struct whose size is set.
        assert_eq!(unsafe { webSocket_lastFailure(&mut failure) }, WEBSOCKET_OK);
        let text = failure.text.iter().take_while(|&&byte| byte != 0);
        let text = text.map(|&byte| byte as u8 as char).collect();
        (failure.result, text)
    }

    #[test]
    fn ap15_the_last_failure_is_the_last_one_a_panic_or_not() {
        let range = || call(|| remember(Err(Error::Range)));
        let panic = || call(|| panic!("a defect at this place"));
        for _ in 0..2 {
            assert_eq!(range(), WEBSOCKET_E_RANGE);
            assert_eq!(last().0, WEBSOCKET_E_RANGE);
            assert_eq!(panic(), WEBSOCKET_E_INTERNAL);
            let (result, text) = last();
            assert_eq!(result, WEBSOCKET_E_INTERNAL);
            assert!(text.contains("failure.rs"), "{text}");
        }
    }

    #[test]
    fn a_call_on_what_is_gone_or_in_use_failed_by_its_use() {
        let mut config = null_mut();
        let mut failure = webSocket_failure::none();
        // SAFETY: the pointers are to live variables.
        unsafe {
            assert_eq!(webSocket_config_new(&mut config), WEBSOCKET_OK);
            assert_eq!(webSocket_config_free(config), WEBSOCKET_OK);
            let result = webSocket_config_setNumber(config, WEBSOCKET_MAX_MESSAGE_BYTES, 1);
            assert_eq!(result, WEBSOCKET_GONE);
            assert_eq!(webSocket_lastFailure(&mut failure), WEBSOCKET_OK);
        }
        assert_eq!(failure.result, WEBSOCKET_GONE);
        assert_eq!(failure.stage, WEBSOCKET_STAGE_USAGE);
        assert_eq!(stage(Error::Busy), WEBSOCKET_STAGE_USAGE);
    }

    #[test]
    fn a_text_that_cannot_be_read_is_a_failure_to_be_told() {
        let mut config = null_mut();
        // SAFETY: the pointers are to live variables and literals.
        unsafe {
            assert_eq!(webSocket_config_new(&mut config), WEBSOCKET_OK);
            let bad = c"\xff: x".as_ptr();
            let result = webSocket_config_addText(config, crate::config::WEBSOCKET_HEADER, bad);
            assert_eq!(result, WEBSOCKET_E_SEND_UTF8);
        }
        assert_eq!(last().0, WEBSOCKET_E_SEND_UTF8);
        webSocket_config_free(config);
    }
}
