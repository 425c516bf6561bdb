//! A server through its whole life while system calls fail: a failure costs
//! at most the connection that it happens to, nothing is lost or doubled on
//! the others, each end is told once, no descriptor is left, nothing spins.
#![allow(unsafe_code)]

use std::ptr::null;

use wsembed::ffi::event::{WEBSOCKET_BINARY, WEBSOCKET_TEXT};
use wsembed::ffi::result::WEBSOCKET_OK;

use wsembed::ffi::server::peer::*;
use wsembed::ffi::server::turning::webSocket_server_stop;
use wsembed::net::sys::faults::Plan;

use super::support::*;
use super::world::{Client, World, request};

const TEXT_FRAME: u8 = 0x81;
const BINARY_FRAME: u8 = 0x82;
const CLOSE_FRAME: u8 = 0x88;

fn large(seed: u32) -> Vec<u8> {
    (0..100_000_u32).map(|at| (at / 5 + seed) as u8).collect()
}

/// What a client gets, frame by frame.
type Expected = Vec<(u8, Vec<u8>)>;

/// A client that is gone has got the start of what it was to get, one that is
/// there all of it. How many are gone.
fn compare(clients: &[Client], expected: &[Expected], what: &str) -> u64 {
    let mut gone = 0;
    for (client, expected) in clients.iter().zip(expected) {
        let got = client.frames().into_iter();
        let got: Expected = got.map(|(first, _, payload)| (first, payload)).collect();
        let whole = got.len() == expected.len();
        let common = got.iter().zip(expected).all(|(left, right)| left == right);
        assert!(common, "{what}: other frames than those expected");
        assert!(
            got.len() <= expected.len(),
            "{what}: frames that nobody sent"
        );
        if !whole {
            assert!(client.ended, "{what}: frames are missing");
            gone += 1;
        }
    }
    gone
}

fn all_came(clients: &[Client], expected: &[Expected]) -> bool {
    let pairs = clients.iter().zip(expected);
    pairs
        .into_iter()
        .all(|(client, expected)| client.ended || client.count().0 == expected.len())
}

/// `count` clients whose handshake is done, one with its request in pieces.
/// Who fails tries again. How many failed.
fn connect(world: &mut World<'_>, clients: &mut Vec<Client>, count: usize) -> u64 {
    let mut failed = 0;
    while clients.len() < count {
        let first = clients.len();
        for number in first..count {
            let port = if number == 1 {
                world.port
            } else {
                world.narrow
            };
            world.names += 1;
            let mut client = Client::new(world.names, port);
            let request = request(world.names);
            let (start, rest) = request.split_at(if number == 2 { 40 } else { request.len() });
            client.write(start);
            if !rest.is_empty() {
                world.turn();
                client.write(rest);
            }
            clients.push(client);
        }
        world.until(clients, "handshakes", |_, clients| {
            let done = |client: &Client| client.ended || client.is_open();
            clients.iter().all(done)
        });
        let before = clients.len();
        clients.retain(Client::is_open);
        failed += (before - clients.len()) as u64;
        assert!(failed < 100, "nobody gets in");
    }
    failed
}

/// Messages of all sizes and both kinds come back, pings are answered.
fn echoes(world: &mut World<'_>, clients: &mut [Client], expected: &mut [Expected]) {
    for (number, client) in clients.iter_mut().enumerate() {
        let own = large(number as u32);
        let mut bytes = framed(0x81, true, b"small");
        bytes.extend(framed(0x89, true, b"ping"));
        bytes.extend(framed(0x82, true, &own));
        bytes.extend(framed(0x01, true, b"one, "));
        bytes.extend(framed(0x00, true, b"two, "));
        bytes.extend(framed(0x89, true, b"between"));
        bytes.extend(framed(0x80, true, b"three"));
        // This one reads only when everything is stuck.
        client.deaf = number == 0;
        client.write(&bytes);
        expected[number].extend([
            (TEXT_FRAME, b"small".to_vec()),
            (0x8A, b"ping".to_vec()),
            (BINARY_FRAME, own),
            (0x8A, b"between".to_vec()),
            (TEXT_FRAME, b"one, two, three".to_vec()),
        ]);
    }
    world.until(clients, "echoes", |_, clients| {
        all_came(&clients[1..], &expected[1..])
    });
    world.assert_quiet(clients, 6000, "one does not read");
    clients[0].deaf = false;
    world.until(clients, "late echoes", |_, clients| {
        all_came(clients, expected)
    });
}

