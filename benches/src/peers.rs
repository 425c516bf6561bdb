//! tungstenite and fastwebsockets, used as their documentation shows.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload};
use tungstenite::Message;
use tungstenite::protocol::{Role, WebSocket};

use crate::stream::Stream;
use crate::{Contender, Tally};

/// tungstenite as a server that reads messages.
#[must_use]
pub fn tungstenite_reads(stream: Stream) -> Contender {
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    Box::new(move || {
        let mut tally = Tally::default();
        socket.get_mut().rewind();
        loop {
            match socket.read() {
                Ok(Message::Binary(bytes)) => tally.add(&bytes),
                Ok(Message::Text(text)) => tally.add(text.as_bytes()),
                Err(tungstenite::Error::Io(_)) => return tally,
                other => panic!("{other:?}"),
            }
        }
    })
}

/// tungstenite sends; it gathers 128 KiB before it writes, and is flushed at
/// the end. The payloads are in its own kind of buffer already.
#[must_use]
pub fn tungstenite_sends(client: bool, payloads: Vec<Vec<u8>>) -> Contender {
    let role = if client { Role::Client } else { Role::Server };
    let mut socket = WebSocket::from_raw_socket(Stream::default(), role, None);
    let payloads: Vec<tungstenite::Bytes> = payloads.into_iter().map(Into::into).collect();
    Box::new(move || {
        let mut tally = Tally::default();
        for payload in &payloads {
            tally.add(payload);
            socket
                .write(Message::Binary(payload.clone()))
                .expect("a message is queued");
        }
        socket.flush().expect("all was written");
        tally
    })
}

/// Runs what never has to wait: the stream is memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the stream is always ready"),
    }
}

/// Over an endless stream, since one that a socket owns cannot be rewound.
fn fastwebsocket(stream: Stream, client: bool) -> fastwebsockets::WebSocket<Stream> {
    let role = if client {
        fastwebsockets::Role::Client
    } else {
        fastwebsockets::Role::Server
    };
    let mut socket = fastwebsockets::WebSocket::after_handshake(stream.endless(), role);
    socket.set_auto_close(false);
    socket.set_auto_pong(false);
    socket
}

fn add(tally: &mut Tally, frame: &Frame<'_>) {
    assert!(matches!(frame.opcode, OpCode::Binary | OpCode::Text));
    tally.add(&frame.payload);
}

/// fastwebsockets as a server that reads `count` frames, each a message.
#[must_use]
pub fn fastwebsockets_reads(stream: Stream, count: u64) -> Contender {
    let mut socket = fastwebsocket(stream, false);
    Box::new(move || {
        let mut tally = Tally::default();
        now(async {
            for _ in 0..count {
                add(&mut tally, &socket.read_frame().await.expect("a frame"));
            }
        });
        tally
    })
}

/// fastwebsockets as a server that reads `count` messages in fragments.
#[must_use]
pub fn fastwebsockets_assembles(stream: Stream, count: u64) -> Contender {
    let mut socket = FragmentCollector::new(fastwebsocket(stream, false));
    Box::new(move || {
        let mut tally = Tally::default();
        now(async {
            for _ in 0..count {
                add(&mut tally, &socket.read_frame().await.expect("a message"));
            }
        });
        tally
    })
}

/// fastwebsockets sends each payload by a write of its own. What is lent to
/// it a client copies before it masks it.
#[must_use]
pub fn fastwebsockets_sends(client: bool, payloads: Vec<Vec<u8>>) -> Contender {
    let mut socket = fastwebsocket(Stream::default(), client);
    Box::new(move || {
        let mut tally = Tally::default();
        now(async {
            for payload in &payloads {
                tally.add(payload);
                let frame = Frame::binary(Payload::Borrowed(payload));
                socket.write_frame(frame).await.expect("written");
            }
        });
        tally
    })
}
