//! Runs a parser over a stream in every cut, and puts its frames together.

use wsembed::proto::Error;
use wsembed::proto::incoming::Input;
use wsembed::proto::parser::{Head, Parser, Rules};

/// A frame put together from its pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub offset: u64,
    pub head: Head,
    pub payload: Vec<u8>,
    pub remaining: u64,
    pub problems: u32,
    pub close_code: Option<u16>,
}

/// Puts frames together from pieces, and checks how these follow each other.
#[derive(Default)]
pub struct Teller {
    told: Vec<Told>,
    open: bool,
}

impl Teller {
    /// Feeds one cut; the result is why no further piece came.
    pub fn feed(&mut self, parser: &mut Parser, cut: &[u8]) -> Error {
        let mut bytes = cut.to_vec();
        let mut input = Input::new(&mut bytes);
        loop {
            let piece = match parser.next(&mut input) {
                Ok(piece) => piece,
                Err(error) => {
                    assert!(input.rest().is_empty(), "what was fed is read to its end");
                    return error;
                }
            };
            assert_eq!(piece.first, !self.open);
            self.open = !piece.last;
            if piece.first {
                assert_eq!(piece.at, 0);
                self.told.push(Told {
                    offset: piece.offset,
                    head: piece.head,
                    payload: Vec::new(),
                    remaining: 0,
                    problems: 0,
                    close_code: None,
                });
            }
            let told = self.told.last_mut().expect("a first piece came first");
            assert_eq!((told.offset, told.head), (piece.offset, piece.head));
            assert_eq!(told.payload.len() as u64, piece.at);
            assert!(piece.first || piece.last || !piece.data.is_empty());
            assert_eq!(
                told.problems & !piece.problems.bits(),
                0,
                "no problem is taken back"
            );
            told.payload.extend_from_slice(piece.data);
            if let Some(length) = piece.head.length() {
                assert_eq!(told.payload.len() as u64 + piece.remaining, length);
            }
            (told.remaining, told.close_code) = (piece.remaining, piece.close_code);
            told.problems = piece.problems.bits();
        }
    }
}

/// The frames of a stream and how it ended, fed in cuts of one size.
pub fn tell_in(rules: Rules, stream: &[u8], cut: usize) -> (Vec<Told>, Error) {
    let mut parser = Parser::new(rules);
    let mut teller = Teller::default();
    for cut in stream.chunks(cut.max(1)) {
        let why = teller.feed(&mut parser, cut);
        assert!(matches!(why, Error::Again | Error::Length), "{why:?}");
        if why == Error::Again {
            assert_eq!(parser.may_feed(), Ok(()));
        }
    }
    parser.feed_eof();
    let end = teller.feed(&mut parser, &[]);
    assert_eq!(
        teller.feed(&mut parser, &[]),
        end,
        "the end is told for good"
    );
    assert!(!teller.open, "each frame has a last piece");
    (teller.told, end)
}

/// The same in every cut.
pub fn tell(rules: Rules, stream: &[u8]) -> (Vec<Told>, Error) {
    let whole = tell_in(rules, stream, stream.len());
    for cut in (1..stream.len().min(20)).chain([stream.len() / 2]) {
        assert_eq!(
            tell_in(rules, stream, cut),
            whole,
            "cut every {cut} bytes: {stream:02x?}"
        );
    }
    whole
}
