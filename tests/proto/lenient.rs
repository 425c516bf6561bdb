//! A connection that is lenient: what old devices send is taken, what they
//! want is sent, and what is no frame at all still ends it.

use wsembed::proto::Error;
use wsembed::proto::conn::{Connection, Role, Sendable};
use wsembed::proto::message::Kind;

use crate::support::*;

const CONTINUATION: Sendable = Sendable::Message(Kind::Continuation);
const RAW: Sendable = Sendable::Message(Kind::Raw);

fn lenient(case: Case) -> Case {
    case.with(|settings| settings.lenient = true)
}

fn open(role: Role) -> Connection {
    lenient(Case { role, ..server([]) }).connection()
}

#[test]
fn what_is_sent_in_order_with_messages() {
    for role in [Role::Server, Role::Client] {
        let mut connection = open(role);
        connection.send(CONTINUATION, b"part").unwrap();
        connection.send(CONTINUATION, b"").unwrap();
        connection
            .send(Sendable::Message(Kind::Text), b"\xC4\xE3\xBA\xC3")
            .unwrap();
        connection.send(CONTINUATION, &[7; 70_000]).unwrap();
        let frames = frames_of(role, &drain(&mut connection));
        let wanted = [
            (FIN | CONT, b"part".to_vec()),
            (FIN | CONT, Vec::new()),
            (FIN | TEXT, b"\xC4\xE3\xBA\xC3".to_vec()),
            (FIN | CONT, vec![7; 70_000]),
        ];
        assert!(frames == wanted, "{role:?}");
    }
}

#[test]
fn raw_bytes_go_out_as_they_are() {
    for role in [Role::Server, Role::Client] {
        let mut connection = open(role);
        connection.send(RAW, b"\x81\x02hi").unwrap();
        connection.send(RAW, b"").unwrap();
        connection.send(RAW, b"no frame").unwrap();
        assert_eq!(drain(&mut connection), b"\x81\x02hino frame");
    }
}

#[test]
fn what_waited_elsewhere_goes_out_in_the_same_form() {
    let mut connection = open(Role::Server);
    connection.send_header(Kind::Continuation, b"abc").unwrap();
    connection.send_rest(b"abc");
    connection.send_header(Kind::Raw, b"def").unwrap();
    connection.send_rest(b"def");
    connection.send_counted(Kind::Continuation, b"ghi").unwrap();
    connection.send_counted(Kind::Raw, b"jkl").unwrap();
    let sent = drain(&mut connection);
    assert_eq!(sent, b"\x80\x03abcdef\x80\x03ghijkl");
    connection.check_message(Kind::Text, b"\xFF").unwrap();
}

#[test]
fn they_obey_the_queue_and_the_state_as_messages_do() {
    let small = lenient(server([])).with(|settings| settings.send_queue = 10);
    let mut connection = small.connection();
    for what in [CONTINUATION, RAW] {
        assert_eq!(connection.send(what, &[1; 11]), Err(Error::SendTooBig));
    }
    connection.send(RAW, &[1; 8]).unwrap();
    for what in [CONTINUATION, RAW] {
        assert_eq!(connection.send(what, &[1; 3]), Err(Error::Full));
    }
    assert_eq!(connection.queued(), 8);

    let mut connection = open(Role::Server);
    connection
        .send_chunk(Kind::Text, b"a", true, false)
        .unwrap();
    // Its frame would be taken for a part of the message.
    for what in [CONTINUATION, RAW] {
        assert_eq!(connection.send(what, b"b"), Err(Error::State));
    }
    connection
        .send_chunk(Kind::Text, b"c", false, true)
        .unwrap();
    let unfinished = connection.send_chunk(Kind::Continuation, b"d", true, false);
    assert_eq!(unfinished, Err(Error::Usage));
    connection.close(Some(1000), "").unwrap();
    for what in [CONTINUATION, RAW] {
        assert_eq!(connection.send(what, b"e"), Err(Error::Closed));
    }
    let frames = frames_of(Role::Server, &drain(&mut connection));
    assert_eq!(frames.len(), 3);
}

