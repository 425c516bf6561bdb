//! The life of a connection: every opening and closing transition, in one
//! table (RFC 6455 4, 7).

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The opening handshake is not finished.
    Opening,
    /// Messages flow.
    Open,
    /// Our close frame is out, the peer's is not in (RFC 6455 7.1.3).
    Closing,
    /// Nothing is received or sent any more but what is queued.
    Over,
}

/// What moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The handshake succeeded.
    Opened,
    /// A request that is none for a WebSocket got its answer.
    Answered,
    /// The program closes.
    LocalClose,
    /// The peer's close frame.
    PeerClose,
    /// The peer broke a rule, or we cannot go on (RFC 6455 7.1.7).
    Failure,
    /// The transport ended, or the peer is taken for dead.
    Lost,
}

/// What the transition puts on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Nothing.
    Nothing,
    /// A close frame.
    Close,
    /// An HTTP answer that refuses; nothing from a client.
    Refusal,
}

/// The transition, or `None` where the cause has no effect any more.
#[must_use]
pub fn transition(state: State, cause: Cause) -> Option<(State, Reply)> {
    use {Cause as C, Reply as R, State as S};
    Some(match (state, cause) {
        (S::Opening, C::Opened) => (S::Open, R::Nothing),
        (S::Opening, C::LocalClose | C::Failure) => (S::Over, R::Refusal),
        (S::Opening, C::Answered | C::Lost) => (S::Over, R::Nothing),

        (S::Open, C::LocalClose) => (S::Closing, R::Close),
        (S::Open, C::PeerClose | C::Failure) => (S::Over, R::Close),
        (S::Open, C::Lost) => (S::Over, R::Nothing),

        // Exactly one close frame goes out, whatever follows it.
        (S::Closing, C::PeerClose | C::Failure | C::Lost) => (S::Over, R::Nothing),

        (S::Opening, C::PeerClose)
        | (S::Open, C::Opened | C::Answered)
        | (S::Closing, C::Opened | C::Answered | C::LocalClose)
        | (S::Over, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [State::Opening, State::Open, State::Closing, State::Over];
    const CAUSES: [Cause; 6] = [
        Cause::Opened,
        Cause::Answered,
        Cause::LocalClose,
        Cause::PeerClose,
        Cause::Failure,
        Cause::Lost,
    ];

    #[test]
    fn cl20_at_most_one_close_frame_on_any_path() {
        fn walk(state: State, closes: u32, depth: u32) {
            assert!(closes <= 1);
            if depth == 0 {
                return;
            }
            for cause in CAUSES {
                if let Some((next, reply)) = transition(state, cause) {
                    walk(next, closes + u32::from(reply == Reply::Close), depth - 1);
                }
            }
        }
        walk(State::Opening, 0, 8);
    }

    #[test]
    fn over_is_final_and_reachable_from_everywhere() {
        for cause in CAUSES {
            assert_eq!(transition(State::Over, cause), None);
        }
        for state in &STATES[..3] {
            let lost = transition(*state, Cause::Lost);
            assert_eq!(lost, Some((State::Over, Reply::Nothing)));
        }
    }
}
