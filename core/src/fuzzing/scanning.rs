//! Feeds arbitrary bytes to scanners and decoders, and compares the results.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::{BufMut, Bytes, BytesMut};

use super::input::Input;
use super::pieces::{Pieces, limits};
use super::samples;
use crate::wire::{
    MessageKind, Problem, ReplyContext, ReplyDecoder, ReplyScanner, RequestDecoder, RequestFault, RequestScanner,
    Topology, Version, Violation,
};

/// Scans a stream of requests; or of replies to two operations, as for the target `reply`.
pub fn scanner(data: &[u8]) {
    let mut input = Input::new(data);
    if input.flag() { requests(input) } else { replies(input) }
}

fn replies(mut input: Input<'_>) {
    let operations = [samples::operation(&mut input), samples::operation(&mut input)];
    let version = input.pick(&Version::ALL);
    let intelligence = samples::intelligence(&mut input);
    let in_flight = |id: u64| {
        let operation = operations[(id & 1) as usize];
        (id != 0).then_some(ReplyContext { operation, version, intelligence })
    };
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let bytes = input.rest();
    let found = scan_both_ways(|| Replies { scanner: ReplyScanner::new(limits.clone()), in_flight }, bytes, &pieces);
    let mut decoder = ReplyDecoder::new(limits);
    decoder.receive(bytes);
    found.hold_against(|| Some(decoder.poll(in_flight)?.map(|_| bytes.len() - decoder.buffered())));
}

fn requests(mut input: Input<'_>) {
    let limits = limits(input.flag());
    let pieces = Pieces::choose(&mut input);
    let bytes = input.rest();
    let found = scan_both_ways(|| RequestScanner::new(limits.clone()), bytes, &pieces);
    let mut decoder = RequestDecoder::new(limits);
    decoder.receive(bytes);
    found.hold_against(|| Some(decoder.poll()?.map(|_| bytes.len() - decoder.buffered())));
}

/// A part of one message, from either scanner.
struct Piece<K> {
    kind: K,
    bytes: Bytes,
    is_first: bool,
    is_last: bool,
    topology: Option<Box<Topology>>,
}

/// Common interface of the scanners.
trait Scanner {
    type Kind: Clone + Debug + PartialEq;
    type Fault: Fault;

    fn receive(&mut self, bytes: &[u8]);
    fn buffer(&mut self) -> &mut BytesMut;
    fn poll(&mut self) -> Option<Result<Piece<Self::Kind>, Self::Fault>>;
    fn buffered(&self) -> usize;
}

struct Replies<F> {
    scanner: ReplyScanner,
    in_flight: F,
}

impl<F: Fn(u64) -> Option<ReplyContext>> Scanner for Replies<F> {
    type Kind = MessageKind;
    type Fault = Violation;

    fn receive(&mut self, bytes: &[u8]) {
        self.scanner.receive(bytes);
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.scanner.receive_buffer()
    }

    fn poll(&mut self) -> Option<Result<Piece<MessageKind>, Violation>> {
        let piece = self.scanner.poll(&self.in_flight)?;
        Some(piece.map(|piece| Piece {
            kind: piece.kind,
            bytes: piece.bytes,
            is_first: piece.is_first,
            is_last: piece.is_last,
            topology: piece.topology,
        }))
    }

    fn buffered(&self) -> usize {
        self.scanner.buffered()
    }
}

impl Scanner for RequestScanner {
    type Kind = (u64, ReplyContext);
    type Fault = RequestFault;

    fn receive(&mut self, bytes: &[u8]) {
        self.receive(bytes);
    }

    fn buffer(&mut self) -> &mut BytesMut {
        self.receive_buffer()
    }

    fn poll(&mut self) -> Option<Result<Piece<(u64, ReplyContext)>, RequestFault>> {
        Some(self.poll()?.map(|piece| Piece {
            kind: (piece.message_id, piece.context),
            bytes: piece.bytes,
            is_first: piece.is_first,
            is_last: piece.is_last,
            topology: None,
        }))
    }

    fn buffered(&self) -> usize {
        self.buffered()
    }
}

