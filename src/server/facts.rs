//! What is known of a peer since its request, in one small block: ten thousand
//! peers have ten thousand of them.

use std::net::{IpAddr, SocketAddr};

use crate::net::sys::listen::Address;

/// Where a peer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An IPv4 or IPv6 address and a port.
    Internet(SocketAddr),
    /// This machine, by a local socket.
    Local,
}

/// What is known; nothing where no peer is.
///
/// One byte for the kind of address; four for the target's length; of an
/// Internet address the port and the IP; the target; the subprotocol.
#[derive(Debug, Default)]
pub struct Facts {
    block: Box<[u8]>,
}

const UNKNOWN: u8 = 1;
const LOCAL: u8 = 2;
const V4: u8 = 4;
const V6: u8 = 6;
/// The kind and the target's length.
const HEAD: usize = 5;

impl Facts {
    /// Of a peer from there; `None` where the kernel does not say.
    #[must_use]
    pub fn new(address: Option<&Address>) -> Facts {
        let mut block = vec![UNKNOWN, 0, 0, 0, 0];
        match address {
            None => {}
            Some(Address::Local(_)) => block = vec![LOCAL, 0, 0, 0, 0],
            Some(Address::Internet(address)) => {
                let port = address.port().to_be_bytes();
                match address.ip() {
                    IpAddr::V4(ip) => {
                        block = [&[V4, 0, 0, 0, 0][..], &port, &ip.octets()].concat();
                    }
                    IpAddr::V6(ip) => {
                        block = [&[V6, 0, 0, 0, 0][..], &port, &ip.octets()].concat();
                    }
                }
            }
        }
        Facts {
            block: block.into_boxed_slice(),
        }
    }

    /// Whether there is a peer that they are of.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.block.is_empty()
    }

    /// Adds path and query of the request, before the subprotocol.
    pub fn add_target(&mut self, target: &str) {
        let Ok(length) = u32::try_from(target.len()) else {
            return;
        };
        if self.append(target) {
            if let Some(place) = self.block.get_mut(1..HEAD) {
                place.copy_from_slice(&length.to_be_bytes());
            }
        }
    }

    /// Adds the subprotocol agreed on.
    pub fn add_subprotocol(&mut self, subprotocol: &str) {
        if !subprotocol.is_empty() {
            self.append(subprotocol);
        }
    }

    /// False where there is no memory for it: then it is not known.
    fn append(&mut self, text: &str) -> bool {
        let mut longer = Vec::new();
        let length = self.block.len().saturating_add(text.len());
        if longer.try_reserve_exact(length).is_err() {
            return false;
        }
        longer.extend_from_slice(&self.block);
        longer.extend_from_slice(text.as_bytes());
        self.block = longer.into_boxed_slice();
        true
    }

    /// Where the peer comes from; `None` where the kernel does not say.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        let kind = *self.block.first()?;
        if kind == LOCAL {
            return Some(Origin::Local);
        }
        let (port, rest) = self.block.get(HEAD..)?.split_first_chunk()?;
        let ip = match kind {
            V4 => IpAddr::from(*rest.first_chunk::<4>()?),
            V6 => IpAddr::from(*rest.first_chunk::<16>()?),
            _ => return None,
        };
        let port = u16::from_be_bytes(*port);
        Some(Origin::Internet(SocketAddr::new(ip, port)))
    }

    /// The texts, and where the first of them ends.
    fn texts(&self) -> (&str, usize) {
        let address = match self.block.first() {
            Some(&V4) => 6,
            Some(&V6) => 18,
            _ => 0,
        };
        let texts = self.block.get(HEAD + address..).unwrap_or_default();
        let length = self.block.get(1..HEAD).and_then(<[u8]>::first_chunk);
        let length = u32::from_be_bytes(length.copied().unwrap_or_default());
        let texts = std::str::from_utf8(texts).unwrap_or_default();
        (texts, usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Path and query of the request; empty before it has come.
    #[must_use]
    pub fn target(&self) -> &str {
        let (texts, end) = self.texts();
        texts.get(..end).unwrap_or_default()
    }

    /// The subprotocol agreed on; empty for none.
    #[must_use]
    pub fn subprotocol(&self) -> &str {
        let (texts, end) = self.texts();
        texts.get(end..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for (text, length) in [("10.1.2.3:65535", 4), ("[2001:db8::7]:80", 16)] {
            let address: SocketAddr = text.parse().unwrap();
            let mut facts = Facts::new(Some(&Address::Internet(address)));
            assert_eq!(facts.origin(), Some(Origin::Internet(address)));
            assert_eq!((facts.target(), facts.subprotocol()), ("", ""));
            facts.add_target("/a?b=c");
            assert_eq!((facts.target(), facts.subprotocol()), ("/a?b=c", ""));
            facts.add_subprotocol("chat");
            assert_eq!((facts.target(), facts.subprotocol()), ("/a?b=c", "chat"));
            assert_eq!(facts.origin(), Some(Origin::Internet(address)));
            assert_eq!(facts.block.len(), 7 + length + 10);
        }
    }

    #[test]
    fn a_peer_without_an_address_is_known_all_the_same() {
        let mut local = Facts::new(Some(&Address::Local(b"/run/socket".to_vec())));
        local.add_target("/");
        assert_eq!(local.origin(), Some(Origin::Local));
        let mut unknown = Facts::new(None);
        unknown.add_target("/x");
        unknown.add_subprotocol("");
        assert_eq!((unknown.origin(), unknown.target()), (None, "/x"));
        assert!(local.is_known() && unknown.is_known());
        let nobody = Facts::default();
        assert!(!nobody.is_known());
        assert_eq!((nobody.origin(), nobody.target()), (None, ""));
        assert_eq!(nobody.subprotocol(), "");
    }
}