/// A long message, and short ones after it, in their order wherever they were
/// encoded: the place of a pong among them is not fixed.
fn sort_pongs(expected: &mut [Expected], clients: &mut [Client]) {
    for (client, expected) in clients.iter().zip(expected) {
        let got = client.frames();
        let same = |kind: fn(u8) -> bool| {
            let got = got.iter().filter(move |frame| kind(frame.0));
            got.map(|(first, _, payload)| (*first, payload.clone()))
                .collect::<Expected>()
        };
        let wanted = |kind: fn(u8) -> bool| {
            let wanted = expected.iter().filter(move |frame| kind(frame.0));
            wanted.cloned().collect::<Expected>()
        };
        let is_pong = |first: u8| first == 0x8A;
        let is_other = |first: u8| first != 0x8A;
        if same(is_pong) == wanted(is_pong) && same(is_other) == wanted(is_other) {
            *expected = got
                .into_iter()
                .map(|(first, _, payload)| (first, payload))
                .collect();
        }
    }
}

/// What other threads ask for, and what the program asks between two turns.
fn asked(world: &mut World<'_>, clients: &mut [Client], expected: &mut [Expected]) {
    for client in &*clients {
        let peer = world.peer(client);
        let sent = world.elsewhere(|server| {
            // SAFETY: five live bytes.
            unsafe { webSocket_server_send(server, peer, WEBSOCKET_TEXT, b"there".as_ptr(), 5) }
        });
        let subscribed =
            // SAFETY: a string with its NUL.
            unsafe { webSocket_server_subscribe(world.server, peer, c"news".as_ptr()) };
        // A peer that is gone is told as such.
        assert_eq!(sent == WEBSOCKET_OK, subscribed == WEBSOCKET_OK);
    }
    let server = world.server;
    let long = large(9);
    // SAFETY: live strings and bytes.
    unsafe {
        let kind = WEBSOCKET_BINARY;
        let (news, data, length) = (c"news".as_ptr(), long.as_ptr(), long.len());
        assert_eq!(
            webSocket_server_publish(server, news, kind, data, length, 0),
            0
        );
        let data = b"all".as_ptr();
        let result = webSocket_server_publish(server, null(), WEBSOCKET_TEXT, data, 3, 0);
        assert_eq!(result, 0);
    }
    for expected in expected.iter_mut() {
        expected.extend([
            (TEXT_FRAME, b"there".to_vec()),
            (BINARY_FRAME, long.clone()),
            (TEXT_FRAME, b"all".to_vec()),
        ]);
    }
    world.until(clients, "what was asked for", |_, clients| {
        all_came(clients, expected)
    });
}

/// Ends of every kind: the client's close, the program's, a broken rule.
fn ends(world: &mut World<'_>, clients: &mut [Client], expected: &mut [Expected]) {
    clients[0].write(&framed(CLOSE_FRAME, true, &[3, 232]));
    expected[0].push((CLOSE_FRAME, vec![3, 232]));
    for client in &clients[1..] {
        let peer = world.peer(client);
        // One that is gone is not closed.
        // SAFETY: a string with its NUL.
        unsafe { webSocket_server_closePeer(world.server, peer, 4000, c"go".as_ptr()) };
    }
    world.until(clients, "closes", |_, clients| {
        clients
            .iter()
            .skip(1)
            .all(|client| client.ended || client.count().1 == CLOSE_FRAME)
            && clients[0].ended
    });
    for client in clients.iter_mut().skip(1) {
        client.write(&framed(CLOSE_FRAME, true, &[0x0F, 0xA0]));
    }
    world.until(clients, "ends", |_, clients| {
        clients.iter().all(|client| client.ended)
    });
}

/// A broken rule, a half-closed end, and the end of the server.
fn last(world: &mut World<'_>) -> u64 {
    let mut clients = Vec::new();
    let mut failed = connect(world, &mut clients, 3);
    // Not masked; the rest of it is never read.
    clients[0].write(b"\x82\x05never");
    // An echo that it never reads, and a FIN behind the message.
    let mut deaf = clients.remove(2);
    deaf.deaf = true;
    deaf.write(&framed(0x82, true, &vec![7; 400_000]));
    clients.push(deaf);
    world.until(&mut clients, "a broken rule", |_, clients| {
        clients[0].ended || clients[0].count().1 == CLOSE_FRAME
    });
    clients[0].half_close();
    world.until(&mut clients, "its end", |_, clients| clients[0].ended);
    let frames = clients[0].frames();
    let closed = frames.last().map(|(_, _, payload)| payload.get(..2));
    if closed != Some(Some(&[3, 234])) {
        eprintln!("no close frame for a broken rule");
        failed += 1;
    }
    world.assert_quiet(&mut clients, 6000, "one reads nothing");
    clients[2].half_close();
    world.assert_quiet(&mut clients, 60, "its FIN is there");
    assert_eq!(webSocket_server_stop(world.server), WEBSOCKET_OK);
    world.until(&mut clients, "goodbye", |_, clients| {
        clients[1].ended || clients[1].count().1 == CLOSE_FRAME
    });
    if clients[1].count().1 != CLOSE_FRAME {
        eprintln!("no goodbye");
        failed += 1;
    }
    clients[1].write(&framed(CLOSE_FRAME, true, &[3, 233]));
    clients.truncate(2);
    world.until(&mut clients, "the end", |world, _| world.over);
    failed
}

