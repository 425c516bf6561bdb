//! The opening handshake: a server answers a browser's request; a client asks
//! and judges the answer. tungstenite does the same over memory.

use std::io::{self, Read, Write};
use std::sync::Arc;

use tungstenite::handshake::derive_accept_key;
use wsembed::net::sys;
use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Event};
use wsembed::proto::incoming::Input;
use wsembed::proto::settings::Settings;
use wsembed::proto::url::Url;

use crate::{Contender, Tally};

/// Handshakes of one batch.
pub const COUNT: u64 = 50;

const REQUEST: &[u8] = b"GET /stream?device=4711 HTTP/1.1\r\n\
    Host: device.example:8080\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: http://device.example:8080\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=8c1f0c4f2b7d4e0f; theme=dark\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const ASKED: &str = "ws://device.example:8080/stream?device=4711";

/// The server that a client asks: a minimal answer to the key in its request.
fn answer(request: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"sec-websocket-key: ";
    let start = request
        .windows(NAME.len())
        .position(|window| window.eq_ignore_ascii_case(NAME))
        .expect("the request has a key")
        + NAME.len();
    let accept = derive_accept_key(&request[start..start + 24]);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

fn batch(mut one: impl FnMut() -> usize + 'static) -> Contender {
    Box::new(move || {
        let mut tally = Tally::default();
        for _ in 0..COUNT {
            tally.messages += u64::from(one() > 0);
        }
        tally
    })
}

#[must_use]
pub fn server() -> Contender {
    let settings: Arc<Settings> = Arc::default();
    let mut room = REQUEST.to_vec();
    batch(move || {
        room.copy_from_slice(REQUEST);
        let mut connection = Connection::server(Arc::clone(&settings), sys::random);
        let mut input = Input::new(&mut room);
        assert!(matches!(
            connection.next(&mut input),
            Ok(Event::Request { .. })
        ));
        assert!(matches!(
            connection.next(&mut input),
            Ok(Event::Open { .. })
        ));
        connection.output().expect("an answer").len()
    })
}

#[must_use]
pub fn client() -> Contender {
    let settings: Arc<Settings> = Arc::default();
    batch(move || {
        let url = Url::parse(ASKED).expect("a URL");
        let mut connection =
            Connection::client(Arc::clone(&settings), sys::random, &url).expect("a client");
        let mut bytes = answer(connection.output().expect("a request"));
        let asked = connection.queued();
        connection.done(asked).expect("all was written");
        let mut input = Input::new(&mut bytes);
        assert!(matches!(
            connection.next(&mut input),
            Ok(Event::Open { .. })
        ));
        assert!(matches!(connection.next(&mut input), Err(Error::Again)));
        asked
    })
}

/// Gives `incoming`; where there is none, the answer to what was written.
#[derive(Default)]
struct Memory {
    incoming: Vec<u8>,
    at: usize,
    written: Vec<u8>,
}

impl Read for Memory {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            self.incoming = answer(&self.written);
        }
        let rest = &self.incoming[self.at..];
        let count = rest.len().min(room.len());
        room[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[must_use]
pub fn tungstenite_server() -> Contender {
    batch(|| {
        let memory = Memory {
            incoming: REQUEST.to_vec(),
            ..Memory::default()
        };
        let socket = tungstenite::accept(memory).expect("accepted");
        socket.get_ref().written.len()
    })
}

#[must_use]
pub fn tungstenite_client() -> Contender {
    batch(|| {
        let (socket, _) = tungstenite::client(ASKED, Memory::default()).expect("open");
        socket.get_ref().written.len()
    })
}
