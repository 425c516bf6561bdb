//! Deadlines as data. The time is an argument (monotonic, in ms), so nothing
//! here waits and tests own the clock.

use super::settings::Settings;

/// No deadline.
pub const NEVER: u64 = u64::MAX;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The handshake took too long.
    Handshake,
    /// The closing handshake, or flushing what was queued, took too long.
    Close,
    /// The peer was silent: ping it.
    Ping,
    /// The peer did not answer our ping.
    Pong,
    /// The peer was silent for too long.
    Idle,
    /// Room for long messages was not needed for a while.
    Room,
}

/// How long room for long messages stays, in ms: a stream of them makes it
/// anew once in a while, and not for each.
const KEEP_ROOM: u64 = 1000;

/// The deadlines of one connection.
#[derive(Debug)]
pub struct Timers {
    now: u64,
    started: bool,
    /// The handshake is not over, so its deadline starts with the clock.
    opening: bool,
    heard: u64,
    handshake: u64,
    close: u64,
    pinged: u64,
    pong: u64,
    /// When room is given back.
    room: u64,
    /// The last tick found the peer overdue.
    overdue: bool,
}

/// `now + span`, where a span of 0 means never.
fn after(now: u64, span: u64) -> u64 {
    if span == 0 {
        NEVER
    } else {
        now.saturating_add(span)
    }
}

impl Timers {
    /// No time has been told yet: nothing is due before the first tick.
    #[must_use]
    pub fn new() -> Timers {
        Timers {
            now: 0,
            started: false,
            opening: true,
            heard: 0,
            handshake: NEVER,
            close: NEVER,
            pinged: 0,
            pong: NEVER,
            room: NEVER,
            overdue: false,
        }
    }

    /// Takes the time. A clock that runs backwards counts as standing still.
    pub fn tick(&mut self, now: u64, settings: &Settings) {
        if !self.started {
            self.started = true;
            self.now = now;
            self.heard = now;
            if self.opening {
                self.handshake = after(now, settings.handshake_timeout);
            }
            if self.close != NEVER {
                // The close began before the clock was known.
                self.close = after(now, settings.close_timeout);
            }
        }
        self.now = self.now.max(now);
    }

    /// Bytes came from the peer.
    #[inline]
    pub fn heard(&mut self) {
        self.heard = self.now;
    }

    /// Messages flow; silence counts from here.
    pub fn opened(&mut self) {
        self.opening = false;
        self.handshake = NEVER;
        self.heard = self.now;
    }

    /// The closing handshake began (or what is left is being flushed).
    pub fn closing(&mut self, settings: &Settings) {
        self.opening = false;
        self.handshake = NEVER;
        self.pong = NEVER;
        self.close = after(self.now, settings.close_timeout);
    }

    /// The closing handshake's deadline has been acted on.
    pub fn closed(&mut self) {
        self.close = NEVER;
    }

    /// Payload of a message came: the peer lives, though a long frame may keep
    /// its pong waiting.
    #[inline]
    pub fn progress(&mut self, settings: &Settings) {
        if self.pong != NEVER {
            self.pong = after(self.now, settings.pong_timeout);
        }
    }

    /// Our ping went out.
    pub fn pinged(&mut self, settings: &Settings) {
        self.pinged = self.now;
        self.pong = after(self.now, settings.pong_timeout);
    }

    /// The pong to our ping came.
    pub fn ponged(&mut self) {
        self.pong = NEVER;
    }

    /// There is room that no message needs now. False where it is to be given
    /// back at once, since nobody tells the time. Being asked again puts
    /// nothing off: short messages do without it, however many come.
    #[inline]
    pub fn keep_room(&mut self) -> bool {
        if self.room == NEVER && self.started {
            self.room = self.now.saturating_add(KEEP_ROOM);
        }
        self.started
    }

    /// That room was given back, or is in use just now.
    pub fn room_gone(&mut self) {
        self.room = NEVER;
    }

    /// What is due next, and when. `open` adds what holds while messages flow.
    #[must_use]
    pub fn next(&self, settings: &Settings, open: bool) -> (u64, Due) {
        let mut next = (self.handshake, Due::Handshake);
        let mut consider = |at: u64, due: Due| {
            if at < next.0 {
                next = (at, due);
            }
        };
        consider(self.close, Due::Close);
        consider(self.room, Due::Room);
        if open && self.started {
            consider(self.pong, Due::Pong);
            if self.pong == NEVER {
                let quiet_since = self.heard.max(self.pinged);
                consider(after(quiet_since, settings.ping_interval), Due::Ping);
            }
            consider(after(self.heard, settings.idle_timeout), Due::Idle);
        }
        next
    }

    /// Whether to act on what is due. A peer that is overdue is taken for dead
    /// only by the second tick in a row that finds it so: a program that was
    /// held up ticks before it reads what has come meanwhile.
    pub fn is_certain(&mut self, due: Due) -> bool {
        let of_peer = matches!(due, Due::Pong | Due::Idle);
        let certain = !of_peer || self.overdue;
        self.overdue = of_peer;
        certain
    }

    /// Nothing is due.
    pub fn nothing_due(&mut self) {
        self.overdue = false;
    }

    /// The time last told.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }
}

impl Default for Timers {
    fn default() -> Timers {
        Timers::new()
    }
}