/// The whole life of a server. `most`: so many connections may fail.
fn life(plan: &mut Plan, embedded: bool, most: u64) {
    let mut world = World::new(plan, embedded);
    let mut clients = Vec::new();
    let mut failed = connect(&mut world, &mut clients, 3);
    world.assert_quiet(&mut clients, 60, "all are open");
    let mut expected = vec![Expected::new(); 3];
    echoes(&mut world, &mut clients, &mut expected);
    sort_pongs(&mut expected, &mut clients);
    asked(&mut world, &mut clients, &mut expected);
    failed += compare(&clients, &expected, "messages");
    ends(&mut world, &mut clients, &mut expected);
    drop(clients);
    failed += last(&mut world);
    failed += world.end();
    assert!(failed <= most, "{failed} failures for {most}");
}

/// Rules that nobody may notice, but for a function that fails cleanly.
const PASSES: &[&str] = &[
    "any:eintr:{k}",
    "any:eagain:{k}",
    "any:short:{k}",
    "any:byte:{k}",
    "recv:enomem:{k}",
    "send:enobufs:{k}",
    "sendmsg:enobufs:{k}",
    "accept4:enomem:{k}",
    "accept4:enobufs:{k}",
    "accept4:econnaborted:{k}",
    "accept4:eproto:{k}",
    "accept4:eperm:{k}",
    "accept4:einval:{k}",
];

/// Rules that cost a connection, or have one function fail once.
const BREAKS: &[&str] = &[
    "recv:reset:{k}",
    "send:reset:{k}",
    "sendmsg:reset:{k}",
    "shutdown:reset:{k}",
    "recv:econnreset:{k}",
    "send:epipe:{k}",
    "sendmsg:epipe:{k}",
    "accept4:emfile:{k}",
    "accept4:enfile:{k}",
    "socket:emfile:{k}",
    "socket:enfile:{k}",
    "socket:enomem:{k}",
    "bind:eaddrinuse:{k}",
    "listen:eaddrinuse:{k}",
    "setsockopt:enomem:{k}",
    "getsockopt:enomem:{k}",
    "getsockname:enobufs:{k}",
    "fcntl:enomem:{k}",
    "shutdown:enotconn:{k}",
    "epoll_create1:emfile:{k}",
    "epoll_create1:enomem:{k}",
    "epoll_ctl:enomem:{k}",
    "epoll_ctl:enospc:{k}",
    "epoll_wait:enomem:{k}",
    "eventfd:emfile:{k}",
    "eventfd:enomem:{k}",
];

/// The last rule counts calls.
fn counted(rules: &[&str]) -> Vec<String> {
    let counted = |rule: &&str| format!("{rule},any:eintr:0");
    rules.iter().map(counted).collect()
}

fn for_every_k(name: &str, rules: &[&str], embedded: bool, most: u64) {
    let rules = counted(rules);
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    every_k(name, &rules, |plan| life(plan, embedded, most));
}

#[test]
fn tr02_tr04_tr05_what_passes_is_not_noticed() {
    for_every_k("server", PASSES, false, 0);
}

#[test]
fn tr06_tr13_tr14_a_failure_costs_one_connection_at_most() {
    for_every_k("server", BREAKS, false, 1);
}

#[test]
fn a_program_that_waits_itself_loses_nothing_either() {
    let rules = ["any:eintr:{k}", "any:eagain:{k}"];
    for_every_k("server, embedded", &rules, true, 0);
    let rules = [
        "timerfd_create:emfile:{k}",
        "timerfd_settime:einval:{k}",
        "epoll_ctl:enomem:{k}",
        "epoll_wait:enomem:{k}",
    ];
    for_every_k("server, embedded", &rules, true, 1);
}

#[test]
fn tr02_tr05_often_is_not_noticed_either() {
    // A byte each time is left to the functions' tests: 700 000 of them.
    let often = [
        "any:short:1+",
        "any:byte:%2",
        "any:eintr:%5",
        "any:eagain:%7",
        "any:eintr:%7,any:eagain:%5",
    ];
    let plans = counted(&often);
    let plans: Vec<_> = plans.iter().map(String::as_str).collect();
    each("server", &plans, |plan| life(plan, false, 0));
}
