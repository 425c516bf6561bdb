//! What is sent: frames, the queue's limit, partial writes, misuse.

use std::sync::Arc;

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role, Sendable};
use wsembed::proto::message::Kind;
use wsembed::proto::settings::Settings;

use crate::support::*;

const MESSAGE: Sendable = Sendable::Message(Kind::Text);

fn open(role: Role) -> Connection {
    Case { role, ..server([]) }.connection()
}

#[test]
fn tr02_short_writes_at_every_length_go_on_where_they_stopped() {
    for role in [Role::Server, Role::Client] {
        for step in 1..40 {
            let mut connection = open(role);
            let mut sent = Vec::new();
            for n in 0..10 {
                connection
                    .send(MESSAGE, format!("message {n}").as_bytes())
                    .unwrap();
                let pending = connection.output().unwrap();
                let count = pending.len().min(step);
                sent.extend(&pending[..count]);
                connection.done(count).unwrap();
            }
            sent.extend(drain(&mut connection));
            let frames = frames_of(role, &sent);
            assert_eq!(frames.len(), 10);
            for (n, frame) in frames.iter().enumerate() {
                assert_eq!(*frame, (FIN | TEXT, format!("message {n}").into_bytes()));
            }
        }
    }
}

#[test]
fn hc25_ap26_what_is_sent_is_what_it_was_when_it_was_sent() {
    for role in [Role::Server, Role::Client] {
        let mut connection = open(role);
        let mut data = b"what it says now".to_vec();
        connection.send(MESSAGE, &data).unwrap();
        // Masking happens in a copy.
        assert_eq!(data, b"what it says now");
        let mut sent = connection.output().unwrap()[..9].to_vec();
        connection.done(9).unwrap();
        data.fill(b'!');
        sent.extend(drain(&mut connection));
        let frames = frames_of(role, &sent);
        assert_eq!(frames, [(FIN | TEXT, b"what it says now".to_vec())]);
    }
}

#[test]
fn tr03_more_done_than_there_was_is_refused() {
    let mut connection = open(Role::Server);
    assert_eq!(connection.done(1), Err(Error::Usage));
    connection.send(MESSAGE, b"four").unwrap();
    assert_eq!(connection.done(7), Err(Error::Usage));
    assert_eq!(connection.output().unwrap().len(), 6);
    connection.done(6).unwrap();
    assert_eq!(connection.done(1), Err(Error::Usage));
}

#[test]
fn lm03_a_full_queue_is_a_result_and_queues_nothing() {
    let mut connection = server([]).with(|s| s.send_queue = 100).connection();
    connection.send(MESSAGE, &[b'a'; 60]).unwrap();
    assert_eq!(connection.send(MESSAGE, &[b'a'; 60]), Err(Error::Full));
    assert_eq!(
        connection.send(Sendable::Ping, &[b'a'; 60]),
        Err(Error::Full)
    );
    assert_eq!(
        connection.send(MESSAGE, &[b'a'; 101]),
        Err(Error::SendTooBig)
    );
    assert_eq!(connection.queued(), 62);
    connection.send(MESSAGE, &[b'a'; 30]).unwrap();
    drain(&mut connection);
    connection.send(MESSAGE, &[b'a'; 100]).unwrap();
}

#[test]
fn ap09_nothing_is_sent_after_close() {
    let mut ours = open(Role::Server);
    ours.close(Some(1000), "").unwrap();
    let mut theirs = open(Role::Server);
    feed(&mut theirs, &masked(FIN | CLOSE, b""));
    for mut connection in [ours, theirs] {
        drain(&mut connection);
        assert_eq!(connection.send(MESSAGE, b"late"), Err(Error::Closed));
        assert_eq!(connection.send(Sendable::Ping, b""), Err(Error::Closed));
        assert_eq!(connection.close(Some(1000), ""), Err(Error::Closed));
        assert_eq!(drain(&mut connection), []);
    }
}

#[test]
fn ap10_nothing_is_sent_before_open() {
    let mut connection = Connection::server(Arc::new(Settings::default()), random);
    assert_eq!(connection.send(MESSAGE, b"early"), Err(Error::State));
    assert_eq!(drain(&mut connection), []);
}

#[test]
fn ap22_close_codes_that_may_not_be_sent() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        let mut connection = open(Role::Server);
        assert_eq!(
            connection.close(Some(code), ""),
            Err(Error::Range),
            "{code}"
        );
        assert_eq!(connection.close(None, "reason"), Err(Error::Usage));
        assert_eq!(drain(&mut connection), []);
        connection.send(MESSAGE, b"still open").unwrap();
    }
}

#[test]
fn ap23_text_that_is_not_utf8_is_not_sent() {
    for bad in [&b"\xff"[..], b"cut \xe2\x82"] {
        let mut connection = open(Role::Client);
        assert_eq!(connection.send(MESSAGE, bad), Err(Error::SendUtf8));
        assert_eq!(drain(&mut connection), []);
        connection
            .send(Sendable::Message(Kind::Binary), bad)
            .unwrap();
    }
}

