//! wsembed through its Rust core.

use std::sync::Arc;

use wsembed::net::sys;
use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Event, Role, Sendable};
use wsembed::proto::incoming::Input;
use wsembed::proto::message::Kind;

use crate::stream::Stream;
use crate::{Contender, READ_BYTES, Tally};

fn established(role: Role) -> Connection {
    Connection::established(role, Arc::default(), sys::random)
}

/// All events of the input.
#[inline]
fn drain(connection: &mut Connection, bytes: &mut [u8], tally: &mut Tally) {
    let mut input = Input::new(bytes);
    loop {
        match connection.next(&mut input) {
            Ok(Event::Data(chunk)) => tally.add(chunk.data),
            Err(Error::Again) => return,
            other => panic!("{other:?}"),
        }
    }
}

/// The bytes are in the program's receive buffer already. Unmasking twice
/// gives the masked bytes again, so every second batch delivers those.
#[must_use]
pub fn in_place(mut bytes: Vec<u8>) -> Contender {
    let mut connection = established(Role::Server);
    Box::new(move || {
        let mut tally = Tally::default();
        drain(&mut connection, &mut bytes, &mut tally);
        tally
    })
}

/// The bytes are read from a socket, as a program does that is woken, tells the
/// time and reads until nothing is left. After a read that filled its buffer it
/// asks for room for the rest of a long frame.
#[must_use]
pub fn reads(mut stream: Stream) -> Contender {
    let mut connection = established(Role::Server);
    let mut buffer = vec![0; READ_BYTES];
    let mut now = 0;
    Box::new(move || {
        let mut tally = Tally::default();
        stream.rewind();
        now += 1;
        connection.tick(now);
        let mut full = false;
        loop {
            if let Some(room) = full.then(|| connection.room()).flatten() {
                let length = room.len();
                let count = stream.read_into(room);
                if count == 0 {
                    return tally;
                }
                full = count == length;
                connection.read_into_room(count);
                drain(&mut connection, &mut [], &mut tally);
                continue;
            }
            let count = stream.read_into(&mut buffer);
            if count == 0 {
                return tally;
            }
            full = count == buffer.len();
            drain(&mut connection, &mut buffer[..count], &mut tally);
        }
    })
}

/// Sends each payload; writes out when a read's worth waits, and at the end.
#[must_use]
pub fn sends(client: bool, payloads: Vec<Vec<u8>>) -> Contender {
    let mut connection = established(if client { Role::Client } else { Role::Server });
    let mut stream = Stream::default();
    Box::new(move || {
        let mut tally = Tally::default();
        for payload in &payloads {
            connection
                .send(Sendable::Message(Kind::Binary), payload)
                .expect("a message is queued");
            tally.add(payload);
            if connection.queued() >= READ_BYTES {
                write_out(&mut connection, &mut stream);
            }
        }
        write_out(&mut connection, &mut stream);
        tally
    })
}

fn write_out(connection: &mut Connection, stream: &mut Stream) {
    let output = connection.output().expect("the connection is open");
    let length = output.len();
    stream.put(output);
    connection.done(length).expect("all was written");
}
