//! Feeds scanners, and compares their results with those of decoders.

use core::fmt::Debug;

use hotrod_core::wire::{
    Incoming, Limits, MessageKind, ReplyContext, ReplyDecoder, ReplyScanner, RequestDecoder, RequestFault, RequestHead,
    RequestHeader, RequestPiece, RequestScanner, Topology, Violation,
};

/// A message: its kind, its end in the stream, and its topology.
type FoundMessage<K> = (K, usize, Option<Topology>);

/// All messages, and the reason for the end.
#[derive(Debug, PartialEq)]
pub struct ScanResult<K, F> {
    pub messages: Vec<FoundMessage<K>>,
    pub fault: Option<F>,
}

/// A part of a message, from either scanner.
struct Piece<K> {
    kind: K,
    bytes: Vec<u8>,
    is_first: bool,
    is_last: bool,
    topology: Option<Topology>,
}

/// Joins pieces; panics unless they are the received bytes, in order and each once.
struct Joined<K, F> {
    result: ScanResult<K, F>,
    out: Vec<u8>,
    /// Message that has not ended, and its topology.
    open: Option<(K, Option<Topology>)>,
}

impl<K: Clone + Debug + PartialEq, F> Joined<K, F> {
    fn new() -> Self {
        Self { result: ScanResult { messages: Vec::new(), fault: None }, out: Vec::new(), open: None }
    }

    fn add(&mut self, piece: Result<Piece<K>, F>) {
        let piece = match piece {
            Ok(piece) => piece,
            Err(fault) => return self.result.fault = Some(fault),
        };
        assert!(!piece.bytes.is_empty(), "an empty piece");
        self.out.extend_from_slice(&piece.bytes);
        assert_eq!(piece.is_first, self.open.is_none(), "first pieces follow last ones: {:?}", piece.kind);
        let (kind, before) = self.open.take().unwrap_or_else(|| (piece.kind.clone(), None));
        assert_eq!(kind, piece.kind, "all pieces of a message say what it is");
        assert!(before.is_none() || piece.topology.is_none(), "a topology comes once");
        let topology = before.or(piece.topology);
        if piece.is_last {
            self.result.messages.push((kind, self.out.len(), topology));
        } else {
            self.open = Some((kind, topology));
        }
    }

    fn done(self, stream: &[u8], buffered: usize) -> ScanResult<K, F> {
        assert!(stream.starts_with(&self.out), "what comes out is what came in");
        if self.result.fault.is_none() {
            assert_eq!(self.out.len() + buffered, stream.len(), "all that came out or waits");
        }
        self.result
    }
}

/// Scans a server's bytes in these chunks.
pub fn replies(
    pieces: &[&[u8]],
    in_flight: impl Fn(u64) -> Option<ReplyContext>,
) -> ScanResult<MessageKind, Violation> {
    replies_within(Limits::default(), pieces, in_flight)
}

pub fn replies_within(
    limits: Limits,
    pieces: &[&[u8]],
    in_flight: impl Fn(u64) -> Option<ReplyContext>,
) -> ScanResult<MessageKind, Violation> {
    let mut scanner = ReplyScanner::new(limits);
    let mut joined = Joined::new();
    for (index, piece) in pieces.iter().enumerate() {
        // Alternates between both ways to receive bytes.
        if index % 2 == 0 {
            scanner.receive(piece);
        } else {
            scanner.receive_buffer().extend_from_slice(piece);
        }
        while let Some(piece) = scanner.poll(&in_flight) {
            joined.add(piece.map(|piece| Piece {
                kind: piece.kind,
                bytes: piece.bytes.to_vec(),
                is_first: piece.is_first,
                is_last: piece.is_last,
                topology: piece.topology.map(|topology| *topology),
            }));
        }
    }
    joined.done(&pieces.concat(), scanner.buffered())
}

/// Scans a client's bytes in these chunks.
pub fn requests(pieces: &[&[u8]]) -> ScanResult<RequestHead, RequestFault> {
    let mut scanner = RequestScanner::new(Limits::default());
    let mut head = None;
    let mut joined = Joined::new();
    for (index, piece) in pieces.iter().enumerate() {
        if index % 2 == 0 {
            scanner.receive(piece);
        } else {
            scanner.receive_buffer().extend_from_slice(piece);
        }
        while let Some(piece) = scanner.poll() {
            joined.add(piece.map(|piece| Piece {
                kind: head_of(&piece, &mut head),
                bytes: piece.bytes.to_vec(),
                is_first: piece.is_first,
                is_last: piece.is_last,
                topology: None,
            }));
        }
    }
    joined.done(&pieces.concat(), scanner.buffered())
}

