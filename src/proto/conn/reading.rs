//! What is there of a frame or a message that is not whole, and room for it.
//! Between messages there is none of it.

use super::Connection;
use crate::proto::incoming::{Control, Cut, Frame};
use crate::proto::message::Message;
use crate::proto::timers::NEVER;

/// How long room for long messages stays, in ms: a stream of them makes it
/// anew once in a while, and not for each.
const KEEP_ROOM: u64 = 1000;

/// Where in the stream a connection stands.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) cut: Cut,
    pub(super) frame: Option<Frame>,
    pub(super) control: Control,
    pub(super) message: Message,
    /// A message between whose frames another comes, while that one is read;
    /// only of a lenient connection.
    pub(super) parked: Option<Box<Message>>,
    /// The message's own room was given out, and this much of it was read into
    /// and not looked at.
    pub(super) in_room: Option<usize>,
    /// When room that no message needs is given back.
    pub(super) room_until: u64,
}

impl Default for Reading {
    fn default() -> Reading {
        Reading {
            cut: Cut::default(),
            frame: None,
            control: Control::default(),
            message: Message::default(),
            parked: None,
            in_room: None,
            room_until: NEVER,
        }
    }
}

impl Reading {
    /// Whether the next byte is the first of a message or a control frame.
    #[inline]
    pub(super) fn is_between(&self) -> bool {
        self.frame.is_none()
            && !self.cut.is_pending()
            && !self.message.in_progress()
            && self.parked.is_none()
    }

    /// Whether there is neither anything unfinished nor any room.
    fn is_unused(&self) -> bool {
        self.is_between() && !self.message.has_room() && self.control.bytes().is_empty()
    }

    /// Bytes that are missing of a frame, were the stream to end here; at
    /// least 1 where any is.
    pub(super) fn missing(&self) -> u64 {
        match &self.frame {
            Some(frame) => frame.remaining(),
            None => u64::from(self.cut.is_pending()),
        }
    }
}

impl Connection {
    /// The input is used up: what is not needed before more comes is given
    /// back. Room for long messages stays a while, where somebody tells the
    /// time; being asked again puts nothing off.
    #[inline]
    pub(super) fn rest(&mut self) {
        let Some(reading) = self.reading.as_deref_mut() else {
            return;
        };
        if reading.message.has_spare() {
            if !self.timers.runs() {
                reading.message.trim();
            } else if reading.room_until == NEVER {
                reading.room_until = self.timers.now().saturating_add(KEEP_ROOM);
            }
        }
        if reading.is_unused() {
            self.reading = None;
        }
    }

    /// Room for long messages was not needed for a while.
    pub(super) fn give_room_back(&mut self) {
        let Some(reading) = self.reading.as_deref_mut() else {
            return;
        };
        reading.room_until = NEVER;
        // What is or will be read into it is not counted as gathered yet.
        if reading.in_room.is_none() {
            reading.message.trim();
        }
        if reading.is_unused() {
            self.reading = None;
        }
    }
}
