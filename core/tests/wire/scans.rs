//! Feeds scanners and holds what comes out against what decoders find in the same bytes.

use core::fmt::Debug;

use hotrod_core::wire::{
    Asked, Incoming, Limits, MessageKind, ReplyDecoder, ReplyScanner, RequestDecoder, RequestFault, RequestHead,
    RequestHeader, RequestPiece, RequestScanner, Topology, Violation,
};

/// A message: what it is, where it ends in the stream, and the topology in it.
type Found<K> = (K, usize, Option<Topology>);

/// What was found, and why nothing more.
#[derive(Debug, PartialEq)]
pub struct Finds<K, F> {
    pub messages: Vec<Found<K>>,
    pub fault: Option<F>,
}

/// Bytes of a message, from either scanner.
struct Piece<K> {
    kind: K,
    bytes: Vec<u8>,
    is_first: bool,
    is_last: bool,
    topology: Option<Topology>,
}

/// Puts pieces together; panics if they are not what came in, in order and each once.
struct Joined<K, F> {
    finds: Finds<K, F>,
    out: Vec<u8>,
    /// The message that has not ended, and its topology.
    open: Option<(K, Option<Topology>)>,
}

impl<K: Clone + Debug + PartialEq, F> Joined<K, F> {
    fn new() -> Self {
        Self { finds: Finds { messages: Vec::new(), fault: None }, out: Vec::new(), open: None }
    }

    fn add(&mut self, piece: Result<Piece<K>, F>) {
        let piece = match piece {
            Ok(piece) => piece,
            Err(fault) => return self.finds.fault = Some(fault),
        };
        assert!(!piece.bytes.is_empty(), "an empty piece");
        self.out.extend_from_slice(&piece.bytes);
        assert_eq!(piece.is_first, self.open.is_none(), "first pieces follow last ones: {:?}", piece.kind);
        let (kind, before) = self.open.take().unwrap_or_else(|| (piece.kind.clone(), None));
        assert_eq!(kind, piece.kind, "all pieces of a message say what it is");
        assert!(before.is_none() || piece.topology.is_none(), "a topology comes once");
        let topology = before.or(piece.topology);
        if piece.is_last {
            self.finds.messages.push((kind, self.out.len(), topology));
        } else {
            self.open = Some((kind, topology));
        }
    }

    fn done(self, stream: &[u8], buffered: usize) -> Finds<K, F> {
        assert!(stream.starts_with(&self.out), "what comes out is what came in");
        if self.finds.fault.is_none() {
            assert_eq!(self.out.len() + buffered, stream.len(), "all that came out or waits");
        }
        self.finds
    }
}

/// What a scanner finds in a server's bytes, which come in these pieces.
pub fn replies(pieces: &[&[u8]], asked: impl Fn(u64) -> Option<Asked>) -> Finds<MessageKind, Violation> {
    replies_within(Limits::default(), pieces, asked)
}

pub fn replies_within(
    limits: Limits,
    pieces: &[&[u8]],
    asked: impl Fn(u64) -> Option<Asked>,
) -> Finds<MessageKind, Violation> {
    let mut scanner = ReplyScanner::new(limits);
    let mut joined = Joined::new();
    for (index, piece) in pieces.iter().enumerate() {
        // Both ways in, in turn.
        if index % 2 == 0 {
            scanner.receive(piece);
        } else {
            scanner.receive_buffer().extend_from_slice(piece);
        }
        while let Some(piece) = scanner.poll(&asked) {
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

/// What a scanner finds in a client's bytes, which come in these pieces.
pub fn requests(pieces: &[&[u8]]) -> Finds<RequestHead, RequestFault> {
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

/// The whole head comes with the first piece, what matters of it with each.
fn head_of(piece: &RequestPiece, head: &mut Option<RequestHead>) -> RequestHead {
    assert_eq!(piece.head.is_some(), piece.is_first, "a head comes once");
    *head = piece.head.clone().or(head.take());
    let head = head.clone().expect("a head with the first piece");
    assert_eq!((piece.message_id, piece.asked), (head.message_id, head.asked));
    head
}

/// What a decoder finds in the same bytes.
pub fn decoded_replies(bytes: &[u8], asked: impl Fn(u64) -> Option<Asked>) -> Finds<MessageKind, Violation> {
    let mut decoder = ReplyDecoder::new(Limits::default());
    decoder.receive(bytes);
    let mut finds = Finds { messages: Vec::new(), fault: None };
    while let Some(incoming) = decoder.poll(&asked) {
        match incoming {
            Ok(incoming) => {
                let kind = kind(&incoming, &asked);
                let topology = match incoming {
                    Incoming::Reply(reply) => reply.topology.map(|topology| *topology),
                    Incoming::Event(_) | Incoming::CounterEvent(_) => None,
                };
                finds.messages.push((kind, bytes.len() - decoder.buffered(), topology));
            }
            Err(violation) => finds.fault = Some(violation),
        }
    }
    finds
}

fn kind(incoming: &Incoming, asked: impl Fn(u64) -> Option<Asked>) -> MessageKind {
    match incoming {
        Incoming::Reply(reply) => MessageKind::Reply {
            message_id: reply.message_id,
            operation: asked(reply.message_id).map(|asked| asked.operation),
            status: reply.status,
        },
        Incoming::Event(event) => MessageKind::Event { message_id: event.message_id, change: event.change },
        Incoming::CounterEvent(_) => MessageKind::CounterEvent,
    }
}

/// What a decoder finds in the same bytes.
pub fn decoded_requests(bytes: &[u8]) -> Finds<RequestHead, RequestFault> {
    let mut decoder = RequestDecoder::new(Limits::default());
    decoder.receive(bytes);
    let mut finds = Finds { messages: Vec::new(), fault: None };
    while let Some(request) = decoder.poll() {
        match request {
            Ok((header, request)) => {
                let RequestHeader { message_id, version, intelligence, topology_id, options } = header;
                let asked = Asked { operation: request.operation(), version, intelligence };
                let head = RequestHead { message_id, asked, cache: options.cache, flags: options.flags, topology_id };
                finds.messages.push((head, bytes.len() - decoder.buffered(), None));
            }
            Err(fault) => finds.fault = Some(fault),
        }
    }
    finds
}

/// The bytes whole, cut in two at every `step`th byte, and in pieces of some sizes.
pub fn cuts(bytes: &[u8], step: usize) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..bytes.len()).step_by(step).map(|cut| vec![&bytes[..cut], &bytes[cut..]]);
    let in_many = [1, 2, 3, 100, 1000, 1460].map(|size| bytes.chunks(size).collect());
    in_two.chain(in_many)
}

/// However they are cut, a scanner finds in a server's bytes what a decoder does.
pub fn same_replies(bytes: &[u8], step: usize, asked: impl Fn(u64) -> Option<Asked> + Copy) {
    let expected = decoded_replies(bytes, asked);
    for pieces in cuts(bytes, step) {
        let sizes: Vec<usize> = pieces.iter().take(4).map(|piece| piece.len()).collect();
        assert_eq!(replies(&pieces, asked), expected, "in pieces of {sizes:?}");
    }
}

/// However they are cut, a scanner finds in a client's bytes what a decoder does.
pub fn same_requests(bytes: &[u8], step: usize) {
    let expected = decoded_requests(bytes);
    for pieces in cuts(bytes, step) {
        let sizes: Vec<usize> = pieces.iter().take(4).map(|piece| piece.len()).collect();
        assert_eq!(requests(&pieces), expected, "in pieces of {sizes:?}");
    }
}
