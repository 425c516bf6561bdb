//! The opening handshake, as the connection runs it.

use std::sync::Arc;

use super::answer::{Asked, Sending};
use super::receive::{Found, Step};
use super::told::{Failure, Report};
use super::{Connection, Lent, Random, Role};
use crate::proto::close;
use crate::proto::error::Error;
use crate::proto::handshake::{client, is_reserved, key, loose, plain, server};
use crate::proto::http::{self, Collector, Limits};
use crate::proto::incoming::Input;
use crate::proto::settings::Settings;
use crate::proto::state::{Cause, State, transition};
use crate::proto::url::Url;

/// How much of a failed answer or request is kept for the failure report.
const KEPT_OF_FAILURE: usize = 256;
/// Interim (1xx) answers that a client skips before it gives up.
const MAX_INTERIM: u8 = 8;

/// Where the handshake stands.
#[derive(Debug)]
pub(super) enum Opening {
    /// A server reads the request.
    Request {
        collector: Collector,
        /// It has pages for requests that are none for a WebSocket.
        pages: bool,
    },
    /// Such a request waits for its answer.
    Asked(Asked),
    /// A page is its answer.
    Sending(Sending),
    /// The program was shown the request and has not decided.
    Decide(Request),
    /// The program decided; OPEN is to be told, or was told last.
    Accepted {
        request: Request,
        subprotocol: String,
    },
    /// A client reads the answer.
    Answer {
        collector: Collector,
        key: [u8; key::KEY_LENGTH],
        interim: u8,
    },
    /// The client's answer was right; OPEN is to be told, or was told last.
    Answered { subprotocol: String },
}

/// What a head asks for, without the head.
enum Judged {
    WebSocket {
        target: String,
        key: Vec<u8>,
        choice: Option<String>,
    },
    Plain(plain::Request),
}

/// A request that may be accepted.
#[derive(Debug)]
pub(super) struct Request {
    head: Vec<u8>,
    target: String,
    key: Vec<u8>,
    /// The first subprotocol offered that we support.
    choice: Option<String>,
    /// Header lines that the program adds to its answer.
    headers: Vec<(String, String)>,
}

impl Opening {
    pub(super) fn target(&self) -> &str {
        match self {
            Opening::Decide(request) | Opening::Accepted { request, .. } => &request.target,
            _ => "",
        }
    }

    pub(super) fn subprotocol(&self) -> &str {
        match self {
            Opening::Accepted { subprotocol, .. } | Opening::Answered { subprotocol } => {
                subprotocol
            }
            _ => "",
        }
    }

    fn request(&self) -> Option<&Request> {
        match self {
            Opening::Decide(request) | Opening::Accepted { request, .. } => Some(request),
            _ => None,
        }
    }
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        bytes: settings.header_bytes,
        lines: settings.header_lines,
    }
}

/// A lenient server has no pages: all that is no request for a WebSocket is
/// refused.
fn judge_loosely(head: &[u8]) -> Result<Judged, Error> {
    let request = loose::judge(head)?;
    Ok(Judged::WebSocket {
        target: String::from_utf8_lossy(request.target).into_owned(),
        key: request.key.to_vec(),
        choice: request.subprotocol.map(str::to_owned),
    })
}

impl Connection {
    /// The server's end: waits for a request.
    #[must_use]
    pub fn server(settings: Arc<Settings>, random: Random) -> Connection {
        Connection::begin(settings, random, false)
    }

    /// As [`Connection::server`], where requests that are none for a WebSocket
    /// wait for [`Connection::answer`].
    #[must_use]
    pub fn server_of_pages(settings: Arc<Settings>, random: Random) -> Connection {
        Connection::begin(settings, random, true)
    }

    fn begin(settings: Arc<Settings>, random: Random, pages: bool) -> Connection {
        let collector = if settings.lenient {
            Collector::for_loose_request(limits(&settings))
        } else {
            Collector::new(limits(&settings))
        };
        let opening = Opening::Request { collector, pages };
        let mut connection = Connection::new(Role::Server, settings, random);
        connection.set_opening(opening);
        connection
    }

