//! The headers that a lenient connection takes: what old devices send, and no
//! endpoint that follows RFC 6455.

use super::reading::Reading;
use super::receive::{Found, Place};
use crate::proto::error::Error;
use crate::proto::frame::{self, FIN, Opcode};
use crate::proto::incoming::{Frame, Input};
use crate::proto::settings::Settings;
use crate::proto::state::State;

/// A frame whose header is whole, if it is; or a message that is to be told
/// first.
pub(super) type Loose = (Option<Frame>, Option<Found>);

impl Reading {
    /// Reads a header and judges it: masked or not, its length in any form, in
    /// any order. Reserved bits and opcodes, control frames in pieces and a
    /// length with its top bit set nobody sends.
    #[cold]
    pub(super) fn loose_header(
        &mut self,
        input: &mut Input<'_>,
        state: State,
        settings: &Settings,
    ) -> Result<Loose, Error> {
        // The message that came between the frames of this one has ended.
        if let Some(parked) = self.parked.take() {
            self.message = *parked;
        }
        let judge = |first, second| frame::judge(first, second, 0);
        let Some(frame) = self.cut.read(input, judge)? else {
            return Ok((None, None));
        };
        if !frame.header.is_possible() {
            return Err(Error::Length);
        }
        if frame.opcode.is_control() || state != State::Open {
            return Ok((Some(frame), None));
        }
        self.put_in_order(frame, settings)
    }

    /// Where a lenient connection has a place for a data frame, which RFC 6455
    /// 5.4 may have none for: a whole message of the other kind stands between
    /// the pieces of one. A message that will have no end is returned, to be
    /// told as it is; its bytes stay in the message's buffer until then, and the
    /// frame has begun the next.
    fn put_in_order(&mut self, mut frame: Frame, settings: &Settings) -> Result<Loose, Error> {
        let continues = frame.opcode == Opcode::Continuation;
        match (self.message.in_progress(), continues) {
            (true, true) | (false, false) => {}
            (false, true) => {
                // It begins nothing either: it is all of its message.
                frame.header.first |= FIN;
                self.message.begin_stray();
            }
            // It may be the next piece of this one, from a sender that does not
            // know of continuations: whichever it is taken for may be wrong.
            (true, false)
                if frame.header.fin() && self.message.kind().opcode() == Some(frame.opcode) =>
            {
                return Err(Error::Continuation);
            }
            (true, false) if frame.header.fin() => {
                self.parked = Some(Box::new(std::mem::take(&mut self.message)));
            }
            (true, false) => {
                let (kind, message) = (self.message.kind(), &mut self.message);
                let (first, offset) = message.next_chunk();
                message.end();
                // What was assembled goes out now in any case.
                message.begin_frame(frame.opcode, &frame.header, settings)?;
                self.frame = Some(frame);
                let unfinished = Found::Data {
                    kind,
                    place: Place::Message,
                    first,
                    last: true,
                    offset,
                    frame_remaining: 0,
                };
                return Ok((None, Some(unfinished)));
            }
        }
        self.message.take_any_coding();
        Ok((Some(frame), None))
    }
}