/// Compares the properties in each piece with the head, which comes with the first one.
fn head_of(piece: &RequestPiece, head: &mut Option<RequestHead>) -> RequestHead {
    assert_eq!(piece.head.is_some(), piece.is_first, "a head comes once");
    *head = piece.head.clone().or(head.take());
    let head = head.clone().expect("a head with the first piece");
    assert_eq!((piece.message_id, piece.context), (head.message_id, head.context));
    head
}

/// Decodes the same bytes.
pub fn decoded_replies(
    bytes: &[u8],
    in_flight: impl Fn(u64) -> Option<ReplyContext>,
) -> ScanResult<MessageKind, Violation> {
    let mut decoder = ReplyDecoder::new(Limits::default());
    decoder.receive(bytes);
    let mut result = ScanResult { messages: Vec::new(), fault: None };
    while let Some(incoming) = decoder.poll(&in_flight) {
        match incoming {
            Ok(incoming) => {
                let kind = kind(&incoming, &in_flight);
                let topology = match incoming {
                    Incoming::Reply(reply) => reply.topology.map(|topology| *topology),
                    Incoming::Event(_) | Incoming::CounterEvent(_) => None,
                };
                result.messages.push((kind, bytes.len() - decoder.buffered(), topology));
            }
            Err(violation) => result.fault = Some(violation),
        }
    }
    result
}

fn kind(incoming: &Incoming, in_flight: impl Fn(u64) -> Option<ReplyContext>) -> MessageKind {
    match incoming {
        Incoming::Reply(reply) => MessageKind::Reply {
            message_id: reply.message_id,
            operation: in_flight(reply.message_id).map(|context| context.operation),
            status: reply.status,
        },
        Incoming::Event(event) => MessageKind::Event { message_id: event.message_id, change: event.change },
        Incoming::CounterEvent(_) => MessageKind::CounterEvent,
    }
}

/// Decodes the same bytes.
pub fn decoded_requests(bytes: &[u8]) -> ScanResult<RequestHead, RequestFault> {
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(bytes);
    let mut result = ScanResult { messages: Vec::new(), fault: None };
    while let Some(request) = decoder.poll() {
        match request {
            Ok((header, request)) => {
                let RequestHeader { message_id, version, intelligence, topology_id, options } = header;
                let context = ReplyContext { operation: request.operation(), version, intelligence };
                let head = RequestHead { message_id, context, cache: options.cache, flags: options.flags, topology_id };
                result.messages.push((head, bytes.len() - decoder.buffered(), None));
            }
            Err(fault) => result.fault = Some(fault),
        }
    }
    result
}

/// The whole, all cuts in two at multiples of `step`, and chunks of some sizes.
pub fn cuts(bytes: &[u8], step: usize) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..bytes.len()).step_by(step).map(|cut| vec![&bytes[..cut], &bytes[cut..]]);
    let in_many = [1, 2, 3, 100, 1000, 1460].map(|size| bytes.chunks(size).collect());
    in_two.chain(in_many)
}

/// Asserts that a scanner result in a server's bytes what a decoder result, for any chunking.
pub fn same_replies(bytes: &[u8], step: usize, in_flight: impl Fn(u64) -> Option<ReplyContext> + Copy) {
    let expected = decoded_replies(bytes, in_flight);
    for pieces in cuts(bytes, step) {
        let sizes: Vec<usize> = pieces.iter().take(4).map(|piece| piece.len()).collect();
        assert_eq!(replies(&pieces, in_flight), expected, "in pieces of {sizes:?}");
    }
}

/// Asserts that a scanner result in a client's bytes what a decoder result, for any chunking.
pub fn same_requests(bytes: &[u8], step: usize) {
    let expected = decoded_requests(bytes);
    for pieces in cuts(bytes, step) {
        let sizes: Vec<usize> = pieces.iter().take(4).map(|piece| piece.len()).collect();
        assert_eq!(requests(&pieces), expected, "in pieces of {sizes:?}");
    }
}
