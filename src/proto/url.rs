//! `ws:` and `wss:` URLs (RFC 6455 3).

use std::net::Ipv6Addr;

use super::error::Error;

#[cfg(test)]
mod tests;

/// The longest URL, in bytes.
pub const MAX_LENGTH: usize = 8192;

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
    /// Reads a URL: `ws://` or `wss://` in any case, a host (a name, an IPv4
    /// address, an IPv6 address in brackets), a port from 1 to 65535, a path,
    /// a query. The last two are kept as they are: what is not ASCII must
    /// come percent-encoded, as must spaces.
    ///
    /// Refused are fragments (RFC 6455 3), zone identifiers, percent-encoded
    /// hosts and anything longer than [`MAX_LENGTH`]; so is `user:password@`:
    /// credentials belong in an Authorization header, where they do not end
    /// up in logs and in the Host header.
    pub fn parse(text: &str) -> Result<Url, Error> {
        if text.len() > MAX_LENGTH || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Url);
        }
        let (scheme, rest) = split_scheme(text).ok_or(Error::Url)?;
        let secure = scheme.eq_ignore_ascii_case("wss");
        if !secure && !scheme.eq_ignore_ascii_case("ws") {
            return Err(Error::Url);
        }
        let (authority, target) = split_target(rest);
        let (host, port) = split_authority(authority).ok_or(Error::Url)?;
        if target.contains('#') || port == Some(0) {
            return Err(Error::Url);
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Url {
            secure,
            host: host.to_owned(),
            port: port.unwrap_or(default_port(secure)),
            target: [slash, target].concat(),
        })
    }

    /// The value of the Host header: brackets around an IPv6 literal, no
    /// default port.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = &self.host;
        // Of all hosts only an IPv6 address has a colon.
        let (open, close) = if host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        if self.port == default_port(self.secure) {
            format!("{open}{host}{close}")
        } else {
            format!("{open}{host}{close}:{}", self.port)
        }
    }
}

/// 80, or 443 under TLS.
pub(super) const fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Cuts `scheme://rest` at the first colon.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// What follows `scheme://`, cut behind the authority (RFC 3986 3.2).
pub(super) fn split_target(rest: &str) -> (&str, &str) {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    rest.split_at_checked(end).unwrap_or((rest, ""))
}

/// Takes `host[:port]` apart, the host without brackets. A port may be empty,
/// which is none (RFC 3986 3.2.3); the host may not.
pub(super) fn split_authority(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, port)
        }
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (name, port) = text.split_at_checked(end)?;
            if name.is_empty() || !name.bytes().all(is_name_byte) {
                return None;
            }
            (name, port)
        }
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, None)),
        None => None,
        Some("") => Some((host, None)),
        // A number's own parser would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, Some(digits.parse().ok()?)))
        }
        Some(_) => None,
    }
}

/// The characters that RFC 3986 3.2.2 gives a name, percent-encoding aside.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}
