//! The benches: each group at each size, contenders side by side. A contender
//! that does not deliver what its batch holds stops the run.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use wsembed::proto::mask;
use wsembed_benches::batch::{Kind, make, payload};
use wsembed_benches::stream::Stream;
use wsembed_benches::{
    Contender, SIZES, Tally, c_abi, handshake, label, messages, ours, peers, wslay,
};

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

fn measure(
    criterion: &mut Criterion,
    group: &str,
    size: &str,
    expected: Option<Tally>,
    contenders: Vec<(&str, Contender)>,
) {
    let mut group = criterion.benchmark_group(group);
    group.sampling_mode(SamplingMode::Flat);
    for (name, mut work) in contenders {
        let got = work();
        if let Some(expected) = expected {
            assert_eq!(got, expected, "{name} at {size}");
        }
        group.bench_function(BenchmarkId::new(name, size), |bencher| {
            bencher.iter(|| black_box(work()));
        });
    }
    group.finish();
}

/// One memcpy of the bytes.
fn memcpy(bytes: Vec<u8>, expected: Tally) -> Contender {
    let mut to = vec![0; bytes.len()];
    Box::new(move || {
        black_box(&mut to[..]).copy_from_slice(black_box(&bytes));
        expected
    })
}

/// Payload by payload, in place; `shift` is how far off a 64-byte line they
/// begin.
fn masking(size: usize, shift: usize, work: impl Fn(&mut [u8]) + 'static) -> Contender {
    let mut room = vec![0x5A_u8; size + 128];
    let start = room.as_ptr().align_offset(64) + shift;
    Box::new(move || {
        for _ in 0..messages(size) {
            work(black_box(&mut room[start..start + size]));
        }
        Tally::default()
    })
}

fn copying(size: usize, shift: usize) -> Contender {
    let from = vec![0x5A_u8; size + 128];
    let start = from.as_ptr().align_offset(64) + shift;
    masking(size, shift, move |to| {
        to.copy_from_slice(black_box(&from[start..start + size]));
    })
}

fn bench_mask(criterion: &mut Criterion) {
    for size in SIZES {
        let ours = |data: &mut [u8]| mask::apply(data, KEY, 0);
        let contenders = vec![
            ("memcpy", copying(size, 0)),
            ("wsembed", masking(size, 0, ours)),
            ("memcpy, unaligned", copying(size, 13)),
            ("wsembed, unaligned", masking(size, 13, ours)),
            (
                "fastwebsockets",
                masking(size, 0, |data| fastwebsockets::unmask(data, KEY)),
            ),
        ];
        measure(criterion, "mask", &label(size), None, contenders);
    }
}

fn bench_parse(criterion: &mut Criterion) {
    for size in SIZES {
        let batch = make(Kind::Binary, size, 1);
        let bytes = || batch.bytes.clone();
        let stream = || Stream::new(bytes(), Vec::new());
        let contenders = vec![
            ("memcpy", memcpy(bytes(), batch.expected)),
            ("wsembed, in place", ours::in_place(bytes())),
            ("wsembed C, in place", c_abi::in_place(bytes())),
            ("wsembed", ours::reads(stream())),
            ("wsembed C", c_abi::reads(stream())),
            ("tungstenite", peers::tungstenite_reads(stream())),
            (
                "fastwebsockets",
                peers::fastwebsockets_reads(stream(), batch.expected.messages),
            ),
            ("wslay", wslay::reads(stream())),
            ("wslay, frames", wslay::reads_frames(stream())),
        ];
        measure(
            criterion,
            "parse",
            &label(size),
            Some(batch.expected),
            contenders,
        );
    }
}

fn bench_text(criterion: &mut Criterion) {
    for (group, kind) in [
        ("text, ASCII", Kind::Ascii),
        ("text, Chinese", Kind::Chinese),
    ] {
        for size in SIZES {
            let batch = make(kind, size, 1);
            let stream = || Stream::new(batch.bytes.clone(), Vec::new());
            let contenders = vec![
                ("memcpy", memcpy(batch.bytes.clone(), batch.expected)),
                ("wsembed", ours::reads(stream())),
                ("wsembed C", c_abi::reads(stream())),
                ("tungstenite", peers::tungstenite_reads(stream())),
                (
                    "fastwebsockets",
                    peers::fastwebsockets_reads(stream(), batch.expected.messages),
                ),
                ("wslay", wslay::reads(stream())),
            ];
            measure(
                criterion,
                group,
                &label(size),
                Some(batch.expected),
                contenders,
            );
        }
    }
}

/// Messages in four fragments, and frames that reads cut and glue.
fn bench_assembly(criterion: &mut Criterion) {
    for (group, fragments) in [("assembly", 4), ("cut", 1)] {
        for size in SIZES {
            let batch = make(Kind::Binary, size, fragments);
            let cuts = if fragments == 1 {
                batch.odd_cuts()
            } else {
                Vec::new()
            };
            let stream = || Stream::new(batch.bytes.clone(), cuts.clone());
            let contenders = vec![
                ("memcpy", memcpy(batch.bytes.clone(), batch.expected)),
                ("wsembed", ours::reads(stream())),
                ("wsembed C", c_abi::reads(stream())),
                ("tungstenite", peers::tungstenite_reads(stream())),
                (
                    "fastwebsockets",
                    peers::fastwebsockets_assembles(stream(), batch.expected.messages),
                ),
                ("wslay", wslay::reads(stream())),
            ];
            measure(
                criterion,
                group,
                &label(size),
                Some(batch.expected),
                contenders,
            );
        }
    }
}

fn bench_send(criterion: &mut Criterion) {
    for (group, client) in [("send, server", false), ("send, client", true)] {
        for size in SIZES {
            let batch = make(Kind::Binary, size, 1);
            let payloads = || -> Vec<Vec<u8>> {
                (0..messages(size))
                    .map(|number| payload(Kind::Binary, size, number))
                    .collect()
            };
            let mut contenders = vec![
                ("memcpy", memcpy(batch.bytes.clone(), batch.expected)),
                ("wsembed", ours::sends(client, payloads())),
                ("tungstenite", peers::tungstenite_sends(client, payloads())),
                (
                    "fastwebsockets",
                    peers::fastwebsockets_sends(client, payloads()),
                ),
                ("wslay", wslay::sends(client, payloads())),
            ];
            if !client {
                contenders.push(("wsembed C", c_abi::sends(payloads())));
            }
            measure(
                criterion,
                group,
                &label(size),
                Some(batch.expected),
                contenders,
            );
        }
    }
}

fn bench_handshake(criterion: &mut Criterion) {
    let expected = Some(Tally {
        messages: handshake::COUNT,
        ..Tally::default()
    });
    let server = vec![
        ("wsembed", handshake::server()),
        ("tungstenite", handshake::tungstenite_server()),
    ];
    measure(criterion, "handshake", "server", expected, server);
    let client = vec![
        ("wsembed", handshake::client()),
        ("tungstenite", handshake::tungstenite_client()),
    ];
    measure(criterion, "handshake", "client", expected, client);
}

/// Short: a run is repeated, and the best sample counts.
fn short() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(40))
        .measurement_time(Duration::from_millis(120))
        .sample_size(20)
        .nresamples(2000)
        .without_plots()
}

criterion_group! {
    name = benches;
    config = short();
    targets = bench_mask, bench_parse, bench_text, bench_assembly, bench_send, bench_handshake
}
criterion_main!(benches);
