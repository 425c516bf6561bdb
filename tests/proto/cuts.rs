//! Streams made at random: the same events in every cut, and never a panic.

use proptest::prelude::*;
use wsembed::proto::conn::Role;

use crate::support::*;

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

/// Frames that are mostly right.
fn frames() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![FIN | TEXT, FIN | BINARY, TEXT, BINARY, CONT, FIN | CONT]),
        3 => prop::sample::select(vec![FIN | PING, FIN | PONG]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => prop::collection::vec(prop::sample::select("aé€😀".as_bytes().to_vec()), 0..12),
        4 => "[a-zé€😀]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 120..135),
    ];
    prop::collection::vec((first, payload), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn tr01_any_frames_in_any_cut(role in role(), frames in frames(), chunk_above in 0..40_u64,
                                  eof in any::<bool>(), lenient in any::<bool>()) {
        let input: Vec<u8> = frames.iter().flat_map(|(f, p)| to(role, *f, p)).collect();
        let mut case = Case { role, ..server(&input) };
        case.eof = eof;
        case.settings.lenient = lenient;
        case.outcome();
        let chunked = case.with(|settings| settings.chunk_above = chunk_above);
        // A bad byte of text stops chunks where they are cut; else all agree.
        if !chunked.events_of_whole().iter().any(is_utf8_failure) {
            chunked.outcome();
        }
    }

    #[test]
    fn any_bytes_in_any_cut(role in role(), input in prop::collection::vec(any::<u8>(), 0..200),
                            lenient in any::<bool>()) {
        let case = Case { role, ..server(&input) };
        case.with(|settings| settings.lenient = lenient).then_eof().outcome();
    }
}

fn is_utf8_failure(seen: &Seen) -> bool {
    matches!(seen, Seen::Close { code: 1007, .. })
}
