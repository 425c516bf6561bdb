//! Ping, pong, and control frames that break the rules.

use wsembed::proto::Error;
use wsembed::proto::conn::Role;

use crate::support::*;

#[test]
fn ct01_fragmented_control_frames() {
    for opcode in [PING, PONG, CLOSE] {
        for case in both(&[(opcode, b""), (FIN | CONT, b"")]) {
            case.expect(&[failed(Error::ControlFrame)]);
        }
    }
}

#[test]
fn ct02_control_frames_over_125_bytes_fail_from_the_header() {
    for opcode in [PING, PONG, CLOSE] {
        for form in [0xFE, 0xFF] {
            server([FIN | opcode, form]).expect(&[failed(Error::ControlFrame)]);
        }
    }
}

#[test]
fn ct03_ct04_pings_are_answered_with_their_bytes() {
    for payload in [&b""[..], b"p", &[0xFF; 125]] {
        for case in both(&[(FIN | PING, payload)]) {
            let (events, sent) = case.outcome();
            assert_eq!(events, [Seen::Ping(payload.to_vec())]);
            assert_eq!(
                frames_of(case.role, &sent),
                [(FIN | PONG, payload.to_vec())]
            );
        }
    }
}

#[test]
fn ct05_ct06_control_frames_between_fragments() {
    let frames = [
        (TEXT, &b"one"[..]),
        (FIN | PING, b"a"),
        (CONT, b"two"),
        (FIN | PONG, b"b"),
        (FIN | PING, b"c"),
        (FIN | CONT, b"three"),
        (FIN | TEXT, b"next"),
    ];
    for case in both(&frames) {
        let (events, sent) = case.outcome();
        let expected = [
            Seen::Ping(b"a".into()),
            Seen::Pong(b"b".into()),
            Seen::Ping(b"c".into()),
            text("onetwothree"),
            text("next"),
        ];
        assert_eq!(events, expected);
        let pongs = [(FIN | PONG, b"a".to_vec()), (FIN | PONG, b"c".to_vec())];
        assert_eq!(frames_of(case.role, &sent), pongs);
    }
}

#[test]
fn ct07_unsolicited_pongs_are_events_and_no_more() {
    for case in both(&[
        (FIN | PONG, b"stray"),
        (FIN | PONG, b""),
        (FIN | TEXT, b"on"),
    ]) {
        let (events, sent) = case.outcome();
        assert_eq!(
            events,
            [Seen::Pong(b"stray".into()), Seen::Pong(vec![]), text("on")]
        );
        assert_eq!(sent, []);
    }
}

#[test]
fn ct08_ten_pings_in_a_row_get_ten_pongs_in_order() {
    for role in [Role::Server, Role::Client] {
        let payloads: Vec<Vec<u8>> = (0..10).map(|n| format!("ping {n}").into()).collect();
        let input: Vec<u8> = payloads
            .iter()
            .flat_map(|p| to(role, FIN | PING, p))
            .collect();
        let (_, sent) = Case {
            role,
            ..server(input)
        }
        .outcome();
        let pongs: Vec<_> = payloads.into_iter().map(|p| (FIN | PONG, p)).collect();
        assert_eq!(frames_of(role, &sent), pongs);
    }
}

#[test]
fn ct09_a_ping_flood_that_never_reads_costs_a_bounded_queue() {
    let mut connection = server([]).connection();
    let mut most = 0;
    for n in 0..100_000_u32 {
        let payload = [&n.to_be_bytes()[..], &[b'.'; 121]].concat();
        assert_eq!(
            feed(&mut connection, &masked(FIN | PING, &payload)).len(),
            1
        );
        // The program asks for output after every read and cannot write it.
        most = most.max(connection.output().unwrap().len());
    }
    assert!(most <= 64 * 127, "{most} bytes of pongs");
    // Once the line moves, the latest ping is answered, and only that.
    let mut sent = drain(&mut connection);
    sent.extend(drain(&mut connection));
    let frames = frames_of(Role::Server, &sent);
    assert_eq!(frames.last().unwrap().1[..4], 99_999_u32.to_be_bytes());
    assert_eq!(frames.len(), 65);
}

#[test]
fn ct11_no_pong_after_our_close_frame() {
    let mut connection = server([]).connection();
    connection.close(Some(1000), "").unwrap();
    assert_eq!(feed(&mut connection, &masked(FIN | PING, b"late")), []);
    let sent = frames_of(Role::Server, &drain(&mut connection));
    assert_eq!(sent, [(FIN | CLOSE, 1000_u16.to_be_bytes().to_vec())]);
}

#[test]
fn ct11_a_pong_that_waits_in_line_does_not_follow_our_close_frame() {
    let mut connection = server([]).connection();
    for _ in 0..100 {
        feed(&mut connection, &masked(FIN | PING, b"p"));
    }
    connection.close(Some(1000), "").unwrap();
    let mut sent = drain(&mut connection);
    sent.extend(drain(&mut connection));
    assert_eq!(
        frames_of(Role::Server, &sent).last().unwrap().0,
        FIN | CLOSE
    );
}

#[test]
fn ct12_ct14_a_pong_waits_behind_a_half_written_message() {
    for role in [Role::Server, Role::Client] {
        let mut connection = Case { role, ..server([]) }.connection();
        let kind = wsembed::proto::message::Kind::Binary;
        connection.send_chunk(kind, &[5; 1000], true, true).unwrap();
        let mut sent = connection.output().unwrap()[..500].to_vec();
        connection.done(500).unwrap();
        feed(&mut connection, &to(role, FIN | PING, b"now"));
        while let Ok([byte, ..]) = connection.output() {
            sent.push(*byte);
            connection.done(1).unwrap();
        }
        let expected = [(FIN | BINARY, vec![5; 1000]), (FIN | PONG, b"now".to_vec())];
        assert_eq!(frames_of(role, &sent), expected);
    }
}
