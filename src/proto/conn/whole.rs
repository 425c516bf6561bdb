//! The shortest way in: a message in one frame that is all there, between two
//! messages of an open connection. It judges nothing: whatever is not plainly
//! such a message, or breaks a rule, is left untouched for `receive`.

use super::{Connection, Role};
use crate::proto::frame::{self, Decoded};
use crate::proto::incoming::Input;
use crate::proto::mask;
use crate::proto::message::Kind;
use crate::proto::state::State;
use crate::proto::utf8;

/// FIN and the opcode of an unfragmented message (RFC 6455 5.2).
const WHOLE_TEXT: u8 = 0x81;
const WHOLE_BINARY: u8 = 0x82;

impl Connection {
    /// Reads the next message and unmasks it in place; returns where it stands.
    #[inline(always)]
    pub(super) fn whole_message(
        &mut self,
        input: &mut Input<'_>,
    ) -> Option<(Kind, (usize, usize))> {
        if self.state != State::Open
            || self.announce
            || self
                .reading
                .as_deref()
                .is_some_and(|reading| !reading.is_between())
        {
            return None;
        }
        let Decoded::Header(header) = frame::decode(input.rest()) else {
            return None;
        };
        let kind = match header.first {
            WHOLE_TEXT => Kind::Text,
            WHOLE_BINARY => Kind::Binary,
            _ => return None,
        };
        let masked = header.mask.is_some();
        if masked != (self.role == Role::Server) || !header.minimal {
            return None;
        }
        let size = usize::from(header.size);
        let length = self.settings.whole_message(header.length)?;
        let payload = input.rest_mut().get_mut(size..)?.get_mut(..length)?;
        let key = header.mask.unwrap_or_default();
        if masked {
            mask::apply(payload, key, 0);
        }
        if kind == Kind::Text && !utf8::is_valid(payload) && !self.settings.lenient {
            if masked {
                mask::apply(payload, key, 0);
            }
            return None;
        }
        self.timers.heard();
        if length > 0 {
            self.timers.progress(&self.settings);
        }
        input.advance(size);
        Some((kind, input.advance(length)))
    }
}