#[test]
fn ap24_ap25_reasons_and_pings_that_are_too_long() {
    let mut connection = open(Role::Server);
    assert_eq!(
        connection.send(Sendable::Ping, &[0; 126]),
        Err(Error::SendTooBig)
    );
    assert_eq!(
        connection.send(Sendable::Pong, &[0; 126]),
        Err(Error::SendTooBig)
    );
    assert_eq!(
        connection.close(Some(1000), &"r".repeat(124)),
        Err(Error::SendTooBig)
    );
    assert_eq!(drain(&mut connection), []);
    connection.send(Sendable::Ping, &[0; 125]).unwrap();
    connection.close(Some(1000), &"r".repeat(123)).unwrap();
}

#[test]
fn ap30_ap31_chunks_out_of_order_are_refused_and_change_nothing() {
    for role in [Role::Server, Role::Client] {
        let mut connection = open(role);
        assert_eq!(
            connection.send_chunk(Kind::Text, b"x", false, false),
            Err(Error::State)
        );
        connection
            .send_chunk(Kind::Text, b"one \xe2", true, false)
            .unwrap();
        assert_eq!(
            connection.send_chunk(Kind::Text, b"x", true, false),
            Err(Error::State)
        );
        assert_eq!(
            connection.send_chunk(Kind::Binary, b"x", false, false),
            Err(Error::State)
        );
        assert_eq!(connection.send(MESSAGE, b"whole"), Err(Error::State));
        assert_eq!(
            connection.send_chunk(Kind::Text, b"\xff", false, false),
            Err(Error::SendUtf8)
        );
        connection.send(Sendable::Ping, b"between").unwrap();
        assert_eq!(
            connection.send_chunk(Kind::Text, b"\x82", false, true),
            Err(Error::SendUtf8)
        );
        connection
            .send_chunk(Kind::Text, b"\x82\xac", false, true)
            .unwrap();
        connection.send(MESSAGE, b"next").unwrap();
        let expected = [
            (TEXT, b"one \xe2".to_vec()),
            (FIN | PING, b"between".to_vec()),
            (FIN | CONT, b"\x82\xac".to_vec()),
            (FIN | TEXT, b"next".to_vec()),
        ];
        assert_eq!(frames_of(role, &drain(&mut connection)), expected);
    }
}

#[test]
fn hc24_without_random_bytes_a_client_sends_nothing() {
    let settings = Arc::new(Settings::default());
    let mut connection = Connection::established(Role::Client, settings, no_random);
    assert_eq!(connection.send(MESSAGE, b"unmasked?"), Err(Error::Random));
    assert_eq!(drain(&mut connection), []);
}

#[test]
fn two_ends_talk() {
    let settings = Arc::new(Settings::default());
    let mut client = Connection::established(Role::Client, Arc::clone(&settings), random);
    let mut server = Connection::established(Role::Server, settings, random);
    for n in 0..100_usize {
        let message = vec![n as u8; n * 701];
        client
            .send(Sendable::Message(Kind::Binary), &message)
            .unwrap();
        assert_eq!(feed(&mut server, &drain(&mut client)), [binary(&message)]);
        server
            .send(Sendable::Message(Kind::Binary), &message)
            .unwrap();
        assert_eq!(feed(&mut client, &drain(&mut server)), [binary(&message)]);
    }
    client.close(Some(1000), "done").unwrap();
    assert_eq!(
        feed(&mut server, &drain(&mut client)),
        [closed(1000, "done")]
    );
    let seen = feed(&mut client, &drain(&mut server));
    assert!(matches!(
        seen[..],
        [Seen::Close {
            code: 1000,
            by_peer: false,
            error: None,
            ..
        }]
    ));
}

#[test]
fn lm03_a_queue_that_is_kept_full_is_not_moved_for_each_send() {
    // As many frames as fill the buffer to its last byte, which grows by
    // doubling from one frame on.
    let frame = plain(FIN | TEXT, &[b'a'; 100]);
    let frames = 1_usize << 18;
    let mut connection = server([])
        .with(|s| s.send_queue = frames * frame.len())
        .connection();
    while connection.send(MESSAGE, &[b'a'; 100]).is_ok() {}
    assert_eq!(connection.queued(), frames * frame.len());
    // 100 000 sends that each move 25 MiB would take minutes.
    for n in 0..100_000_u32 {
        let message = format!("{n:0100}");
        assert_eq!(
            connection.send(MESSAGE, message.as_bytes()),
            Err(Error::Full)
        );
        connection.done(frame.len()).unwrap();
        connection.send(MESSAGE, message.as_bytes()).unwrap();
    }
    let sent = drain(&mut connection);
    let (old, new) = sent.split_at(sent.len() - 100_000 * frame.len());
    assert!(old.chunks(frame.len()).all(|one| one == frame));
    for (n, one) in new.chunks(frame.len()).enumerate() {
        assert_eq!(one, plain(FIN | TEXT, format!("{n:0100}").as_bytes()));
    }
}
