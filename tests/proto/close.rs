//! The closing handshake.

use wsembed::proto::Error;
use wsembed::proto::close::may_be_sent;
use wsembed::proto::conn::Role;
use wsembed::proto::message::Kind;

use crate::support::*;

fn body(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

#[test]
fn cl01_an_empty_close_is_answered_and_reported_as_1005() {
    for case in both(&[(FIN | CLOSE, b"")]) {
        let (events, sent) = case.outcome();
        assert_eq!(events, [closed(1005, "")]);
        assert_eq!(frames_of(case.role, &sent), [(FIN | CLOSE, vec![])]);
    }
}

#[test]
fn cl01_the_server_hangs_up_once_its_answer_is_out_the_client_after_the_server() {
    let mut server = server([]).connection();
    feed(&mut server, &masked(FIN | CLOSE, b""));
    assert!(!server.output().unwrap().is_empty());
    drain(&mut server);
    assert_eq!(server.output(), Err(Error::Closed));

    let mut client = client([]).connection();
    feed(&mut client, &plain(FIN | CLOSE, b""));
    drain(&mut client);
    assert_eq!(client.output(), Ok(&[][..]));
    assert_eq!(feed_eof(&mut client), []);
    assert_eq!(client.output(), Err(Error::Closed));
}

#[test]
fn cl02_a_close_with_half_a_code() {
    for case in both(&[(FIN | CLOSE, b"\x03")]) {
        case.expect(&[failed(Error::CloseFrame)]);
    }
}

#[test]
fn cl03_cl04_cl05_cl06_codes_that_may_not_be_sent() {
    let bad = (0..1000)
        .chain([1004, 1005, 1006, 1015])
        .chain(1016..3000)
        .chain(5000..=65535);
    for code in bad {
        assert!(!may_be_sent(code), "{code}");
        if code % 97 == 0 || [999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].contains(&code)
        {
            for case in both(&[(FIN | CLOSE, &body(code, b""))]) {
                case.expect(&[failed(Error::CloseFrame)]);
            }
        }
    }
}

#[test]
fn cl07_valid_codes_are_echoed() {
    let good = (1000..=1003)
        .chain(1007..=1014)
        .chain([3000, 3999, 4000, 4999]);
    for code in good {
        for case in both(&[(FIN | CLOSE, &body(code, b"because"))]) {
            let (events, sent) = case.outcome();
            assert_eq!(events, [closed(code, "because")]);
            assert_eq!(close_codes(case.role, &sent), [code]);
        }
    }
}

#[test]
fn cl08_a_reason_that_is_not_utf8() {
    for reason in [&b"\xff"[..], b"cut \xe2\x82", b"\xed\xa0\x80"] {
        for case in both(&[(FIN | CLOSE, &body(1000, reason))]) {
            case.expect(&[failed(Error::Utf8)]);
        }
    }
}

#[test]
fn cl09_the_longest_reason() {
    let reason = "r".repeat(123);
    for case in both(&[(FIN | CLOSE, &body(1000, reason.as_bytes()))]) {
        assert_eq!(case.events(), [closed(1000, &reason)]);
    }
    for case in both(&[(FIN | CLOSE, &body(1000, &[b'r'; 124]))]) {
        case.expect(&[failed(Error::ControlFrame)]);
    }
}

#[test]
fn cl10_cl11_nothing_after_the_peers_close_counts() {
    for case in both(&[
        (FIN | CLOSE, &body(1000, b"")),
        (FIN | CLOSE, &body(1001, b"")),
        (FIN | TEXT, b"late"),
        (FIN | PING, b"late"),
        (0x70, b"broken"),
    ]) {
        let (events, sent) = case.outcome();
        assert_eq!(events, [closed(1000, "")]);
        assert_eq!(frames_of(case.role, &sent).len(), 1);
    }
}

#[test]
fn cl12_a_large_message_followed_at_once_by_close() {
    let large = "x".repeat(256 << 10);
    for case in both(&[
        (FIN | TEXT, large.as_bytes()),
        (FIN | CLOSE, &body(1000, b"")),
    ]) {
        let mut connection = case.connection();
        assert_eq!(
            feed(&mut connection, &case.input),
            [text(&large), closed(1000, "")]
        );
    }
}

#[test]
fn cl13_a_close_inside_a_message_drops_the_message() {
    for case in both(&[(TEXT, b"half"), (FIN | CLOSE, &body(1001, b""))]) {
        let (events, sent) = case.outcome();
        assert_eq!(events, [closed(1001, "")]);
        assert_eq!(close_codes(case.role, &sent), [1001]);
    }
}

#[test]
fn cl14_both_close_at_once() {
    for role in [Role::Server, Role::Client] {
        let mut connection = Case { role, ..server([]) }.connection();
        connection.close(Some(4000), "mine").unwrap();
        let sent = drain(&mut connection);
        assert_eq!(close_codes(role, &sent), [4000]);
        let seen = feed(
            &mut connection,
            &to(role, FIN | CLOSE, &body(4001, b"yours")),
        );
        let Seen::Close {
            code,
            reason,
            by_peer,
            error,
            ..
        } = &seen[0]
        else {
            panic!("{seen:?}");
        };
        assert_eq!(
            (*code, &reason[..], *by_peer, *error),
            (4001, "yours", false, None)
        );
        assert_eq!(drain(&mut connection), []);
    }
}

#[test]
fn cl15_cl16_a_peer_that_never_answers_our_close() {
    for chatter in [false, true] {
        let mut connection = server([]).with(|s| s.close_timeout = 500).connection();
        assert_eq!(connection.tick(1000), u64::MAX);
        connection.close(Some(1000), "bye").unwrap();
        drain(&mut connection);
        assert_eq!(connection.tick(1200), 1500);
        if chatter {
            let noise = [
                masked(TEXT, b"a"),
                masked(FIN | CONT, b"b"),
                masked(FIN | BINARY, &[0; 9999]),
            ];
            assert_eq!(feed(&mut connection, &noise.concat().repeat(50)), []);
            assert_eq!(connection.tick(1499), 1500);
        }
        assert_eq!(connection.output(), Ok(&[][..]));
        assert_eq!(connection.tick(1500), u64::MAX);
        let seen = feed(&mut connection, b"");
        assert!(
            matches!(
                seen[..],
                [Seen::Close {
                    code: 1006,
                    error: Some(Error::Timeout),
                    ..
                }]
            ),
            "{seen:?}"
        );
        assert_eq!(connection.output(), Err(Error::Closed));
        assert_eq!(feed(&mut connection, b"more"), []);
    }
}

#[test]
fn cl17_the_transport_ends_without_a_close_frame() {
    for case in both(&[(FIN | TEXT, b"last words")]) {
        let case = case.then_eof();
        case.expect(&[text("last words"), lost(0)]);
        let mut connection = case.connection();
        feed_eof(&mut connection);
        assert_eq!(connection.output(), Err(Error::Closed));
    }
}

#[test]
fn cl18_tr09_half_close_what_is_queued_still_goes_out() {
    let mut connection = server([]).connection();
    connection
        .send_chunk(Kind::Text, b"answer", true, true)
        .unwrap();
    assert_eq!(feed_eof(&mut connection), [lost(0)]);
    assert_eq!(drain(&mut connection), plain(FIN | TEXT, b"answer"));
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn cl18_and_is_given_up_at_the_deadline_if_the_peer_never_reads() {
    let mut connection = server([]).with(|s| s.close_timeout = 500).connection();
    connection.tick(0);
    connection
        .send_chunk(Kind::Text, b"answer", true, true)
        .unwrap();
    feed_eof(&mut connection);
    assert_eq!(connection.tick(10), 500);
    assert!(!connection.output().unwrap().is_empty());
    connection.tick(500);
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn cl19_a_client_waits_a_bounded_time_for_the_server_to_hang_up() {
    let mut connection = client([]).with(|s| s.close_timeout = 700).connection();
    connection.tick(100);
    assert_eq!(
        feed(&mut connection, &plain(FIN | CLOSE, b"")),
        [closed(1005, "")]
    );
    drain(&mut connection);
    assert_eq!(connection.tick(101), 800);
    assert_eq!(connection.output(), Ok(&[][..]));
    assert_eq!(connection.tick(800), u64::MAX);
    assert_eq!(connection.output(), Err(Error::Closed));
}

#[test]
fn cl20_one_close_frame_whatever_follows_ours() {
    for after in [&b"\xf0\x80"[..], &masked(FIN | CLOSE, b"\x03")] {
        let mut connection = server([]).connection();
        connection.close(Some(1000), "").unwrap();
        let seen = feed(&mut connection, after);
        assert_eq!(seen.len(), 1, "{seen:?}");
        feed_eof(&mut connection);
        connection.tick(1 << 40);
        assert_eq!(close_codes(Role::Server, &drain(&mut connection)), [1000]);
        assert_eq!(connection.output(), Err(Error::Closed));
    }
}

#[test]
fn cl21_a_full_send_queue_still_takes_a_close_frame() {
    let mut connection = server([]).with(|s| s.send_queue = 64).connection();
    while connection
        .send_chunk(Kind::Text, b"filling", true, true)
        .is_ok()
    {}
    assert_eq!(
        connection.send_chunk(Kind::Text, b"filling", true, true),
        Err(Error::Full)
    );
    connection.close(Some(1000), &"r".repeat(123)).unwrap();
    assert_eq!(close_codes(Role::Server, &drain(&mut connection)), [1000]);
}

#[test]
fn cl16_a_program_that_is_done_with_a_peer_waits_for_nothing() {
    for closing in [false, true] {
        let mut connection = server([]).connection();
        if closing {
            connection.close(Some(1001), "").unwrap();
        }
        connection.dismiss(1000);
        let seen = feed(&mut connection, &masked(FIN | TEXT, b"late"));
        let refused = |seen: &Seen| {
            matches!(
                seen,
                Seen::Close {
                    error: Some(Error::Refused),
                    by_peer: false,
                    ..
                }
            )
        };
        assert!(seen.len() == 1 && refused(&seen[0]), "{seen:?}");
        connection.dismiss(1000);
        let code = if closing { 1001 } else { 1000 };
        assert_eq!(close_codes(Role::Server, &drain(&mut connection)), [code]);
        assert_eq!(connection.output(), Err(Error::Closed));
    }
}
