//! Pings of ours that wait for their pongs, and how long those took.
//!
//! A pong answers a ping by its payload (RFC 6455 5.5.3); any other pong is
//! unsolicited, and counts for nothing.

use super::timers::NEVER;

/// The keepalive's ping and the program's latest.
#[derive(Debug)]
pub struct Pings {
    /// When the keepalive pinged last.
    pub at: u64,
    /// When its pong is due.
    pub due: u64,
    /// The keepalive's, and when it was sent.
    own: Option<([u8; 8], u64)>,
    /// The program's latest, and when it was sent.
    asked: Option<(Box<[u8]>, u64)>,
    round_trip: Option<u64>,
}

impl Default for Pings {
    fn default() -> Pings {
        Pings {
            at: 0,
            due: NEVER,
            own: None,
            asked: None,
            round_trip: None,
        }
    }
}

impl Pings {
    /// Whether the keepalive's ping waits for its pong.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.own.is_some()
    }

    /// The keepalive's ping goes out.
    pub fn sent(&mut self, payload: [u8; 8], now: u64) {
        self.own = Some((payload, now));
    }

    /// A ping of the program's goes out.
    pub fn asked(&mut self, payload: &[u8], now: u64) {
        self.asked = Some((payload.into(), now));
    }

    /// Takes a pong; true where it answers the keepalive's ping.
    pub fn answered(&mut self, payload: &[u8], now: u64) -> bool {
        let own = self.own.filter(|(own, _)| own[..] == *payload);
        let asked = self.asked.as_ref().filter(|(asked, _)| **asked == *payload);
        let since = own.map(|(_, at)| at).or(asked.map(|(_, at)| *at));
        if let Some(since) = since {
            self.round_trip = Some(now.saturating_sub(since));
        }
        if own.is_some() {
            self.own = None;
        } else if since.is_some() {
            self.asked = None;
        }
        own.is_some()
    }

    /// How long the last pong took, in ms; `None` before the first.
    #[must_use]
    pub fn round_trip(&self) -> Option<u64> {
        self.round_trip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ct07_only_a_matching_pong_counts() {
        let mut pings = Pings::default();
        assert!(!pings.answered(b"", 1));
        pings.sent([7; 8], 10);
        pings.asked(b"mine", 12);
        assert!(pings.waits());
        assert!(!pings.answered(&[7; 7], 15) && !pings.answered(b"yours", 15));
        assert_eq!((pings.waits(), pings.round_trip()), (true, None));
        assert!(!pings.answered(b"mine", 17));
        assert_eq!((pings.waits(), pings.round_trip()), (true, Some(5)));
        assert!(pings.answered(&[7; 8], 40));
        assert_eq!((pings.waits(), pings.round_trip()), (false, Some(30)));
        // Once is enough.
        assert!(!pings.answered(&[7; 8], 90) && !pings.answered(b"mine", 90));
        assert_eq!(pings.round_trip(), Some(30));
    }

    #[test]
    fn only_the_latest_of_the_programs_pings_is_waited_for() {
        let mut pings = Pings::default();
        pings.asked(b"one", 1);
        pings.asked(b"two", 5);
        assert!(!pings.answered(b"one", 6));
        assert_eq!(pings.round_trip(), None);
        assert!(!pings.answered(b"two", 7));
        assert_eq!(pings.round_trip(), Some(2));
    }
}