#[test]
fn a_strict_connection_sends_neither() {
    for role in [Role::Server, Role::Client] {
        let mut connection = Case { role, ..server([]) }.connection();
        for kind in [Kind::Continuation, Kind::Raw] {
            let what = Sendable::Message(kind);
            assert_eq!(connection.send(what, b"a"), Err(Error::Usage));
            assert_eq!(connection.check_message(kind, b"a"), Err(Error::Usage));
            assert_eq!(connection.send_counted(kind, b"a"), Err(Error::Usage));
        }
        assert_eq!(connection.queued(), 0);
    }
}

fn stray(data: &[u8]) -> Seen {
    Seen::Message(Kind::Continuation, data.to_vec())
}

/// A frame whose length is in the form that `form` names: 126 or 127.
fn long_form(role: Role, first: u8, form: u8, payload: &[u8]) -> Vec<u8> {
    let masked = to(role, first, payload);
    let mut bytes = vec![first, masked[1] & 0x80 | form];
    let length = (payload.len() as u64).to_be_bytes();
    bytes.extend(&length[if form == 126 { 6 } else { 0 }..]);
    let header = match payload.len() {
        0..126 => 2,
        126..0x1_0000 => 4,
        _ => 10,
    };
    bytes.extend(&masked[header..]);
    bytes
}

#[test]
fn fr08_frames_come_masked_or_not() {
    let input = [
        plain(FIN | TEXT, b"one"),
        masked(FIN | BINARY, b"two"),
        plain(FIN | PING, b"three"),
        masked(FIN | PING, b""),
        plain(TEXT, b"fo"),
        masked(CONT, b"u"),
        plain(FIN | CONT, b"r"),
        masked(FIN | CLOSE, b"\x03\xE8bye"),
    ];
    for case in [server(input.concat()), client(input.concat())] {
        let role = case.role;
        let (events, sent) = lenient(case).outcome();
        let wanted = [
            text("one"),
            binary(b"two"),
            Seen::Ping(b"three".to_vec()),
            Seen::Ping(Vec::new()),
            text("four"),
            closed(1000, "bye"),
        ];
        assert_eq!(events, wanted);
        let pongs = frames_of(role, &sent).into_iter();
        let pongs: Vec<_> = pongs.filter(|frame| frame.0 == FIN | PONG).collect();
        assert_eq!(pongs.len(), 2);
        assert_eq!(pongs[0].1, b"three");
    }
}

#[test]
fn fr11_lengths_come_in_any_form() {
    for role in [Role::Server, Role::Client] {
        for length in [0, 1, 125, 126, 300] {
            for form in [126, 127] {
                let payload = vec![b'a'; length];
                let mut input = long_form(role, FIN | BINARY, form, &payload);
                input.extend(long_form(role, TEXT, form, &payload));
                input.extend(long_form(role, FIN | CONT, form, b"end"));
                let case = Case {
                    role,
                    ..server(&input)
                };
                let whole = String::from_utf8(payload.clone()).unwrap() + "end";
                lenient(case.clone()).expect(&[binary(&payload), text(&whole)]);
                if form == 127 || length < 126 {
                    case.expect(&[failed(Error::Length)]);
                }
            }
        }
    }
}

#[test]
fn fr12_no_length_has_its_top_bit_set() {
    let input = [FIN | BINARY, 127, 0x80, 0, 0, 0, 0, 0, 0, 1, 7];
    lenient(client(input)).expect(&[failed(Error::Length)]);
    lenient(server(input)).expect(&[failed(Error::Length)]);
}

