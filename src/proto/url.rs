//! `ws:` and `wss:` URLs (RFC 6455 3).

use super::error::Error;

/// A URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `wss:`.
    pub secure: bool,
    /// The host without brackets, as a name or an address literal.
    pub host: String,
    /// The port; 80 or 443 where the URL names none.
    pub port: u16,
    /// Path and query; `/` where the URL has none.
    pub target: String,
}

impl Url {
    /// Reads a URL.
    pub fn parse(_text: &str) -> Result<Url, Error> {
        todo!()
    }

    /// The value of the Host header: brackets around an IPv6 literal, no
    /// default port.
    #[must_use]
    pub fn authority(&self) -> String {
        todo!()
    }
}
