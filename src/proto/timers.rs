//! Deadlines as data. The time is an argument (monotonic, in ms), so nothing
//! here waits and tests own the clock.

use super::pings::Pings;
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

/// The deadlines of one connection.
#[derive(Debug)]
pub struct Timers {
    now: u64,
    heard: u64,
    /// What an open connection has none of, unless it pings.
    rare: Option<Box<Rare>>,
    started: bool,
    /// The handshake is not over, so its deadline starts with the clock.
    opening: bool,
    /// The last tick found the peer overdue.
    overdue: bool,
}

/// Deadlines that most connections have none of, most of the time.
#[derive(Debug)]
struct Rare {
    /// The handshake's deadline, or from its beginning on the end's.
    limit: u64,
    pings: Pings,
}

impl Default for Rare {
    fn default() -> Rare {
        Rare {
            limit: NEVER,
            pings: Pings::default(),
        }
    }
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
            heard: 0,
            rare: None,
            started: false,
            opening: true,
            overdue: false,
        }
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Takes the time. A clock that runs backwards counts as standing still.
    pub fn tick(&mut self, now: u64, settings: &Settings) {
        if !self.started {
            self.started = true;
            self.now = now;
            self.heard = now;
            if self.opening {
                self.rare().limit = after(now, settings.handshake_timeout);
            } else if let Some(rare) = self.rare.as_deref_mut() {
                // The close began before the clock was known.
                if rare.limit != NEVER {
                    rare.limit = after(now, settings.close_timeout);
                }
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
        self.rare = None;
        self.heard = self.now;
    }

    /// The closing handshake began (or what is left is being flushed).
    pub fn closing(&mut self, settings: &Settings) {
        self.opening = false;
        let limit = after(self.now, settings.close_timeout);
        let rare = self.rare();
        rare.pings.due = NEVER;
        rare.limit = limit;
    }

    /// An answer that is no handshake is being sent: the peer has as long
    /// again as for its request.
    pub fn answering(&mut self, settings: &Settings) {
        self.closing(settings);
        self.rare().limit = after(self.now, settings.handshake_timeout);
    }

    /// The closing handshake's deadline has been acted on.
    pub fn closed(&mut self) {
        self.rare().limit = NEVER;
    }

    /// Payload of a message came: the peer lives, though a long frame may keep
    /// its pong waiting.
    #[inline]
    pub fn progress(&mut self, settings: &Settings) {
        if let Some(rare) = self.rare.as_deref_mut() {
            if rare.pings.due != NEVER {
                rare.pings.due = after(self.now, settings.pong_timeout);
            }
        }
    }

    /// The keepalive's ping went out, or would have.
    pub fn pinged(&mut self, settings: &Settings) {
        let (at, due) = (self.now, after(self.now, settings.pong_timeout));
        let pings = &mut self.rare().pings;
        (pings.at, pings.due) = (at, due);
    }

    /// The keepalive's ping went out.
    pub fn ping_sent(&mut self, payload: [u8; 8], settings: &Settings) {
        self.pinged(settings);
        let now = self.now;
        self.rare().pings.sent(payload, now);
    }

    /// A ping of the program's went out. Where nobody tells the time there is
    /// nothing to measure.
    pub fn asked(&mut self, payload: &[u8]) {
        if self.started {
            let now = self.now;
            self.rare().pings.asked(payload, now);
        }
    }

    /// Whether the keepalive's ping waits for its pong.
    #[must_use]
    pub fn awaits_pong(&self) -> bool {
        self.rare.as_deref().is_some_and(|rare| rare.pings.waits())
    }

    /// A pong came, perhaps to a ping of ours.
    pub fn pong(&mut self, payload: &[u8]) {
        let now = self.now;
        if let Some(rare) = self.rare.as_deref_mut() {
            if rare.pings.answered(payload, now) {
                rare.pings.due = NEVER;
            }
        }
    }

    /// How long the last pong took, in ms.
    #[must_use]
    pub fn round_trip(&self) -> Option<u64> {
        self.rare.as_deref()?.pings.round_trip()
    }

    /// What is due next, and when. `open` adds what holds while messages flow.
    #[must_use]
    pub fn next(&self, settings: &Settings, open: bool) -> (u64, Due) {
        let limit = if self.opening {
            Due::Handshake
        } else {
            Due::Close
        };
        let rare = self.rare.as_deref();
        let mut next = (rare.map_or(NEVER, |rare| rare.limit), limit);
        let mut consider = |at: u64, due: Due| {
            if at < next.0 {
                next = (at, due);
            }
        };
        if open && self.started {
            let times = rare.map(|rare| (rare.pings.at, rare.pings.due));
            let (pinged, pong) = times.unwrap_or((0, NEVER));
            consider(pong, Due::Pong);
            if pong == NEVER {
                let quiet_since = self.heard.max(pinged);
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

    /// Whether a time was told.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.started
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