#[test]
fn fr22_a_continuation_that_continues_nothing_is_told_as_such() {
    for case in both(&[
        (FIN | CONT, b"file part"),
        (FIN | TEXT, b"text"),
        (CONT, b"one"),
        (CONT, b"two"),
        (FIN | CONT, b""),
        (CONT, b""),
        (TEXT, b"a"),
        (CONT, b"b"),
        (FIN | PING, b"p"),
        (FIN | CONT, b"c"),
        (FIN | CONT, b"\xFF\xFE"),
    ]) {
        lenient(case).expect(&[
            stray(b"file part"),
            text("text"),
            stray(b"one"),
            stray(b"two"),
            stray(b""),
            stray(b""),
            Seen::Ping(b"p".to_vec()),
            text("abc"),
            stray(b"\xFF\xFE"),
        ]);
    }
}

#[test]
fn fr22_a_long_one_comes_whole_or_in_chunks() {
    let payload: Vec<u8> = (0..3000_u32).map(|at| (at / 7) as u8).collect();
    for case in both(&[(CONT, &payload), (FIN | CONT, &payload)]) {
        let wanted = [stray(&payload), stray(&payload)];
        lenient(case.clone()).expect(&wanted);
        lenient(case).with(|s| s.chunk_above = 100).expect(&wanted);
    }
}

#[test]
fn lm01_lm02_limits_hold_for_it_too() {
    for case in both(&[
        (FIN | CONT, &[1; 10]),
        (CONT, &[1; 10]),
        (FIN | CONT, &[1; 11]),
    ]) {
        let wanted = |error| [stray(&[1; 10]), stray(&[1; 10]), failed(error)];
        let frame = lenient(case.clone()).with(|s| s.max_frame = 10);
        frame.expect(&wanted(Error::FrameTooBig));
        let message = lenient(case).with(|s| s.max_message = 10);
        message.expect(&wanted(Error::MessageTooBig));
    }
}

#[test]
fn ut_text_is_in_any_coding() {
    let gbk: &[u8] = b"\xC4\xE3\xBA\xC3";
    for case in both(&[
        (FIN | TEXT, gbk),
        (TEXT, b"\xC4"),
        (CONT, b"\xE3\xBA"),
        (FIN | CONT, b"\xC3"),
        (FIN | TEXT, "né".as_bytes()),
        (FIN | TEXT, b"cut \xE2\x82"),
        (TEXT, b"\xE2\x82"),
        (FIN | CONT, b""),
    ]) {
        let text = |data: &[u8]| Seen::Message(Kind::Text, data.to_vec());
        let wanted = [
            text(gbk),
            text(gbk),
            text("né".as_bytes()),
            text(b"cut \xE2\x82"),
            text(b"\xE2\x82"),
        ];
        lenient(case.clone()).expect(&wanted);
        lenient(case).with(|s| s.chunk_above = 1).expect(&wanted);
    }
}

#[test]
fn what_no_endpoint_may_send_is_still_a_violation() {
    type Frames = &'static [(u8, &'static [u8])];
    let broken: [(Frames, Error); 8] = [
        (&[(FIN | TEXT | 0x40, b"a")], Error::ReservedBits),
        (&[(CONT | 0x10, b"a")], Error::ReservedBits),
        (&[(FIN | 0x3, b"a")], Error::Opcode),
        (&[(FIN | 0xB, b"a")], Error::Opcode),
        (&[(PING, b"a")], Error::ControlFrame),
        (&[(FIN | PING, &[b'a'; 126])], Error::ControlFrame),
        (&[(FIN | CLOSE, b"\x03")], Error::CloseFrame),
        (&[(FIN | CLOSE, b"\x03\xED")], Error::CloseFrame),
    ];
    for (frames, error) in broken {
        for case in both(frames) {
            lenient(case).expect(&[failed(error)]);
        }
    }
}

#[test]
fn fr31_one_that_is_cut_off_is_told_as_lost() {
    for case in both(&[(FIN | CONT, b"cut off")]) {
        let mut cut = lenient(case).then_eof();
        cut.input.truncate(cut.input.len() - 3);
        cut.expect(&[lost(3)]);
    }
}

