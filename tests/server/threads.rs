//! Several loops: who is on which, and that everybody reaches everybody.

use std::collections::{HashMap, HashSet};
use std::os::fd::IntoRawFd;

use crate::handle::Handle;
use crate::support::{Client, TEXT, Told, opened};
use wsembed::config::WEBSOCKET_THREADS;
use wsembed::ffi::event::WEBSOCKET_TEXT;
use wsembed::server::slots::PeerId;

/// Sends what a client says on to the peer that it names: "number:text".
fn relay(threads: u64) -> Handle {
    Handle::new(&[(WEBSOCKET_THREADS, threads)], |here, told| {
        if let Told::Text(_, text) = told {
            let (number, text) = text.split_once(':').unwrap();
            let to = PeerId(number.parse().unwrap());
            here.send(to, WEBSOCKET_TEXT, text.as_bytes()).unwrap();
        }
    })
}

/// Clients until every loop has two at least. The kernel shares them out by
/// their ports: a loop that gets none of a thousand gets none at all.
fn clients(server: &Handle, address: std::net::SocketAddr, loops: usize) -> Vec<(Client, PeerId)> {
    let mut on = vec![0; loops];
    let mut all = Vec::new();
    while on.iter().any(|peers| *peers < 2) {
        assert!(all.len() < 1000, "{on:?}");
        let client = Client::open(address);
        let peer = server.expect(opened);
        on[peer.on()] += 1;
        all.push((client, peer));
    }
    all
}

#[test]
fn peers_of_all_loops_reach_each_other() {
    for loops in [2, 4] {
        let server = relay(loops as u64);
        let address = server.listen_here();
        server.start().unwrap();
        assert_eq!(server.statistics().threads, loops);
        let mut clients = clients(&server, address, loops);
        assert_eq!(server.statistics().peers, clients.len());
        let ids: HashSet<_> = clients.iter().map(|(_, peer)| *peer).collect();
        assert_eq!(ids.len(), clients.len(), "numbers are of one peer only");
        // From this thread, which is no loop's.
        for (client, peer) in &mut clients {
            let text = format!("you are {}", peer.0);
            server.send(*peer, WEBSOCKET_TEXT, text.as_bytes()).unwrap();
            assert_eq!(client.frame(), (TEXT, text.into_bytes()));
            let info = server.info(*peer).unwrap();
            assert_eq!(info.port, client.socket.local_addr().unwrap().port().into());
        }
        // From the callback, on a peer's own loop and on every other.
        let peers: Vec<_> = clients.iter().map(|(_, peer)| *peer).collect();
        for from in 0..clients.len() {
            let to = (from + 1) % clients.len();
            let text = format!("{}:from {from}", peers[to].0);
            clients[from].0.send(TEXT, text.as_bytes());
            let got = clients[to].0.frame();
            assert_eq!(got, (TEXT, format!("from {from}").into_bytes()));
        }
        // All of a loop's callbacks are on one thread, and of each on another.
        let mut threads: HashMap<usize, HashSet<_>> = HashMap::new();
        for (thread, told) in server.told() {
            if let Told::Text(peer, _) = told {
                threads.entry(peer.on()).or_default().insert(thread);
            }
        }
        assert_eq!(threads.len(), loops);
        assert!(threads.values().all(|of_one| of_one.len() == 1));
        let all: HashSet<_> = threads.into_values().flatten().collect();
        assert_eq!(all.len(), loops);
    }
}

#[test]
fn what_is_published_reaches_the_peers_of_all_loops() {
    let server = Handle::new(&[(WEBSOCKET_THREADS, 4)], |here, told| match told {
        Told::Text(peer, topic) if !topic.is_empty() => {
            here.publish(Some(topic), b"from the callback", peer.0)
                .unwrap();
        }
        _ => {}
    });
    let address = server.listen_here();
    server.start().unwrap();
    let mut clients = clients(&server, address, 4);
    for (at, (_, peer)) in clients.iter().enumerate() {
        let topic = if at % 2 == 0 { "even" } else { "odd" };
        server.subscribe(*peer, topic).unwrap();
    }
    let spared = clients[0].1;
    server.publish(Some("even"), b"even", spared.0).unwrap();
    server.publish(Some("nobody's"), b"never", 0).unwrap();
    server.publish(None, b"all", 0).unwrap();
    for (at, (client, _)) in clients.iter_mut().enumerate() {
        if at % 2 == 0 && at != 0 {
            assert_eq!(client.frame(), (TEXT, b"even".to_vec()));
        }
        assert_eq!(client.frame(), (TEXT, b"all".to_vec()));
    }
    // From one loop's callback to all, but who asked for it.
    clients[1].0.send(TEXT, b"odd");
    for (at, (client, peer)) in clients.iter_mut().enumerate() {
        if at % 2 == 1 && at != 1 {
            assert_eq!(client.frame(), (TEXT, b"from the callback".to_vec()));
        }
        server.send(*peer, WEBSOCKET_TEXT, b"last").unwrap();
        assert_eq!(client.frame(), (TEXT, b"last".to_vec()));
    }
}

#[test]
fn adopted_connections_are_shared_out_evenly() {
    let server = relay(4);
    server.start().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // All at once: the loops have seen nothing of the first when the last
    // comes.
    let mut clients: Vec<_> = (0..20).map(|_| Client::connect(address)).collect();
    for _ in 0..20 {
        let (socket, _) = listener.accept().unwrap();
        server.adopt(socket.into_raw_fd(), b"").unwrap();
    }
    let mut on = [0; 4];
    for client in &mut clients {
        client.ask();
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        on[server.expect(opened).on()] += 1;
    }
    assert_eq!(on, [5; 4]);
}

#[test]
fn loops_that_share_one_socket_serve_all_that_come() {
    let server = relay(3);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    server.listen_fd(listener.into_raw_fd()).unwrap();
    server.start().unwrap();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(move || (0..20).map(|_| Client::open(address)).collect::<Vec<_>>())
        })
        .collect();
    let clients: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
    let peers: HashSet<_> = (0..60).map(|_| server.expect(opened)).collect();
    assert_eq!(peers.len(), 60);
    assert_eq!(server.statistics().peers, 60);
    drop(clients);
}

#[test]
fn what_was_counted_of_a_peer_stays_when_it_is_gone() {
    let server = relay(2);
    let address = server.listen_here();
    server.start().unwrap();
    let mut clients = clients(&server, address, 2);
    for (client, peer) in &mut clients {
        client.send(TEXT, format!("{}:news", peer.0).as_bytes());
        assert_eq!(client.frame(), (TEXT, b"news".to_vec()));
    }
    let count = clients.len() as u64;
    let all = server.statistics();
    assert_eq!((all.messagesIn, all.messagesOut), (count, count));
    assert!(all.bytesIn > 100 * count && all.bytesOut > 100 * count);
    drop(clients);
    while server.statistics().peers > 0 {
        std::thread::yield_now();
    }
    let rest = server.statistics();
    assert_eq!((rest.messagesIn, rest.messagesOut), (count, count));
    assert!(rest.bytesIn >= all.bytesIn && rest.bytesOut >= all.bytesOut);
}
