//! What a server shows to a browser beside its WebSocket.

use super::error::Error;
use super::http;

/// The longest path of a page, in bytes.
pub const MAX_PATH: usize = 1024;
/// The longest content type, in bytes.
const MAX_TYPE: usize = 256;

/// A page: what a GET of its path is answered with. It is shared by all that
/// read it, and stays until the last of them has.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    content_type: String,
    bytes: Vec<u8>,
}

impl Page {
    /// A page of a copy of `bytes`. [`Error::Header`]: not a content type that
    /// can be sent: `type/subtype`, parameters behind a semicolon.
    pub fn new(content_type: &str, bytes: &[u8]) -> Result<Page, Error> {
        let (media, _) = content_type.split_once(';').unwrap_or((content_type, ""));
        let (kind, subtype) = media.trim_ascii().split_once('/').ok_or(Error::Header)?;
        let fits = content_type.len() <= MAX_TYPE
            && content_type.is_ascii()
            && http::is_token(kind)
            && http::is_token(subtype)
            && http::is_sendable_header("Content-Type", content_type);
        if !fits {
            return Err(Error::Header);
        }
        let mut copy = Vec::new();
        copy.try_reserve_exact(bytes.len())
            .map_err(|_| Error::Memory)?;
        copy.extend_from_slice(bytes);
        Ok(Page {
            content_type: content_type.trim_ascii().to_owned(),
            bytes: copy,
        })
    }

    /// Its content type.
    #[must_use]
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Whether a request can ask for this path: it begins with one slash, is
/// visible ASCII (all else comes percent-encoded, RFC 3986 2.1), has neither a
/// query nor a fragment, and is not over [`MAX_PATH`].
#[must_use]
pub fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= MAX_PATH
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#')
}