#[test]
fn what_comes_behind_our_close_is_dropped_in_any_form() {
    let mut connection = open(Role::Server);
    connection.close(Some(1000), "").unwrap();
    let input = [
        plain(FIN | CONT, b"late"),
        plain(TEXT, b"\xFF"),
        long_form(Role::Client, FIN | TEXT, 127, b"later"),
        plain(FIN | CLOSE, b"\x03\xE8"),
    ];
    let events = feed(&mut connection, &input.concat());
    assert!(
        matches!(
            &events[..],
            [Seen::Close {
                code: 1000,
                error: None,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn fr23_a_whole_message_between_the_frames_of_another() {
    // Two threads of a device: one sends a file, one its heartbeat.
    let part: Vec<u8> = (0..300_u32).map(|at| (at / 3) as u8).collect();
    for case in both(&[
        (BINARY, b"file "),
        (FIN | TEXT, b"beat"),
        (CONT, &part),
        (FIN | TEXT, b""),
        (FIN | PING, b"p"),
        (FIN | TEXT, &part),
        (FIN | CONT, b" end"),
        (FIN | CONT, b"stray"),
        (FIN | TEXT, b"after"),
    ]) {
        lenient(case).expect(&[
            text("beat"),
            text(""),
            Seen::Ping(b"p".to_vec()),
            Seen::Message(Kind::Text, part.clone()),
            binary(&[b"file ", &part[..], b" end"].concat()),
            stray(b"stray"),
            text("after"),
        ]);
    }
}

#[test]
fn fr23_a_whole_message_of_the_same_kind_there_is_a_violation() {
    // It may be the next piece, its opcode wrong.
    for opcode in [TEXT, BINARY] {
        for case in both(&[(opcode, b"a"), (FIN | opcode, b"b")]) {
            lenient(case).expect(&[failed(Error::Continuation)]);
        }
    }
}

#[test]
fn fr23_a_message_without_an_end_ends_where_the_next_in_pieces_begins() {
    for case in both(&[
        (TEXT, b"one "),
        (CONT, b"more"),
        (BINARY, b"two"),
        (BINARY, b""),
        (TEXT, b""),
        (TEXT, b"three "),
        (FIN | BINARY, b"beat"),
        (FIN | CONT, b"ends"),
    ]) {
        let wanted = [
            text("one more"),
            binary(b"two"),
            binary(b""),
            text(""),
            binary(b"beat"),
            text("three ends"),
        ];
        lenient(case.clone()).expect(&wanted);
        // In chunks all the same: first ones, last ones, and as many.
        for chunk_above in [0, 1, 3, 5, 8] {
            let events = lenient(case.clone()).with(|s| s.chunk_above = chunk_above);
            assert_eq!(messages(&events.events()), messages(&wanted));
        }
    }
}

/// The messages, put together from chunks that others may come between.
fn messages(events: &[Seen]) -> Vec<(Kind, Vec<u8>)> {
    let (mut whole, mut open) = (Vec::new(), Vec::<(Kind, Vec<u8>)>::new());
    for event in events {
        match event {
            Seen::Message(kind, data) => whole.push((*kind, data.clone())),
            Seen::Chunk {
                kind,
                data,
                first,
                last,
                offset,
                ..
            } => {
                if *first {
                    open.push((*kind, Vec::new()));
                }
                let mut message = open.pop().expect("a first chunk");
                assert_eq!((message.0, message.1.len() as u64), (*kind, *offset));
                message.1.extend(data);
                if *last {
                    whole.push(message);
                } else {
                    open.push(message);
                }
            }
            _ => {}
        }
    }
    assert_eq!(open, []);
    whole
}

#[test]
fn lm01_messages_that_overlap_have_their_limits_each() {
    for case in both(&[
        (BINARY, &[1; 10]),
        (FIN | TEXT, &[2; 10]),
        (FIN | CONT, &[1; 10]),
        (BINARY, &[3; 20]),
        (BINARY, &[4; 21]),
    ]) {
        let case = lenient(case).with(|s| s.max_message = 20);
        case.with(|s| s.max_fragments = 2).expect(&[
            Seen::Message(Kind::Text, vec![2; 10]),
            binary(&[1; 20]),
            failed(Error::MessageTooBig),
        ]);
    }
}