    /// The client's end: the request is its first output.
    pub fn client(settings: Arc<Settings>, random: Random, url: &Url) -> Result<Connection, Error> {
        let mut nonce = [0; 16];
        if !random(&mut nonce) {
            return Err(Error::Random);
        }
        let key = key::encode(nonce);
        let origin = settings.origins.first().map(String::as_str);
        let request = client::request(url, &key, &settings.subprotocols, origin, &settings.headers);
        let opening = Opening::Answer {
            collector: Collector::for_answer(limits(&settings)),
            key,
            interim: 0,
        };
        let mut connection = Connection::new(Role::Client, settings, random);
        connection.set_opening(opening);
        let most = connection.settings.send_queue;
        connection.output.raw(&request, most)?;
        Ok(connection)
    }

    /// One step of the handshake; none where it waits for the peer.
    #[cold]
    pub(super) fn read_handshake(&mut self, input: &mut Input<'_>) -> Result<Step, Error> {
        if self.announce {
            self.announce = false;
            self.lent = Lent::Opening;
            return Ok(Step::Found(Found::Open));
        }
        match self.opening_mut() {
            Some(Opening::Request { collector, .. } | Opening::Answer { collector, .. }) => {
                let taken = collector.take(input.rest());
                if let Err(error) = taken {
                    let head = collector.bytes().to_vec();
                    self.note_failure(0, &head);
                    return Err(error);
                }
                let (count, whole) = taken?;
                input.advance(count);
                if !whole {
                    return Ok(Step::Starved);
                }
                if self.role == Role::Server {
                    self.judge_request()
                } else {
                    self.judge_answer()
                }
            }
            // The program was shown the request and said nothing.
            Some(Opening::Decide(request)) => {
                let choice = request.choice.clone();
                self.accept(choice.as_deref())?;
                Ok(Step::Continue)
            }
            Some(Opening::Asked(_)) => Ok(Step::Waiting),
            _ => Err(Error::Internal),
        }
    }

    fn judge_request(&mut self) -> Result<Step, Error> {
        let Some(Opening::Request { collector, pages }) = self.take_opening() else {
            return Err(Error::Internal);
        };
        let lines = collector.lines();
        let head = collector.into_bytes();
        let judged = if self.settings.lenient {
            judge_loosely(&head)
        } else {
            self.judge_head(&head, lines, pages)
        };
        match judged {
            Ok(Judged::WebSocket {
                target,
                key,
                choice,
            }) => {
                self.set_opening(Opening::Decide(Request {
                    head,
                    target,
                    key,
                    choice,
                    headers: Vec::new(),
                }));
                Ok(Step::Found(Found::Request))
            }
            Ok(Judged::Plain(request)) => {
                let asked = Asked { head, request };
                self.set_opening(Opening::Asked(asked));
                Ok(Step::Waiting)
            }
            Err(error) => {
                self.note_failure(0, &head);
                Err(error)
            }
        }
    }

    fn judge_head(&self, head: &[u8], lines: usize, pages: bool) -> Result<Judged, Error> {
        let head = http::parse_collected(head, lines)?;
        if pages && plain::is_plain(&head) {
            return plain::judge(&head).map(Judged::Plain);
        }
        let request = server::judge(&head, &self.settings.origins)?;
        // The offer stays in the head: thousands of names would cost many
        // times their bytes.
        let supported = |one: &&&str| self.settings.subprotocols.iter().any(|own| own == **one);
        let choice = request.subprotocols.iter().find(supported);
        Ok(Judged::WebSocket {
            target: request.target.to_owned(),
            key: request.key.to_vec(),
            choice: choice.map(|&one| one.to_owned()),
        })
    }

    fn judge_answer(&mut self) -> Result<Step, Error> {
        let Some(Opening::Answer {
            collector,
            key,
            interim,
        }) = self.take_opening()
        else {
            return Err(Error::Internal);
        };
        let head = collector.into_bytes();
        let offered = &self.settings.subprotocols;
        match client::examine(&head, &key, offered) {
            client::Answer::Open { subprotocol } => {
                let subprotocol = subprotocol.unwrap_or("").to_owned();
                self.set_opening(Opening::Answered { subprotocol });
                self.opened()?;
                Ok(Step::Continue)
            }
            client::Answer::Interim if interim < MAX_INTERIM => {
                self.set_opening(Opening::Answer {
                    collector: Collector::for_answer(limits(&self.settings)),
                    key,
                    interim: interim + 1,
                });
                Ok(Step::Continue)
            }
            client::Answer::Interim => {
                self.note_failure(0, &head);
                Err(Error::HttpStatus)
            }
            client::Answer::Failed { error, status } => {
                self.note_failure(status, &head);
                Err(error)
            }
        }
    }

