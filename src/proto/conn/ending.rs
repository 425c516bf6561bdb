//! How a connection ends.

use super::aside::Aside;
use super::reading::Reading;
use super::told::{Failure, Report};
use super::{Connection, Role};
use crate::proto::close;
use crate::proto::error::Error;
use crate::proto::handshake::server;
use crate::proto::state::{Cause, Reply, State, transition};

impl Connection {
    /// Details of the failure, once there was one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.aside.as_deref()?.failure.as_ref()
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ended(&self) -> Option<(u16, Option<Error>)> {
        let report = self.report()?;
        Some((report.code, report.error))
    }

    /// Whether the end was told, or is none to tell of.
    #[must_use]
    pub fn has_told_end(&self) -> bool {
        self.reported
    }

    pub(super) fn report(&self) -> Option<&Report> {
        self.aside
            .as_deref()
            .and_then(|aside: &Aside| aside.report.as_ref())
    }

    /// Fails the connection (RFC 6455 7.1.7).
    pub(super) fn fail(&mut self, error: Error) {
        let reason = error.to_string();
        self.fail_with(error, error.close_code(), &reason);
    }

    #[cold]
    pub(super) fn fail_with(&mut self, error: Error, code: u16, reason: &str) {
        let opened = self.state != State::Opening;
        let Some((state, reply)) = transition(self.state, Cause::Failure) else {
            return;
        };
        match reply {
            // Without memory or random bytes there is no close frame to send;
            // the connection is over all the same.
            Reply::Close => _ = self.queue_close(Some(code), reason),
            Reply::Refusal => self.queue_refusal(server::refusal_status(error), error),
            Reply::Nothing => {}
        }
        let code = if opened { code } else { close::ABNORMAL };
        self.end(state, Report::failed(code, error));
    }

    /// Ends the connection with this code and does not wait for the peer's
    /// close frame (RFC 6455 7.1.7): for a program that is done with it.
    pub fn dismiss(&mut self, code: u16) {
        self.fail_with(Error::Refused, code, "");
    }

    /// The transport is gone, or as good as gone.
    #[cold]
    pub(super) fn lose(&mut self, error: Error) {
        let Some((state, _)) = transition(self.state, Cause::Lost) else {
            return;
        };
        let missing = self.reading.as_deref().map_or(0, Reading::missing);
        self.end(
            state,
            Report {
                missing,
                ..Report::failed(close::ABNORMAL, error)
            },
        );
    }

    /// Enters the last state; the report waits for [`Connection::next`], and
    /// so does giving back memory: a deadline or the program may end the
    /// connection while the last event's bytes are still lent.
    pub(super) fn end(&mut self, state: State, report: Report) {
        if self.role == Role::Client && self.state == State::Opening {
            // A request of which nobody waits for the answer.
            self.output.clear();
        }
        self.state = state;
        self.aside_mut().report = Some(report);
        self.announce = false;
        self.sending = None;
        self.output.forget_pong();
        self.timers.closing(&self.settings);
    }

    /// Drops what receiving needed; nothing of it is lent any more.
    pub(super) fn release(&mut self) {
        self.take_opening();
        self.reading = None;
    }
}
