//! `webSocket_config`: the options that a handle is made with.

use std::ffi::c_char;

use super::boundary::call;
use super::convert::{text, write};
use super::failure::remember;
use super::handle::{Door, Kind};
use super::result::webSocket_result;
use crate::config::Config;
use crate::proto::Error;

pub(crate) static CONFIGS: Door<Config> = Door::new(Kind::Config);

/// Options for the handles to be made; an opaque token, not an address.
pub struct webSocket_config {
    _opaque: [u8; 0],
}

/// Makes a config that holds every option's default.
///
/// Writes the token to `*config`, on success only; the caller frees it with
/// `webSocket_config_free`. A handle copies the config that it is made from.
/// One thread at a time. Results: `WEBSOCKET_OK`, `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_HANDLES`. Since 0.1.
///
/// # Safety
/// `config` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_config_new(
    config: *mut *mut webSocket_config,
) -> webSocket_result {
    call(|| {
        if config.is_null() {
            return Err(Error::Null);
        }
        let token = CONFIGS.insert(Config::default())?;
        // SAFETY: the caller's promise.
        unsafe { write(config, token as *mut webSocket_config) }
    })
}

/// Sets an option that is a number (`WEBSOCKET_MAX_MESSAGE_BYTES` and the
/// like; each one's comment tells its unit).
///
/// One thread at a time. Results: `WEBSOCKET_OK`; nothing is changed by
/// `WEBSOCKET_E_OPTION` (no such option, or it holds texts),
/// `WEBSOCKET_E_RANGE`, `WEBSOCKET_E_NULL`, `WEBSOCKET_GONE`,
/// `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_config_setNumber(
    config: *mut webSocket_config,
    option: u32,
    value: u64,
) -> webSocket_result {
    call(|| {
        remember((|| {
            let mut entered = CONFIGS.enter(config as usize)?;
            entered.value()?.set_number(option, value)
        })())
    })
}

/// Makes `text` the only one of an option that holds a list of texts
/// (`WEBSOCKET_HEADER`, `WEBSOCKET_SUBPROTOCOL`, `WEBSOCKET_ORIGIN`).
///
/// `text` is UTF-8 with a NUL, and copied. One thread at a time. Results:
/// `WEBSOCKET_OK`; nothing is changed by `WEBSOCKET_E_OPTION`,
/// `WEBSOCKET_E_HEADER` (not a header line that may be sent),
/// `WEBSOCKET_E_RANGE` (not a token, or listed already), `WEBSOCKET_E_NULL`,
/// `WEBSOCKET_E_SEND_UTF8`, `WEBSOCKET_E_SEND_TOO_BIG` (over 64 KiB),
/// `WEBSOCKET_GONE`, `WEBSOCKET_E_BUSY`. Since 0.1.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_config_setText(
    config: *mut webSocket_config,
    option: u32,
    text: *const c_char,
) -> webSocket_result {
    // SAFETY: the caller's promise.
    unsafe { with_text(config, text, |config, text| config.set_text(option, text)) }
}

/// Adds `text` to an option that holds a list of texts.
///
/// As `webSocket_config_setText`, but what the list holds already stays.
/// Since 0.1.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn webSocket_config_addText(
    config: *mut webSocket_config,
    option: u32,
    text: *const c_char,
) -> webSocket_result {
    // SAFETY: the caller's promise.
    unsafe { with_text(config, text, |config, text| config.add_text(option, text)) }
}

/// # Safety
/// `value` is NULL or a NUL-terminated string.
unsafe fn with_text(
    config: *mut webSocket_config,
    value: *const c_char,
    set: impl FnOnce(&mut Config, &str) -> Result<(), Error>,
) -> webSocket_result {
    call(|| {
        remember((|| {
            let mut entered = CONFIGS.enter(config as usize)?;
            // SAFETY: the caller's promise.
            let value = unsafe { text(value) }?;
            set(entered.value()?, value)
        })())
    })
}

/// Frees a config; handles that were made from it are not touched.
///
/// NULL is fine. One thread at a time. Results: `WEBSOCKET_OK`,
/// `WEBSOCKET_GONE` (freed before), `WEBSOCKET_E_BUSY`. Since 0.1.
#[unsafe(no_mangle)]
pub extern "C" fn webSocket_config_free(config: *mut webSocket_config) -> webSocket_result {
    call(|| {
        if config.is_null() {
            return Ok(());
        }
        CONFIGS.free(config as usize)
    })
}