    fn opened(&mut self) -> Result<(), Error> {
        let (state, _) = transition(self.state, Cause::Opened).ok_or(Error::State)?;
        self.state = state;
        self.announce = true;
        self.timers.opened();
        Ok(())
    }

    /// The request that was shown and waits for the program's decision.
    fn undecided(&self) -> Option<&Request> {
        match self.opening() {
            Some(Opening::Decide(request)) if self.state == State::Opening => Some(request),
            _ => None,
        }
    }

    /// Accepts the request that was shown, with one of the subprotocols that
    /// the client offered, or none.
    pub fn accept(&mut self, subprotocol: Option<&str>) -> Result<(), Error> {
        let request = self.undecided().ok_or(Error::State)?;
        if let Some(choice) = subprotocol {
            let offered = if self.settings.lenient {
                loose::offers(&request.head, choice)
            } else {
                server::offers(&request.head, choice)?
            };
            if !offered {
                return Err(Error::SubprotocolChoice);
            }
        }
        let mut headers = self.settings.headers.clone();
        headers.extend(request.headers.iter().cloned());
        let answer = server::accept(&request.key, subprotocol, &headers);
        self.output.raw(&answer, self.settings.send_queue)?;
        if let Some(Opening::Decide(request)) = self.take_opening() {
            self.set_opening(Opening::Accepted {
                request,
                subprotocol: subprotocol.unwrap_or("").to_owned(),
            });
        }
        self.opened()
    }

    /// Refuses the request that was shown, with an HTTP status (300 to 599)
    /// and a body.
    pub fn refuse(&mut self, status: u16, body: &[u8]) -> Result<(), Error> {
        let request = self.undecided().ok_or(Error::State)?;
        if !(300..=599).contains(&status) {
            return Err(Error::Range);
        }
        let mut headers = self.settings.headers.clone();
        headers.extend(request.headers.iter().cloned());
        let answer = server::refuse(status, &headers, body);
        self.output.raw(&answer, self.settings.send_queue)?;
        self.note_failure(status, &[]);
        self.end(State::Over, Report::failed(close::ABNORMAL, Error::Refused));
        Ok(())
    }

    /// Adds a header line to the answer to the request that was shown.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.undecided().ok_or(Error::State)?;
        if !http::is_sendable_header(name, value) || is_reserved(name) {
            return Err(Error::Header);
        }
        if let Some(Opening::Decide(request)) = self.opening_mut() {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    /// A header of the request: the value of the first line of that name.
    /// From REQUEST until the call of [`Connection::next`] after OPEN.
    pub fn request_header(&self, name: &str) -> Result<Option<&[u8]>, Error> {
        // After the end the request may still be there, lent.
        let opening = self.opening();
        let opening = opening.filter(|_| self.state != State::Over);
        let request = opening.and_then(Opening::request).ok_or(Error::State)?;
        if self.settings.lenient {
            return Ok(http::loose::values(&request.head, name).next());
        }
        let head = http::parse_request(&request.head)?;
        let found = head
            .headers
            .iter()
            .find(|header| http::same_text(header.name.as_bytes(), name.as_bytes()));
        Ok(found.map(|header| header.value))
    }

    /// A server's answer to a request that failed; a client sends none.
    pub(super) fn queue_refusal(&mut self, status: u16, error: Error) {
        if self.role == Role::Client {
            return;
        }
        let body = format!("{error}\n");
        let settings = Arc::clone(&self.settings);
        let failure = self.aside_mut().failure.get_or_insert_default();
        let to_head = failure.answer.trim_ascii_start().starts_with(b"HEAD ");
        let refuse = if to_head {
            server::refuse_to_head
        } else {
            server::refuse
        };
        let answer = refuse(status, &settings.headers, body.as_bytes());
        failure.status = status;
        // Without memory there is no answer to send; the end is the same.
        let _ = self.output.raw(&answer, self.settings.send_queue);
    }

    pub(super) fn note_failure(&mut self, status: u16, head: &[u8]) {
        let kept = head
            .get(..head.len().min(KEPT_OF_FAILURE))
            .unwrap_or_default();
        self.aside_mut().failure = Some(Failure {
            status,
            answer: kept.to_vec(),
        });
    }
}
