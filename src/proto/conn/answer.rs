//! Requests that are none for a WebSocket: who serves pages is asked for one,
//! and its answer is the end.

use std::sync::Arc;

use super::opening::Opening;
use super::{Connection, State};
use crate::proto::error::Error;
use crate::proto::handshake::plain::{self, Method};
use crate::proto::page::Page;
use crate::proto::state::{Cause, transition};

/// Whoever takes this much of a page has its full time again for the next.
const STRIDE: usize = 16 << 10;

/// A plain request that waits for its answer.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) head: Vec<u8>,
    pub(super) request: plain::Request,
}

/// A page on its way out, behind its head.
#[derive(Debug)]
pub(super) struct Sending {
    page: Arc<Page>,
    sent: usize,
    /// How much was sent when the deadline was last put off.
    counted: usize,
}

/// What a plain request is answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This page.
    Page(Arc<Page>),
    /// There are pages, but not this one: 404.
    Missing,
    /// There are no pages: the request fails, as one for a WebSocket that it
    /// is not (426; 405 and 505 where method and version cannot be one's).
    NoPages,
}

impl Connection {
    /// The path that a plain request asks for; it waits for
    /// [`Connection::answer`]. Empty where its method is none for a page.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        match self.opening() {
            Some(Opening::Asked(asked)) if self.state == State::Opening => {
                Some(&asked.request.path)
            }
            _ => None,
        }
    }

    /// Answers a plain request. No event tells of it, the end included, but
    /// for [`Answer::NoPages`], which is a failure like others.
    ///
    /// A peer that takes less than 16 KiB of a page in the handshake's time is
    /// cut off.
    pub fn answer(&mut self, answer: Answer) -> Result<(), Error> {
        self.asked().ok_or(Error::State)?;
        let Some(Opening::Asked(asked)) = self.take_opening() else {
            return Err(Error::State);
        };
        let method = asked.request.method;
        let headers = &self.settings.headers;
        let head = match &answer {
            Answer::NoPages => {
                self.note_failure(0, &asked.head);
                self.fail(asked.request.instead);
                return Ok(());
            }
            Answer::Page(page) if method != Method::Other => plain::head_of(page, headers),
            _ => plain::without_page(method, headers),
        };
        let queued = self.output.raw(&head, self.settings.send_queue);
        if let Answer::Page(page) = answer {
            if method == Method::Get && queued.is_ok() {
                self.set_opening(Opening::Sending(Sending {
                    page,
                    sent: 0,
                    counted: 0,
                }));
            }
        }
        let (state, _) = transition(self.state, Cause::Answered).ok_or(Error::State)?;
        self.state = state;
        self.reported = true;
        self.timers.answering(&self.settings);
        // Without memory for a head there is no answer, only the end.
        Ok(())
    }

    /// What is left to send of a page.
    pub(super) fn page(&self) -> &[u8] {
        match self.opening() {
            Some(Opening::Sending(Sending { page, sent, .. })) => {
                page.bytes().get(*sent..).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The transport took so much of it.
    #[cold]
    pub(super) fn page_sent(&mut self, length: usize) -> Result<(), Error> {
        let left = self.page().len();
        match self.opening_mut() {
            Some(Opening::Sending(sending)) if length <= left => {
                sending.sent += length;
                if sending.sent - sending.counted >= STRIDE {
                    sending.counted = sending.sent;
                    self.timers.answering(&self.settings);
                }
                Ok(())
            }
            _ => Err(Error::Usage),
        }
    }
}