/// Reason for which scanning stopped.
trait Fault: Debug + PartialEq {
    fn violation(&self) -> Option<&Violation>;

    /// Ignores the known length of an oversized message, which depends on the chunking.
    fn is_as(&self, other: &Self) -> bool {
        let of_message =
            |fault: &Self| fault.violation().filter(|violation| violation.field == "message").map(|v| v.offset);
        self == other || (of_message(self).is_some() && of_message(self) == of_message(other))
    }
}

impl Fault for Violation {
    fn violation(&self) -> Option<&Violation> {
        Some(self)
    }
}

impl Fault for RequestFault {
    fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Violation(violation) => Some(violation),
            Self::UnknownVersion { .. } | Self::UnknownOperation { .. } => None,
        }
    }
}

/// All messages with their ends in the stream and their topologies, and the reason for the end.
struct Found<K, F> {
    messages: Vec<(K, usize, Option<Box<Topology>>)>,
    fault: Option<F>,
}

impl<K, F: Fault> Found<K, F> {
    /// Asserts that a decoder finds the same ends of messages and the same fault.
    fn hold_against(&self, mut decode: impl FnMut() -> Option<Result<usize, F>>) {
        let mut ends = self.messages.iter().map(|(_, end, _)| *end);
        let fault = loop {
            match decode() {
                Some(Ok(end)) => assert_eq!(ends.next(), Some(end)),
                Some(Err(fault)) => break Some(fault),
                None => break None,
            }
        };
        // A scanner does not validate text that it skips.
        if fault.as_ref().and_then(Fault::violation).is_some_and(|violation| violation.problem == Problem::NotUtf8) {
            return;
        }
        assert_eq!(ends.next(), None, "the decoder ends with {fault:?}");
        assert!(are_alike(self.fault.as_ref(), fault.as_ref()), "{:?} scanned, {fault:?} decoded", self.fault);
    }
}

fn are_alike<F: Fault>(one: Option<&F>, other: Option<&F>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_as(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Scans `bytes` as a whole and in chunks, and asserts equal results.
fn scan_both_ways<S: Scanner>(new: impl Fn() -> S, bytes: &[u8], pieces: &Pieces) -> Found<S::Kind, S::Fault> {
    let whole = scan(new(), bytes, &Pieces::WHOLE);
    let in_pieces = scan(new(), bytes, pieces);
    assert_eq!(whole.messages, in_pieces.messages, "whole and in pieces");
    assert!(are_alike(whole.fault.as_ref(), in_pieces.fault.as_ref()), "{:?}, {:?}", whole.fault, in_pieces.fault);
    whole
}

/// Scans a stream, and asserts that the pieces are the received bytes.
fn scan<S: Scanner>(mut scanner: S, bytes: &[u8], pieces: &Pieces) -> Found<S::Kind, S::Fault> {
    let mut found = Found { messages: Vec::new(), fault: None };
    let mut open = None;
    let mut out = 0;
    for (piece, look) in pieces.of(bytes) {
        if pieces.are_in_place() {
            scanner.buffer().put_slice(piece);
        } else {
            scanner.receive(piece);
        }
        while look && let Some(piece) = scanner.poll() {
            let piece = match piece {
                Ok(piece) => piece,
                Err(fault) => {
                    assert!(found.fault.replace(fault).is_none(), "a fault is the last thing");
                    continue;
                }
            };
            assert!(found.fault.is_none(), "nothing follows a fault");
            assert!(!piece.bytes.is_empty() && bytes[out..].starts_with(&piece.bytes), "what came in");
            out += piece.bytes.len();
            assert_eq!(piece.is_first, open.is_none());
            let (kind, topology) = open.take().unwrap_or_else(|| (piece.kind.clone(), None));
            assert_eq!(kind, piece.kind);
            let topology = piece.topology.or(topology);
            if piece.is_last {
                found.messages.push((kind, out, topology));
            } else {
                open = Some((kind, topology));
            }
        }
    }
    assert!(found.fault.is_some() || out + scanner.buffered() == bytes.len(), "all that came in");
    found
}
